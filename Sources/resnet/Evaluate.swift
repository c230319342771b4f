import ArgumentParser
import ResidualFigures
import ResidualRuns

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained network on test images.",
    usage: "resnet evaluate <model> [<data>] [<options>]",
    discussion: """
      Every image is used once, unchanged: the paper's single plain view. Data may have fewer \
      classes than the network.
      """
        + .examples(
          "evaluate runs/NAME/last.safetensors", "evaluate resnet50.pth photos.tar --json",
          "evaluate runs/NAME/last.safetensors photos --confusion confusion.svg"),
    aliases: ["val"])

  @Argument(
    help: ArgumentHelp(
      "A model file, such as runs/NAME/last.safetensors, or weights from elsewhere."),
    completion: .model)
  var model: String
  @Argument(
    help: ArgumentHelp("A folder or archive of images; without it, the ten drawn things."),
    completion: .file())
  var data: String?
  @Option(help: ArgumentHelp("The images to measure on.", valueName: "test|validation|training"))
  var part = Dataset.Part.test
  @Option(
    help: ArgumentHelp("Draw the confusion matrix.", valueName: "file.svg"),
    completion: .file(extensions: ["svg"]))
  var confusion: String?
  @Option(
    help: ArgumentHelp("Write the logits, one row an image, for NumPy.", valueName: "file.npy"),
    completion: .file(extensions: ["npy"]))
  var logits: String?
  @Option(
    name: .shortAndLong, parsing: .unconditional,
    help: ArgumentHelp("Images a step.", valueName: "n"))
  var batchSize = 128
  @OptionGroup var replacement: OverwriteFlag
  @OptionGroup(title: "Weights from elsewhere") var weightsOptions: WeightsFlags
  @OptionGroup(title: "Machine") var deviceOptions: DeviceFlags
  @OptionGroup(title: "Output") var outputOptions: OutputFlags

  func validate() throws {
    guard (1...1_000_000).contains(batchSize) else {
      throw UsageError("--batch-size \(batchSize) is out of range: 1 to 1,000,000")
    }
  }

  func run() throws {
    let terminal = outputOptions.terminal
    for (file, option, ending) in [
      (confusion, "--confusion", ".svg"), (logits, "--logits", ".npy"),
    ] {
      guard let file else { continue }
      try replacement.check(
        file, option, ending: ending,
        inputs: [OpenedModel.file(at: model), data, weightsOptions.classNames])
    }
    let opened = try weightsOptions.open(model, on: terminal)
    let file = opened.model
    let data = try Dataset(at: self.data, parts: [part])
    let samples = try data.samples(of: part)
    guard let indices = file.indices(ofClasses: data.classNames) else {
      throw InputError(
        "\(model): its classes (\(list(file.classNames))) are not those of \(data.name) "
          + "(\(list(data.classNames))); "
          + (file.isForImageNet
            ? "name the class folders by these names or WordNet's numbers"
            : "give the data that it was trained for"))
    }
    let classNames = file.classNameSource == .numbers ? data.classNames : file.classNames
    if indices.count < classNames.count {
      terminal.note(
        "the data have \(indices.count.grouped) of the network's \(classNames.count.grouped) classes"
      )
    }
    let (view, side) = (file.preparation.view, file.network.inputSide)
    let (images, counts) = try view.images(
      of: indices == Array(classNames.indices) ? samples : samples.relabelled(indices), side: side)
    for remark in view.remarks(counts, side: side) + data.remarks { terminal.note(remark) }
    let device = try deviceOptions.device(on: terminal)
    let classifier = try device.classifier(file, batchSize: min(batchSize, images.count))
    var classes = ClassAccuracies(classNames)
    var matrix = confusion.map { _ in ConfusionMatrix(classNames: classNames) }
    var allLogits: [Float] = []
    Interruption.install()
    var bar = ProgressBar("evaluating", total: images.count, on: terminal)
    defer { bar.finish() }
    let evaluation = try classifier.evaluate(squares: images) { logits, range in
      for (position, index) in range.enumerated() {
        let row = logits[position * classNames.count..<(position + 1) * classNames.count]
        let (truth, prediction) = (Int(images.labels[index]), Classifier.largest(row))
        classes.record(truth: truth, prediction: prediction)
        matrix?.record(truth: truth, prediction: prediction)
      }
      if self.logits != nil { allLogits += logits }
      bar.update(completed: range.upperBound)
      try Interruption.check()
    }
    bar.finish()
    if let confusion, let matrix {
      try AtomicFile.write(
        matrix.svg(title: "\(file.network.name) on \(data.name)"), to: confusion)
    }
    if let path = self.logits {
      let table = Tensor([images.count, classNames.count], allLogits)
      try NumPyArray.write(table, to: path)
    }
    if outputOptions.json {
      return try JSONDocument.print(EvaluationReport(evaluation, classes: classes.reports))
    }
    print(
      "\(file.network.name) on \(data.name): "
        + "\(evaluation.images.grouped) \(part.rawValue) images")
    var table = TextTable([.init("measure"), .init("value", .right)])
    table.append(["top-1 accuracy", NumberFormat.fixed(evaluation.top1, decimals: 2) + " %"])
    table.append(["top-5 accuracy", NumberFormat.fixed(evaluation.top5, decimals: 2) + " %"])
    table.append(["loss", NumberFormat.fixed(evaluation.loss, decimals: 4)])
    print(table.text)
    print(classes.text)
  }

  private func list(_ names: [String]) -> String {
    names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
  }
}

extension Dataset.Part: ExpressibleByArgument {}
