import ArgumentParser
import Foundation
import ResidualRuns

/// The flags of a recipe, in the names that timm's users know.
struct RecipeFlags: ParsableArguments {
  @Argument(help: .setting(.data), completion: .setting(.data)) var data: String?
  @Option(help: ArgumentHelp("The same as the argument.", visibility: .hidden))
  var dataDir: String?
  @OptionGroup(title: "Network") var network: TrainedNetworkFlags
  @OptionGroup(title: "Length and rate") var schedule: ScheduleFlags
  @OptionGroup(title: "Divergence") var divergence: DivergenceFlags
  @OptionGroup(title: "Images") var images: ImageFlags
  @OptionGroup(title: "Memory") var memory: MemoryFlags
  @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointFlags
  @OptionGroup(title: "Fine-tuning") var fineTuning: FineTuningFlags
  @OptionGroup(title: "Run") var repetition: RepetitionFlags

  private var given: [GivenSetting?] {
    let own = [
      (data ?? dataDir).map { GivenSetting(option: .data, text: .word($0)) }, repetition.seed,
    ]
    return own + network.given + schedule.given + divergence.given + images.given + memory.given
      + checkpoints.given + fineTuning.given
  }

  func validate() throws { _ = try flags() }

  private func flags() throws -> RecipeOptions {
    var options = RecipeOptions()
    try RecipeOptions.settings.read(given, into: &options)
    return options
  }

  /// The choices of flags, environment and file, in this order of precedence.
  func options(environment: [String: String] = ProcessInfo.processInfo.environment) throws
    -> RecipeOptions
  {
    let file = try repetition.config.map(RecipeFile.read) ?? RecipeOptions()
    var options = try flags().filled(from: Self.environmentOptions(environment)).filled(from: file)
    // The recipe is kept, and must mean the same in whichever folder it is used again.
    if let path = options.dataPath { options.data = Self.absolute(path) }
    options.initialCheckpoint = options.initialCheckpoint.map(Self.absolute)
    return options
  }

  private static func absolute(_ path: String) -> String {
    path.isEmpty ? path : URL(fileURLWithPath: path).path
  }

  /// The choices that variables such as `RESNET_BATCH_SIZE` make.
  ///
  /// - Throws: ``UsageError``.
  static func environmentOptions(_ environment: [String: String]) throws -> RecipeOptions {
    var options = RecipeOptions()
    do {
      for setting in RecipeOptions.settings {
        guard let value = environment[setting.option.variable], !value.isEmpty else { continue }
        guard value.count <= 4096, !value.contains(where: \.isNewline) else {
          throw UsageError("\(setting.option.variable) is too long; give one short line")
        }
        try setting.set(.word(value), in: &options)
      }
      try options.validate()
    } catch let error as any Refusal {
      throw UsageError(error.message.text(for: .environment))
    }
    return options
  }
}
