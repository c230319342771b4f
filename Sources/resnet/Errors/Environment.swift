import ResidualRuns

/// The variables of the environment that begin with `RESNET_`.
package enum Environment {
  /// Those that the program reads, but for settings; and those of its scripts and tests.
  private static let others = [
    "RESNET_THREADS", "RESNET_ISA", "RESNET_DEVICE", "RESNET_CUDA_LIBRARIES",
    "RESNET_ACCURACY_BATCH", "RESNET_ACCURACY_LAYER", "RESNET_MUTATIONS", "RESNET_ONNX_CAMPAIGN",
    "RESNET_PROGRAM", "RESNET_PYTHON", "RESNET_SHARED", "RESNET_TEST_DEVICES", "RESNET_TORCHVISION",
    "RESNET_UPDATE_GUIDES",
  ]
  /// All of them.
  package static let known = RecipeOptions.settings.map(\.option.variable) + others

  /// Refuses a variable that nothing reads, since it is meant to change something.
  static func check(_ environment: [String: String]) throws {
    let prefix = "RESNET_"
    let unknown = environment.keys.filter { $0.hasPrefix(prefix) && !known.contains($0) }.min()
    guard let unknown else { return }
    let nearest = Suggestion.nearest(
      to: String(unknown.dropFirst(prefix.count)),
      among: known.map { String($0.dropFirst(prefix.count)) })
    throw UsageError(
      "nothing reads the variable \(unknown); "
        + (nearest.map { "did you mean \(prefix)\($0)? " } ?? "") + "unset or rename it")
  }
}
