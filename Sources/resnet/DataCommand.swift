import ArgumentParser
import ResidualFigures
import ResidualRuns

struct Data: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Look at data.", discussion: help, subcommands: [Show.self])
  private static let help =
    "Every verb that takes data reads them as this one does."
    + String.examples(
      "data show", "data show photos --output sheet.png", "data show cifar-10-binary.tar.gz --json")

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Describe a data set and draw a sheet of its images by class.",
      usage: "resnet data show [<data>] [<options>]", discussion: help)

    @Argument(
      help: ArgumentHelp("A folder or archive of images; without it, the ten drawn things."),
      completion: .file())
    var data: String?
    @Option(
      name: .shortAndLong, help: ArgumentHelp("The picture.", valueName: "sheet.png"),
      completion: .file(extensions: ["png"]))
    var output: String?
    @Option(
      parsing: .unconditional, help: ArgumentHelp("Images a class.", valueName: "n"))
    var columns = 12
    @Option(
      parsing: .unconditional,
      help: ArgumentHelp(
        "Pixels of the picture for one pixel of an image, along each side.", valueName: "n"))
    var zoom = 2
    @OptionGroup var replacement: OverwriteFlag
    @OptionGroup(title: "Output") var outputOptions: OutputFlags

    struct Report: Encodable {
      struct Part: Encodable {
        let images: Int
        let imagesPerClass: [Int]
      }
      let name: String, source: String
      let classNames: [String]
      let training: Part?, validation: Part?, test: Part?
      let remarks: [String]
    }

    func validate() throws {
      guard (1...200).contains(columns) else {
        throw UsageError("--columns \(columns) is out of range: 1 to 200")
      }
      guard (1...16).contains(zoom) else {
        throw UsageError("--zoom \(zoom) is out of range: 1 to 16")
      }
    }

    func run() throws {
      if let output { try replacement.check(output, "--output", ending: ".png", inputs: [data]) }
      let set = try Dataset(at: data)
      if let output {
        let (rows, cell) = (set.classNames.count, Self.side * zoom + 4)
        guard rows * columns * cell * cell <= ImageDecoder.defaultPixelLimit else {
          throw UsageError(
            "--columns \(columns) and --zoom \(zoom) make too large a picture of \(rows) classes; "
              + "choose smaller ones")
        }
        let raster = try sheet(set).raster
        let picture = try Image(width: raster.width, height: raster.height, pixels: raster.pixels)
        try AtomicFile.write(PNG.encode(picture), to: output)
        outputOptions.terminal.note("sheet: \(output)")
      }
      let report = Report(
        name: set.name, source: set.source.rawValue, classNames: set.classNames,
        training: set.parts[.training].map { part($0, set) },
        validation: set.parts[.validation].map { part($0, set) },
        test: set.parts[.test].map { part($0, set) }, remarks: set.remarks)
      if outputOptions.json { return try JSONDocument.print(report) }
      print("\(set.name) (\(set.source.rawValue))")
      var table = TextTable([
        .init("class"), .init("training", .right), .init("validation", .right),
        .init("test", .right),
      ])
      let parts = [report.training, report.validation, report.test]
      for (index, name) in set.classNames.enumerated() {
        table.append([name] + parts.map { $0.map { String($0.imagesPerClass[index]) } ?? "" })
      }
      table.setTotals(["total"] + parts.map { $0.map { String($0.images) } ?? "" })
      print(table.text)
      for remark in set.remarks { print(remark) }
    }

    private func part(_ images: any SampleSource, _ set: Dataset) -> Report.Part {
      var counts = [Int](repeating: 0, count: set.classNames.count)
      for label in images.labels { counts[Int(label)] += 1 }
      return Report.Part(images: images.count, imagesPerClass: counts)
    }

    /// Of a picture on the sheet, in pixels.
    private static let side = 32

    private func sheet(_ set: Dataset) throws -> ContactSheet {
      guard let samples = set.parts[.training] ?? set.parts[.test] else {
        throw DatasetError.noPart(.training, location: set.location)
      }
      let labels = samples.labels
      let decoder = ImageDecoder()
      let rows = try set.classNames.enumerated().map { label, name in
        ContactSheet.Row(
          label: name,
          images: try labels.indices.lazy.filter { labels[$0] == Int32(label) }.prefix(columns)
            .map { index in
              let image = Preparation.View.squash.image(
                try samples.image(index, decoder: decoder), side: Self.side)
              return Raster(width: image.width, height: image.height, pixels: image.pixels)
            })
      }
      return ContactSheet(title: set.name, rows: rows, zoom: zoom)
    }
  }
}
