import ArgumentParser
import ResidualFigures
import ResidualRuns

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Classify images with a trained network.",
    usage: "resnet predict <model> <images> ... [<options>]",
    discussion: """
      A folder stands for all images below it. An image that cannot be read is a line on standard \
      error; the others are classified, and the exit code is 65.
      """
        + .examples(
          "predict runs/NAME/last.safetensors photo.jpg", "predict resnet50.pth photos --top 5",
          "predict network.onnx photo.jpg drawings --json"))

  @Argument(
    help: ArgumentHelp(
      "A model file, such as runs/NAME/last.safetensors, or weights from elsewhere."),
    completion: .model)
  var model: String
  @Argument(help: ArgumentHelp("JPEG or PNG files, and folders of them."), completion: .file())
  var images: [String]
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Classes to name for each image.", valueName: "k"))
  var top = 3
  @OptionGroup(title: "Weights from elsewhere") var weightsOptions: WeightsFlags
  @OptionGroup(title: "Machine") var deviceOptions: DeviceFlags
  @OptionGroup(title: "Output") var outputOptions: OutputFlags

  /// What became of an image: classes, or an error.
  struct Prediction: Encodable {
    let image: String
    var classes: [Classifier.Guess]?
    var error: String?

    init(_ image: String, _ guesses: Result<[Classifier.Guess], any Error>) {
      self.image = image
      switch guesses {
      case .success(let guesses): classes = guesses
      case .failure(let error): self.error = Failure.message(for: error).onOneLine
      }
    }

    /// A line for people.
    var text: String {
      let guesses = (classes ?? []).map {
        "\($0.name.onOneLine) \(NumberFormat.percentage($0.probability, decimals: 1))"
      }
      return "\(image): \(guesses.joined(separator: ", "))"
    }
  }

  func validate() throws {
    guard top >= 1 else { throw UsageError("--top \(top) is out of range: at least 1") }
  }

  func run() throws {
    let terminal = outputOptions.terminal
    let files = try ImageFiles(at: images)
    for remark in files.remarks { terminal.note(remark) }
    let file = try weightsOptions.open(model, on: terminal).model
    let device = try deviceOptions.device(on: terminal)
    let batchSize = min(32, files.paths.count)
    let classifier = try device.classifier(file, batchSize: batchSize)
    var document: [Prediction] = []
    var counts = PreparationCounts()
    var isComplete = true
    for start in stride(from: 0, to: files.paths.count, by: batchSize) {
      let paths = Array(files.paths[start..<min(start + batchSize, files.paths.count)])
      let outcomes = try classifier.outcomes(ofImagesAt: paths, top: top)
      counts += outcomes.counts
      for prediction in zip(paths, outcomes.guesses).map(Prediction.init) {
        if let error = prediction.error {
          terminal.error(error)
          isComplete = false
        }
        if outputOptions.json {
          document.append(prediction)
        } else if prediction.error == nil {
          print(prediction.text)
        }
      }
    }
    if let remark = counts.turnedRemark { terminal.note(remark) }
    if outputOptions.json { try JSONDocument.print(document) }
    // Each has its line already.
    guard isComplete else { throw InputError("") }
  }
}
