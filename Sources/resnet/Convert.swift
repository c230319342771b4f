import ArgumentParser
import Foundation
import ResidualTraining

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Turn weights from one kind of file into another.",
    usage: "resnet convert <in> <out> [<options>]",
    discussion: """
      Reads models of this program, ONNX, safetensors, and checkpoints of PyTorch under the names of \
      torchvision, timm, transformers and akamaster's CIFAR networks. What is written follows from \
      the name: FILE.safetensors is a model of this program, with torchvision's names, FILE.pth a \
      state_dict for PyTorch, FILE.onnx a network for ONNX Runtime and others, and any other name a \
      folder for the Hugging Face Hub. Both sides are run on the same images before the new one \
      stands.
      """)

  @Argument(help: "What to read.") var input: String
  @Argument(help: "What to write: FILE.safetensors, FILE.pth, FILE.onnx, or a folder.")
  var output: String
  @Option(
    help: ArgumentHelp("The library that a folder is for.", valueName: "timm|transformers"))
  var hubStyle: String?
  @Flag(
    help: "Replace a mean for each pixel by one for each channel, where the format knows no other.")
  var averageMean = false
  @Option(
    help: ArgumentHelp(
      "The version of ONNX's operators, 9 to 22; 17 if it is not given.", valueName: "version"))
  var opset: Int?
  @Flag(
    name: .customLong("fold-bn"),
    help: "Make batch normalisations part of the convolutions before them, in ONNX.")
  var foldsNormalization = false
  @Option(
    help: ArgumentHelp(
      "Where ONNX has the preparation of images: described in the metadata, for prepared inputs, or "
        + "in the first nodes, for RGB from 0 to 255. By default metadata, and nodes where there is "
        + "a mean for each pixel.", valueName: "metadata|nodes"))
  var preprocessing: String?
  @OptionGroup(title: "Weights from elsewhere") var weightsOptions: WeightsFlags
  @OptionGroup(title: "Machine") var deviceOptions: DeviceOptions
  @OptionGroup(title: "Output") var outputOptions: OutputOptions

  private enum Target { case model, torch, onnx(ONNXOptions), hub(HubFolder.Style) }

  func validate() throws { _ = try target() }

  private func target() throws -> Target {
    let style = try hubStyle.map { text in
      guard let style = HubFolder.Style(rawValue: text) else {
        throw UsageError("--hub-style '\(text)' is not one of timm, transformers")
      }
      return style
    }
    let kind = (output as NSString).pathExtension.lowercased()
    if kind == "onnx", style == nil { return .onnx(try onnxOptions()) }
    for (flag, isGiven) in [
      ("--opset", opset != nil), ("--fold-bn", foldsNormalization),
      ("--preprocessing", preprocessing != nil),
    ] where isGiven {
      throw UsageError("\(flag) is for ONNX, and \(output) does not end in '.onnx'; leave it out")
    }
    if ["safetensors", "pth", "pt", "th", "onnx"].contains(kind) {
      if kind != "safetensors", WeightsHash.digits(inName: output) != nil {
        throw UsageError(
          "\(output): the name ends in the digits of another file's hash; leave them out")
      }
      guard style == nil else {
        throw UsageError("--hub-style is for folders, and \(output) is a file; leave it out")
      }
      return kind == "safetensors" ? .model : .torch
    }
    guard kind.isEmpty || style != nil else {
      throw UsageError(
        "\(output): no kind of file ends in '.\(kind)' here; name a .safetensors, .pth or .onnx file, "
          + "or a folder")
    }
    return .hub(style ?? .timm)
  }

  private func onnxOptions() throws -> ONNXOptions {
    var options = ONNXOptions()
    options.opset = opset ?? options.opset
    let range = ONNXOptions.opsets
    guard range.contains(options.opset) else {
      throw UsageError(
        "--opset \(options.opset) is out of range: \(range.lowerBound) to \(range.upperBound)")
    }
    options.foldsNormalization = foldsNormalization
    options.preprocessing = try preprocessing.map { text in
      guard let place = ONNXOptions.Preprocessing(rawValue: text) else {
        throw UsageError("--preprocessing '\(text)' is not one of metadata, nodes")
      }
      return place
    }
    options.producerVersion = Version.current
    return options
  }

  struct Report: Encodable {
    let input: String, output: String, network: String
    let changes: [String]
  }

  func run() throws {
    let terminal = outputOptions.terminal
    let target = try target()
    let opened = try weightsOptions.open(input, on: terminal)
    var model = opened.model
    var changes = opened.remarks.map(\.namingFlags)
    if averageMean, case .perPixelMean = model.normalization,
      case let averaged = model.averagingMean(),
      case .channels(let average, _) = averaged.normalization
    {
      model = averaged
      changes.append("the mean of each pixel was replaced by its channel's average \(average)")
      terminal.note(changes.last ?? "")
    }
    if model.network.definition != nil {
      switch target {
      case .torch, .hub:
        throw UsageError(
          "\(output): such files hold no layers, and the network of \(input) has no name that stands "
            + "for its own; write a .safetensors or .onnx file")
      case .model, .onnx: break
      }
    }
    if case .hub = target {
      if FileManager.default.fileExists(atPath: output) {
        throw OutputError(description: "\(output): there is something of that name; name another")
      }
      try OutputError.checkWritable(folder: output, option: "output")
    } else {
      try OutputError.checkWritable(file: output, option: "output")
    }
    let device = try deviceOptions.device(on: terminal)
    // Written beside its place, checked there, and moved.
    let partial = Self.partial(output)
    defer { try? FileManager.default.removeItem(atPath: partial) }
    try OutputError.wrap {
      switch target {
      case .model: try model.write(to: partial)
      case .torch: try model.writeTorch(to: partial)
      case .onnx(let options): try model.writeONNX(to: partial, options)
      case .hub(let style): try HubFolder(model, style: style).write(to: partial)
      }
    }
    if case .torch = target, case .perPixelMean = model.normalization {
      changes.append("a checkpoint holds no mean: subtract each pixel's, as before, from inputs")
      terminal.note(changes.last ?? "")
    }
    if case .onnx(let options) = target, options.preprocessing == nil,
      model.onnxPreprocessing == .nodes
    {
      changes.append("a mean for each pixel: the first nodes subtract it from RGB of 0 to 255")
      terminal.note(changes.last ?? "")
    }
    let difference = try check(model, partial, target, device: device)
    try OutputError.wrap { try Self.move(partial, to: output) }
    if outputOptions.json {
      return try JSONDocument.print(
        Report(
          input: input, output: output, network: model.network.name, changes: changes))
    }
    print("\(output): \(model.network.name), \(model.network.classes) classes")
    print(
      difference == 0
        ? "both sides give the same logits to the bit"
        : "both sides give the same logits, but for \(difference) of the largest by rounding")
  }

  /// A hidden name in the same folder, with the extension by which files are told apart.
  private static func partial(_ path: String) -> String {
    let (folder, name) = (
      (path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent
    )
    let hidden = ".residual-\(ProcessInfo.processInfo.processIdentifier)-" + name
    return folder.isEmpty ? hidden : folder + "/" + hidden
  }

  private static func move(_ source: String, to target: String) throws {
    guard rename(source, target) == 0 else {
      throw OutputError(
        description:
          "\(target): \(String(cString: strerror(errno)).lowercased()); name another place")
    }
  }

  /// Opens what was written and compares the logits of both sides on drawn images, bit by bit; those
  /// of folded normalisations are rounded otherwise.
  ///
  /// - Returns: the largest difference, as a share of the largest logit.
  private func check(
    _ model: ModelFile, _ path: String, _ target: Target, device: any CommandDevice
  ) throws -> Float {
    var options = WeightsOptions()
    var file = path
    var bound: Float = 0
    switch target {
    case .model: break
    case .onnx(let options):
      try model.checkONNX(at: path, options)
      if options.foldsNormalization { bound = 1e-4 }
    case .hub:
      file += "/model.safetensors"
      fallthrough
    case .torch:
      // What the file does not say.
      options.model = model.network.name
      options.stridePlacement = model.network.stridePlacement
      options.inputSide = model.network.inputSide
      if case .padding(let padding) = model.network.shortcut { options.shortcutPadding = padding }
      if case .channels(let mean, let std) = comparable(model) {
        (options.mean, options.std) = (mean, std)
      }
    }
    let other = try OpenedModel(at: file, options).model
    // Another way to compute the same is rounded otherwise.
    if other.network.definition != nil, model.network.definition == nil { bound = 1e-4 }
    let side = model.network.inputSide
    var source = RandomSource(RandomKey(seed: 1))
    let images = ImageSet(
      height: side, width: side,
      pixels: (0..<2 * side * side * 3).map { _ in UInt8(source.index(below: 256)) },
      labels: [0, 0])
    func logits(_ model: ModelFile) throws -> [Float] {
      var result: [Float] = []
      let classifier = try device.classifier(model, batchSize: 2)
      _ = try classifier.evaluate(images, normalization: comparable(model)) { logits, _ in
        result += logits
      }
      return result
    }
    let (before, after) = (try logits(model), try logits(other))
    guard before.allSatisfy(\.isFinite) else {
      throw InputError(
        "\(input): the network gives logits that are no numbers; its training has diverged")
    }
    guard before.map(\.bitPattern) != after.map(\.bitPattern) else { return 0 }
    let largest = before.reduce(0) { max($0, abs($1)) }
    let difference = zip(before, after).reduce(0) { max($0, abs($1.0 - $1.1)) } / largest
    guard difference <= bound else {
      throw OutputError(
        description:
          "\(output): both sides give different logits, by \(difference) of the largest, so nothing "
          + "was written; this is a mistake of the program, please report it")
    }
    return difference
  }

  /// A mean for each pixel is left out on both sides: a checkpoint cannot hold it.
  private func comparable(_ model: ModelFile) -> Normalization {
    if case .channels = model.normalization {
      model.normalization
    } else {
      .channels(mean: [0, 0, 0], std: [1, 1, 1])
    }
  }
}
