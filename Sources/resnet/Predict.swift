import ArgumentParser
import Foundation
import ResidualFigures
import ResidualTraining

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
  @OptionGroup(title: "Machine") var deviceOptions: DeviceOptions
  @OptionGroup(title: "Output") var outputOptions: OutputOptions

  struct Prediction: Encodable {
    struct Guess: Encodable {
      let name: String
      let probability: Double
    }
    let image: String
    let classes: [Guess]
  }

  func validate() throws {
    guard top >= 1 else { throw UsageError("--top \(top) is out of range: at least 1") }
  }

  func run() throws {
    let file = try weightsOptions.open(model, on: outputOptions.terminal).model
    let side = file.network.inputSide
    let decoder = ImageDecoder()
    let decoded = try images.map { path in
      let bytes = try FileBytes(at: path)
      return try bytes.withUnsafeBytes { bytes throws(ImageError) in
        try decoder.decode(bytes, file: path)
      }
      .resized(width: side, height: side)
    }
    let set = ImageSet(
      height: side, width: side, pixels: decoded.flatMap(\.pixels),
      labels: [Int32](repeating: 0, count: decoded.count))
    let device = try deviceOptions.device(on: outputOptions.terminal)
    let classifier = try device.classifier(file, batchSize: min(32, set.count))
    var predictions: [Prediction] = []
    _ = try classifier.evaluate(set, normalization: file.normalization) { logits, range in
      let classes = file.classNames.count
      for (position, index) in range.enumerated() {
        let row = Array(logits[position * classes..<(position + 1) * classes])
        predictions.append(
          Prediction(image: images[index], classes: guesses(row, file.classNames)))
      }
    }
    if outputOptions.json { return try JSONDocument.print(predictions) }
    for prediction in predictions {
      let guesses = prediction.classes.map {
        "\($0.name.onOneLine) \(NumberFormat.percentage($0.probability, decimals: 1))"
      }
      print("\(prediction.image): \(guesses.joined(separator: ", "))")
    }
  }

  /// The likeliest classes by the softmax of the logits.
  private func guesses(_ logits: [Float], _ names: [String]) -> [Prediction.Guess] {
    let largest = logits.max() ?? 0
    let exponentials = logits.map { exp(Double($0 - largest)) }
    let sum = exponentials.reduce(0, +)
    return zip(names, exponentials).map { Prediction.Guess(name: $0, probability: $1 / sum) }
      .sorted { $0.probability > $1.probability }.prefix(top).map { $0 }
  }
}
