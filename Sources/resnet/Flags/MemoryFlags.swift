import ArgumentParser
import ResidualRuns

/// How much memory a step of training may take, and what it may repeat to take less.
struct MemoryFlags: ParsableArguments {
  @Flag(exclusivity: .exclusive) var recompute: RecomputationScope?
  @Option(.memoryLimit) var memoryLimit

  var given: [GivenSetting?] {
    [recompute.map { GivenSetting(option: .recomputation, text: $0.text) }, memoryLimit]
  }

  /// What a person reads before the first step.
  ///
  /// - Parameter memory: how much, in words.
  static func remark(_ memory: String, _ scope: RecomputationScope?) -> String {
    let repeated =
      switch scope {
      case nil: ""
      case .nothing: "; nothing is computed twice"
      case .activations: "; activations are computed twice"
      case .additions: "; activations and additions are computed twice"
      case .convolutions: "; convolutions are computed twice"
      }
    return "planned memory: \(memory)\(repeated)"
  }
}

extension RecomputationScope: EnumerableFlag {
  public static func name(for value: RecomputationScope) -> NameSpecification {
    switch value {
    case .nothing: .customLong("no-recompute")
    case .activations: .customLong("recompute-activations")
    case .additions: .customLong("recompute-additions")
    case .convolutions: .customLong("recompute")
    }
  }

  public static func help(for value: RecomputationScope) -> ArgumentHelp? {
    switch value {
    case .nothing: "Keep everything that the backward pass reads (default)."
    case .activations: "Keep convolutions and the outputs of blocks."
    case .additions: "Keep convolutions and the outputs of a few blocks."
    case .convolutions: "Keep the outputs of a few blocks: least memory, most time."
    }
  }
}
