import ArgumentParser
import ResidualFigures
import ResidualTraining

struct Data: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Look at data.", subcommands: [Show.self])

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Describe a data set and draw a sheet of its images by class.",
      usage: "resnet data show [<data>] [<options>]")

    @Argument(
      help: ArgumentHelp("A folder or archive of images; without it, the ten drawn things."))
    var data: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("The picture.", valueName: "sheet.png"))
    var output: String?
    @Option(
      parsing: .unconditional, help: ArgumentHelp("Images a class.", valueName: "n"))
    var columns = 12
    @Option(
      parsing: .unconditional,
      help: ArgumentHelp("Pixels of the picture for one of an image.", valueName: "n"))
    var zoom = 2
    @OptionGroup(title: "Output") var outputOptions: OutputOptions

    struct Report: Encodable {
      struct Part: Encodable {
        let images: Int
        let imagesPerClass: [Int]
      }
      let name: String, source: String
      let classNames: [String]
      let training: Part
      let validation: Part?, test: Part?
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
      if let output { try OutputError.checkWritable(file: output, option: "--output") }
      let set = try Dataset.open(data)
      if let output {
        let (rows, cell) = (set.classNames.count, set.training.width * zoom + 4)
        guard rows * columns * cell * cell <= ImageDecoder.defaultPixelLimit else {
          throw UsageError(
            "--columns \(columns) and --zoom \(zoom) make too large a picture of \(rows) classes; "
              + "choose smaller ones")
        }
        let raster = sheet(set).raster
        let picture = Image(width: raster.width, height: raster.height, pixels: raster.pixels)
        try OutputError.wrap { try AtomicFile.write(PNG.encode(picture), to: output) }
        outputOptions.terminal.note("sheet: \(output)")
      }
      let report = Report(
        name: set.name, source: set.source.rawValue, classNames: set.classNames,
        training: part(set.training, set), validation: set.validation.map { part($0, set) },
        test: set.test.map { part($0, set) }, remarks: set.remarks)
      if outputOptions.json { return try JSONDocument.print(report) }
      print("\(set.name) (\(set.source.rawValue))")
      var table = TextTable([
        .init("class"), .init("training", .right), .init("validation", .right),
        .init("test", .right),
      ])
      for (index, name) in set.classNames.enumerated() {
        table.append([
          name, String(report.training.imagesPerClass[index]),
          report.validation.map { String($0.imagesPerClass[index]) } ?? "",
          report.test.map { String($0.imagesPerClass[index]) } ?? "",
        ])
      }
      table.setTotals([
        "total", String(report.training.images), report.validation.map { String($0.images) } ?? "",
        report.test.map { String($0.images) } ?? "",
      ])
      print(table.text)
      for remark in set.remarks { print(remark) }
    }

    private func part(_ images: ImageSet, _ set: Dataset) -> Report.Part {
      var counts = [Int](repeating: 0, count: set.classNames.count)
      for label in images.labels { counts[Int(label)] += 1 }
      return Report.Part(images: images.count, imagesPerClass: counts)
    }

    private func sheet(_ set: Dataset) -> ContactSheet {
      let images = set.training.count > 0 ? set.training : set.test ?? set.training
      let rows = set.classNames.enumerated().map { label, name in
        ContactSheet.Row(
          label: name,
          images: images.labels.indices.lazy.filter { images.labels[$0] == Int32(label) }
            .prefix(columns).map { index in
              let image = images.image(at: index)
              return Raster(width: image.width, height: image.height, pixels: image.pixels)
            })
      }
      return ContactSheet(title: set.name, rows: rows, zoom: zoom)
    }
  }
}
