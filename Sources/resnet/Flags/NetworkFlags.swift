import ArgumentParser
import ResidualRuns

/// How a network is varied.
struct NetworkFlags: ParsableArguments {
  @Option(.shortcut) var shortcut
  @Option(.shortcutPadding) var shortcutPadding
  @Option(.stridePlacement) var stridePlacement
  @Option(.gateBias) var gateBias
  @Option(.inceptionBranch) var inceptionBranch
  @Option(.inputSide, also: .customLong("image-size")) var imageSize

  var given: [GivenSetting?] {
    [shortcut, shortcutPadding, stridePlacement, gateBias, inceptionBranch, imageSize]
  }

  func validate() throws { _ = try options() }

  private func options() throws -> WeightsOptions {
    var options = WeightsOptions()
    try WeightsOptions.networkSettings.read(given, into: &options)
    return options
  }

  /// The network, for commands that need no recipe.
  func network(named name: String) throws -> Network {
    var options = RecipeOptions()
    options.network = try self.options()
    options.model = name
    // Any number of steps and images: only the network is of interest.
    return try options.resolved(trainingCount: nil).network(classes: nil)
  }

  /// The network of a file of weights, with what the file leaves open.
  func network(at path: String) throws -> Network {
    try OpenedModel(at: path, options()).model.network
  }
}
