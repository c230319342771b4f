import ArgumentParser
import Foundation
import ResidualRuns

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert weights from one kind of file to another.",
    usage: "resnet convert <in> <out> [<options>]",
    discussion: """
      Reads models of this program, ONNX, safetensors, and checkpoints of PyTorch under the names of \
      torchvision, timm, transformers and akamaster's CIFAR networks. What is written follows from \
      the name: FILE.safetensors is a model of this program, with torchvision's names, FILE.pth a \
      state_dict for PyTorch, FILE.onnx a network for ONNX Runtime and others, and any other name a \
      folder for the Hugging Face Hub. Both sides are run on the same images before the new one \
      stands.
      """
        + .examples(
          "convert resnet50.pth resnet50.safetensors",
          "convert runs/NAME/last.safetensors net.onnx",
          "convert resnet50.pth resnet50-hub --hub-style transformers"))

  @Argument(help: "What to read.", completion: .model) var input: String
  @Argument(
    help: "What to write: FILE.safetensors, FILE.pth, FILE.onnx, or a folder.",
    completion: .file())
  var output: String
  @Option(
    help: ArgumentHelp("The library that a folder is for.", valueName: "timm|transformers"),
    completion: .list(HubFolder.Style.allCases.map(\.rawValue)))
  var hubStyle: String?
  @Flag(
    help: "Replace a mean for each pixel by one for each channel, if the format has no other.")
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
        + "in the first nodes, for RGB from 0 to 255. By default metadata, or nodes if there is "
        + "a mean for each pixel.", valueName: "metadata|nodes"),
    completion: .list(["metadata", "nodes"]))
  var preprocessing: String?
  @OptionGroup var replacement: OverwriteFlag
  @OptionGroup(title: "Weights from elsewhere") var weightsOptions: WeightsFlags
  @OptionGroup(title: "Machine") var deviceOptions: DeviceFlags
  @OptionGroup(title: "Output") var outputOptions: OutputFlags

  func validate() throws { _ = try target() }

  private func target() throws -> ConversionTarget {
    let style: HubFolder.Style? = try choice("--hub-style", hubStyle)
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
    options.preprocessing = try choice("--preprocessing", preprocessing)
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
    if case .hub = target {
      if FileManager.default.fileExists(atPath: output) {
        throw OutputError(description: "\(output): there is something of that name; name another")
      }
      try OutputError.checkWritable(folder: output, option: "output")
    } else {
      try replacement.check(output, "output", inputs: [OpenedModel.file(at: input)])
    }
    let opened = try weightsOptions.open(input, on: terminal)
    var model = opened.model
    var changes = opened.remarks.map { $0.text(for: .commandLine) }
    func note(_ change: String) {
      changes.append(change)
      terminal.note(change)
    }
    if averageMean, case .perPixelMean = model.preparation.normalization {
      model = model.averagingMean()
      if case .channels(let average, _) = model.preparation.normalization {
        note("the mean of each pixel was replaced by its channel's average \(average)")
      }
    }
    let device = try deviceOptions.device(on: terminal)
    let difference = try device.convert(model, to: target, at: output)
    if case .perPixelMean = model.preparation.normalization {
      switch target {
      case .torch:
        note("a checkpoint holds no mean: subtract each pixel's, as before, from inputs")
      case .onnx(let options) where options.preprocessing == nil:
        note("a mean for each pixel: the first nodes subtract it from RGB of 0 to 255")
      case .model, .onnx, .hub: break
      }
    }
    if outputOptions.json {
      return try JSONDocument.print(
        Report(
          input: input, output: output, network: model.network.name, changes: changes))
    }
    print("\(output): \(model.network.name), \(model.network.classes) classes")
    print(
      difference == 0
        ? "both sides give the same logits to the bit"
        : "both sides give the same logits, up to a rounding error of \(difference) of the largest")
  }
}
