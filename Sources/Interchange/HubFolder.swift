import Foundation
import ResidualFormats
import ResidualImages
import ResidualNetworks

/// A folder as the Hugging Face Hub keeps models: `config.json`, `model.safetensors`,
/// `preprocessor_config.json` and a model card.
public struct HubFolder {
  /// Which library the folder is for.
  public enum Style: String, Hashable, Sendable, CaseIterable {
    case timm
    case transformers
  }

  /// Why a network cannot be such a folder.
  public struct Unsupported: Refusal, Hashable {
    public let message: Message
    public var description: String { message.description }
    public var kind: RefusalKind { .input }
  }

  private let model: ModelFile
  private let style: Style
  private let mean: [Float], std: [Float]
  private let stages: ResidualStages

  /// - Throws: ``Unsupported`` if the library has no such network, or images are prepared in a way
  ///   that it does not know.
  public init(_ model: ModelFile, style: Style) throws(Unsupported) {
    self.model = model
    self.style = style
    guard case .channels(let mean, let std) = model.preparation.normalization else {
      throw Unsupported(
        message: "\(style.rawValue) subtracts one mean a channel, and this model one a pixel; "
          + "\(OptionName.averagingMean) takes its averages, which changes results a little")
    }
    (self.mean, self.std) = (mean, std)
    let network = model.network
    stages = ResidualStages(Set(network.slots.map(\.name)))
    guard stages.blocks.count == ImageNetResNet.widths.count, stages.isBasic, !stages.isGated,
      network.shortcut == .projection
    else {
      throw Unsupported(
        message: "\(style.rawValue) has no network like \(network.name)"
          + (network.shortcut.map { " with shortcut option \($0.option.rawValue)" } ?? "")
          + "; convert it to .safetensors or .pth")
    }
    let isKnown = ImageNetResNet.depths.contains { "resnet\($0)" == network.name }
    if style == .timm, !isKnown || network.stridePlacement == .first1x1 {
      throw Unsupported(
        message: "timm has no \(network.name)"
          + (isKnown ? " with the stride on the 1×1 convolution" : "")
          + "; ask for \(OptionName.hubStyle) transformers")
    }
  }

  /// Writes the folder, which must not be there, whole or not at all.
  ///
  /// - Throws: ``FileError``.
  public func write(to path: String) throws {
    try NewFolder.write(to: path) { folder in
      let entries = model.stateDictionary { slot in
        style == .timm ? slot : WeightNames.transformersName(slot)
      }
      try Safetensors.write(
        entries, metadata: ["format": "pt"], to: folder + "/model.safetensors")
      try AtomicFile.write(json(config), to: folder + "/config.json")
      try AtomicFile.write(json(preprocessor), to: folder + "/preprocessor_config.json")
      try AtomicFile.write(card, to: folder + "/README.md")
    }
  }

  // MARK: Texts

  private var side: Int { model.network.inputSide }

  /// The channels of each stage's result.
  private var widths: [Int] {
    let block: Block = stages.isBottleneck ? .bottleneck(.middle3x3) : .basic
    return ImageNetResNet.widths.map { $0 * block.expansion }
  }

  private var config: [String: Any] { style == .timm ? timmConfig : transformersConfig }

  private var timmConfig: [String: Any] {
    let poolSide = (side + 31) / 32
    let preprocessing: [String: Any] = [
      "input_size": [3, side, side], "pool_size": [poolSide, poolSide],
      "crop_mode": isSquashed ? "squash" : "center",
      "crop_pct": isSquashed ? 1.0 : Double(side) / Double(resizedSide),
      "interpolation": "bilinear",
      "mean": mean.map(Self.decimal), "std": std.map(Self.decimal),
      "num_classes": model.network.classes, "first_conv": "conv1", "classifier": "fc",
    ]
    return [
      "architecture": model.network.name, "num_classes": model.network.classes,
      "num_features": widths[widths.count - 1], "global_pool": "avg",
      "label_names": model.classNames,
      "pretrained_cfg": preprocessing,
    ]
  }

  private var transformersConfig: [String: Any] {
    var names: [String: String] = [:]
    var numbers: [String: Int] = [:]
    for (number, name) in model.classNames.enumerated() {
      names[String(number)] = name
      numbers[name] = numbers[name] ?? number
    }
    let stridesFirst: Bool = model.network.stridePlacement == .first1x1
    return [
      "model_type": "resnet", "architectures": ["ResNetForImageClassification"],
      "num_channels": 3, "embedding_size": 64, "hidden_sizes": widths, "depths": stages.blocks,
      "layer_type": stages.isBottleneck ? "bottleneck" : "basic", "hidden_act": "relu",
      "downsample_in_first_stage": false, "downsample_in_bottleneck": stridesFirst,
      "id2label": names, "label2id": numbers, "dtype": "float32",
    ]
  }

  private var preprocessor: [String: Any] {
    let view: [String: Any] =
      isSquashed
      ? [
        "image_processor_type": "ViTImageProcessor", "size": ["height": side, "width": side],
      ]
      : [
        "image_processor_type": "ConvNextImageProcessor", "size": ["shortest_edge": side],
        "crop_pct": Double(side) / Double(resizedSide),
      ]
    return view.merging([
      "do_resize": true, "resample": 2, "do_rescale": true, "rescale_factor": 1.0 / 255,
      "do_normalize": true, "image_mean": mean.map(Self.decimal),
      "image_std": std.map(Self.decimal),
    ]) { $1 }
  }

  /// Whether images are resized to a square; else the square is cut out of their middle.
  private var isSquashed: Bool { model.preparation.view == .squash }
  /// The shorter side of a resized image.
  private var resizedSide: Int {
    switch model.preparation.view {
    case .squash: side
    case .centerCrop(let shorterSide): shorterSide
    }
  }

  private var card: String {
    let library = style.rawValue
    let code =
      style == .timm
      ? "timm.create_model(\"local-dir:FOLDER\", pretrained=True)"
      : "AutoModelForImageClassification.from_pretrained(\"FOLDER\")"
    let numbers = { (values: [Float]) in values.map { "\($0)" }.joined(separator: ", ") }
    return """
      ---
      library_name: \(library)
      pipeline_tag: image-classification
      tags:
      - image-classification
      - resnet
      ---
      # \(model.network.name)

      A residual network of \(model.network.depth) layers (He, Zhang, Ren, Sun: Deep Residual Learning
      for Image Recognition, 2015) for \(model.network.classes) classes, on images of
      \(side)×\(side) pixels.

      ```python
      model = \(code)
      ```

      Inputs are RGB from 0 to 1, less the mean (\(numbers(mean))), divided by
      (\(numbers(std))). Shortcut option \(model.network.shortcut?.option.rawValue ?? "none"), stride on the
      \(model.network.stridePlacement?.rawValue ?? "3x3") convolution of a block.

      """
  }

  /// The shortest decimal that stands for a float32, not its double with twice the digits.
  private static func decimal(_ number: Float) -> NSDecimalNumber {
    NSDecimalNumber(string: "\(number)")
  }

  private func json(_ object: [String: Any]) throws -> String {
    let data = try JSONSerialization.data(
      withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}
