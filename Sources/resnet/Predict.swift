import ArgumentParser
import Foundation
import ResidualFigures
import ResidualRuns

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Classify images with a trained network.",
    usage: "resnet predict <model> <images> ... [<options>]")

  @Argument(
    help: ArgumentHelp(
      "A model file, such as runs/NAME/last.safetensors, or weights from elsewhere."))
  var model: String
  @Argument(help: ArgumentHelp("JPEG or PNG files.")) var images: [String]
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Classes to name for each image.", valueName: "k"))
  var top = 3
  @OptionGroup(title: "Weights from elsewhere") var weightsOptions: WeightsFlags
  @OptionGroup(title: "Machine") var deviceOptions: DeviceFlags
  @OptionGroup(title: "Output") var outputOptions: OutputFlags

  struct Prediction: Encodable {
    let image: String
    let classes: [Classifier.Guess]
  }

  func validate() throws {
    guard top >= 1 else { throw UsageError("--top \(top) is out of range: at least 1") }
  }

  func run() throws {
    let file = try weightsOptions.open(model, on: outputOptions.terminal).model
    let device = try deviceOptions.device(on: outputOptions.terminal)
    let classifier = try device.classifier(file, batchSize: min(32, images.count))
    let predictions = zip(images, try classifier.classify(imagesAt: images, top: top)).map {
      Prediction(image: $0, classes: $1)
    }
    if outputOptions.json { return try JSONDocument.print(predictions) }
    for prediction in predictions {
      let guesses = prediction.classes.map {
        "\($0.name.onOneLine) \(NumberFormat.percentage($0.probability, decimals: 1))"
      }
      print("\(prediction.image): \(guesses.joined(separator: ", "))")
    }
  }
}
