import ArgumentParser
import ResidualRuns

/// What weights from elsewhere do not say of themselves.
struct WeightsFlags: ParsableArguments {
  @Option(
    name: .setting(.model), parsing: .unconditional,
    help: ArgumentHelp(
      "The network, if its tensors do not show it: see 'resnet networks'.", valueName: "name"),
    completion: .network)
  var network: String?
  @Option(.shortcutPadding) var shortcutPadding
  @Option(.stridePlacement) var stridePlacement
  @Option(.inputSide, also: .customLong("image-size")) var imageSize
  @Option(
    help: ArgumentHelp(
      "The names of the classes, one a line in the order of the logits.", valueName: "file"),
    completion: .file())
  var classNames: String?
  @OptionGroup var preparation: PreparationFlags

  /// Opens a model, and tells what was recognised and assumed.
  func open(_ path: String, on terminal: Terminal) throws -> OpenedModel {
    var opened = try OpenedModel(at: path, options())
    if let classNames { opened = try opened.naming(classesBy: classNames) }
    for remark in opened.remarks {
      terminal.note("\(path): \(remark.text(for: .commandLine))".onOneLine)
    }
    return opened
  }

  func validate() throws { _ = try options() }

  private func options() throws -> WeightsOptions {
    var options = WeightsOptions()
    try WeightsOptions.networkSettings.read(
      [
        network.map { GivenSetting(option: .model, text: .word($0)) }, shortcutPadding,
        stridePlacement, imageSize,
      ], into: &options)
    try WeightsOptions.preparationSettings.read(preparation.given, into: &options)
    return options
  }
}

/// How images are prepared for a network from elsewhere, which its weights do not say.
struct PreparationFlags: ParsableArguments {
  @Option(.view) var view
  @Option(.mean) var mean
  @Option(.std) var std
  @Option(.channelOrder) var channelOrder
  @Option(.inputRange) var inputRange

  var given: [GivenSetting?] { [view, mean, std, channelOrder, inputRange] }
}
