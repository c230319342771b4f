import ArgumentParser
import ResidualTraining

/// What weights from elsewhere do not say of themselves.
struct WeightsFlags: ParsableArguments {
  @Option(
    name: .customLong("model"),
    help: ArgumentHelp(
      "The network, where its tensors do not tell it: see 'resnet networks'.", valueName: "name"))
  var network: String?
  @Option(
    help: ArgumentHelp("Where option A's zero channels stand.", valueName: "end|both"))
  var shortcutPadding: String?
  @Option(
    name: .customLong("stride-on"),
    help: ArgumentHelp("Which convolution of a bottleneck has the stride.", valueName: "1x1|3x3"))
  var stridePlacement: String?
  @Option(
    name: [.customLong("img-size"), .customLong("image-size")], parsing: .unconditional,
    help: ArgumentHelp("The side of the images in pixels.", valueName: "n"))
  var imageSize: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The mean that is subtracted from each channel (default: torchvision's).",
      valueName: "a,b,c"))
  var mean: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The deviation that each channel is divided by (default: torchvision's).",
      valueName: "a,b,c"))
  var std: String?
  @Option(
    help: ArgumentHelp("The order of the network's channels.", valueName: "RGB|BGR"))
  var channelOrder: String?
  @Option(
    help: ArgumentHelp(
      "The network's inputs before the mean is subtracted.", valueName: "0-1|0-255"))
  var inputRange: String?

  /// Opens a model, and tells what was recognised and assumed.
  func open(_ path: String, on terminal: Terminal) throws -> OpenedModel {
    let opened = try OpenedModel(at: path, options())
    for remark in opened.remarks { terminal.note("\(path): \(remark)") }
    return opened
  }

  func validate() throws { _ = try options() }

  private func options() throws -> WeightsOptions {
    var options = WeightsOptions()
    options.model = network
    options.shortcutPadding = try choice("--shortcut-padding", shortcutPadding)
    options.stridePlacement = try choice("--stride-on", stridePlacement)
    options.inputSide = imageSize
    if let imageSize, !Network.inputSides.contains(imageSize) {
      throw UsageError("--img-size \(imageSize) is out of range: \(Network.inputSides)")
    }
    options.mean = try three("--mean", mean) { $0.isFinite }
    options.std = try three("--std", std) { $0.isFinite && $0 > 0 }
    options.channelOrder = try choice("--channel-order", channelOrder?.uppercased())
    options.inputRange = try choice("--input-range", inputRange)
    return options
  }

  private func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ flag: String, _ text: String?
  ) throws -> Choice? {
    guard let text else { return nil }
    guard let value = Choice(rawValue: text) else {
      let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw UsageError("\(flag) '\(text)' is not one of \(choices)")
    }
    return value
  }

  private func three(_ flag: String, _ text: String?, _ isAllowed: (Float) -> Bool) throws
    -> [Float]?
  {
    guard let text else { return nil }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
    let values = numbers.compactMap { $0 }.filter(isAllowed)
    guard numbers.count == 3, values.count == 3 else {
      throw UsageError("\(flag) '\(text)' must be three numbers, such as 0.485,0.456,0.406")
    }
    return values
  }
}
