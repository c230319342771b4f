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
    help: ArgumentHelp(
      "The names of the classes, one a line in the order of the logits.", valueName: "file"))
  var classNames: String?
  @OptionGroup var preparation: PreparationFlags

  /// Opens a model, and tells what was recognised and assumed.
  func open(_ path: String, on terminal: Terminal) throws -> OpenedModel {
    var opened = try OpenedModel(at: path, options())
    if let classNames { opened = try opened.naming(classesBy: classNames) }
    for remark in opened.remarks { terminal.note("\(path): \(remark)".onOneLine) }
    return opened
  }

  func validate() throws { _ = try options() }

  private func options() throws -> WeightsOptions {
    var options = try preparation.options()
    options.model = network
    options.shortcutPadding = try choice("--shortcut-padding", shortcutPadding)
    options.stridePlacement = try choice("--stride-on", stridePlacement)
    options.inputSide = imageSize
    if let imageSize, !Network.inputSides.contains(imageSize) {
      throw UsageError("--img-size \(imageSize) is out of range: \(Network.inputSides)")
    }
    return options
  }
}
