import ArgumentParser
import ResidualRuns

// The flags of a recipe in the groups that help shows them in.

/// The network that is trained.
struct TrainedNetworkFlags: ParsableArguments {
  @Option(.model) var model
  @OptionGroup var network: NetworkFlags
  @Option(.initialization) var initialization
  @Option(.statisticsPass) var statisticsPass

  var given: [GivenSetting?] { [model, initialization, statisticsPass] + network.given }
}

/// How long and how fast it learns.
struct ScheduleFlags: ParsableArguments {
  @Option(.epochs) var epochs
  @Option(.steps) var steps
  @Option(.learningRate) var learningRate
  @Option(
    name: .setting(.milestones), parsing: .unconditionalSingleValue, help: .setting(.milestones))
  var milestones: [String] = []
  @Option(.momentum) var momentum
  @Option(.weightDecay) var weightDecay
  @Option(.warmupRate) var warmupRate
  @Option(.warmupError) var warmupError
  @Option(.warmupLimit) var warmupLimit
  @Option(.warmupSteps) var warmupSteps
  @Option(.classifierRateScale) var classifierRateScale

  var given: [GivenSetting?] {
    [
      epochs, steps, learningRate,
      milestones.isEmpty
        ? nil : GivenSetting(option: .milestones, text: .list(milestones.map(SettingText.word))),
      momentum, weightDecay, warmupRate, warmupError, warmupLimit, warmupSteps,
      classifierRateScale,
    ]
  }
}

/// Numbers that grow too large, or are none.
struct DivergenceFlags: ParsableArguments {
  @Option(.faultResponse) var faultResponse
  @Option(.maximumGradientNorm) var maximumGradientNorm
  @Flag(inversion: .prefixedNo, help: .setting(.watch)) var watch: Bool?

  var given: [GivenSetting?] {
    [
      faultResponse, maximumGradientNorm,
      watch.map { GivenSetting(option: .watch, text: $0.text) },
    ]
  }
}

/// The images that it learns from.
struct ImageFlags: ParsableArguments {
  @Option(.batchSize, also: .customShort("b")) var batchSize
  @Flag(inversion: .prefixedNo, help: .setting(.augmentation)) var augmentation: Bool?
  @Option(.validation) var validation

  var given: [GivenSetting?] {
    [
      batchSize, augmentation.map { GivenSetting(option: .augmentation, text: $0.text) },
      validation,
    ]
  }
}

/// What tells one run from another of the same recipe.
struct RepetitionFlags: ParsableArguments {
  @Option(
    name: .shortAndLong, help: ArgumentHelp("A recipe as YAML.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var config: String?
  @Option(.seed) var seed
}

/// When the state is saved.
struct CheckpointFlags: ParsableArguments {
  @Option(.checkpointSteps) var checkpointSteps
  @Option(.checkpointMinutes) var checkpointMinutes
  @Option(.keepCheckpoints) var keepCheckpoints
  @Option(.ladder) var ladder
  @Option(.onSaveError) var onSaveError

  var given: [GivenSetting?] {
    [checkpointSteps, checkpointMinutes, keepCheckpoints, ladder, onSaveError]
  }
}

/// How training begins with an existing model.
struct FineTuningFlags: ParsableArguments {
  @Option(.initialCheckpoint) var initialCheckpoint
  @Option(.classes) var classes
  @Option(.freeze) var freeze
  @OptionGroup var preparation: PreparationFlags

  var given: [GivenSetting?] { [initialCheckpoint, classes, freeze] + preparation.given }
}
