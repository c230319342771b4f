import ArgumentParser
import Foundation
import ResidualTraining

/// The flags of a recipe, in the names that timm's users know.
struct RecipeArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A folder or archive: CIFAR-10's binary files, or train/<class>/ and test/<class>/ images. "
        + "Without it: ten things, drawn by the program.",
      valueName: "data"))
  var data: String?
  @Option(help: ArgumentHelp("The same as the argument.", visibility: .hidden))
  var dataDir: String?

  @Option(
    help: ArgumentHelp(
      "The network, such as resnet20, resnet50 or cifar-plain56.", valueName: "name"))
  var model: String?
  @OptionGroup var networkOptions: NetworkOptions
  @Option(
    name: .customLong("init"),
    help: ArgumentHelp("He initialisation by inputs or outputs.", valueName: "fan-in|fan-out"))
  var initialization: String?

  // Every number takes the next word, so that -1 is refused as what it is.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Everything random follows from it (default: 1).", valueName: "n"))
  var seed: UInt64?
  @Option(
    name: .shortAndLong, parsing: .unconditional,
    help: ArgumentHelp("Images a step (default: 128).", valueName: "n"))
  var batchSize: Int?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How long to train, in passes over the images; milestones move along.", valueName: "n"))
  var epochs: Double?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How long to train, in steps (default: the paper's \(Schedule.paperSteps); "
        + "\(RecipeOptions.builtInSteps) on the built-in images).",
      valueName: "n"))
  var steps: Int?
  @Option(
    name: .customLong("lr"), parsing: .unconditional,
    help: ArgumentHelp("Learning rate (default: 0.1).", valueName: "x"))
  var learningRate: Float?
  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A step at which the rate is divided by ten; may be repeated.", valueName: "step"))
  var milestone: [Int] = []
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Momentum (default: 0.9).", valueName: "x"))
  var momentum: Float?
  @Option(
    parsing: .unconditional, help: ArgumentHelp("Weight decay (default: 0.0001).", valueName: "x"))
  var weightDecay: Float?
  @Option(
    name: .customLong("warmup-lr"), parsing: .unconditional,
    help: ArgumentHelp(
      "Start at this rate until the training error falls below 80 % (default: a tenth of --lr from "
        + "110 layers on, else 0: no such start).", valueName: "x"))
  var warmupRate: Float?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The training error that ends such a start (default: 0.8).", valueName: "x"))
  var warmupError: Float?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The step at which it ends at the latest (default: 1/32 of all steps).", valueName: "n"))
  var warmupLimit: Int?
  @Option(
    name: .customLong("classifier-lr-scale"), parsing: .unconditional,
    help: ArgumentHelp("A factor of the rate for the last layer (default: 1).", valueName: "x"))
  var classifierRateScale: Float?
  @Flag(inversion: .prefixedNo, help: "Pad, crop and mirror training images at random.")
  var augmentation: Bool?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Training images to set aside for choosing the best weights.", valueName: "n"))
  var validation: Int?
  @Flag(
    name: .customLong("exact-bn"), inversion: .prefixedNo,
    help: "Compute batch normalisation's statistics exactly after training (default).")
  var exactStatistics: Bool?
  @OptionGroup(title: "Memory") var memory: MemoryOptions
  @OptionGroup(title: "Fine-tuning") var fineTuning: FineTuningFlags

  @Option(name: .shortAndLong, help: ArgumentHelp("A recipe as YAML.", valueName: "file"))
  var config: String?

  /// The choices of flags, environment and file, in this order of precedence.
  func options(environment: [String: String] = ProcessInfo.processInfo.environment) throws
    -> RecipeOptions
  {
    let file = try config.map(Config.read) ?? RecipeOptions()
    var options = try flags().filled(from: try Self.environmentOptions(environment)).filled(
      from: file)
    // The recipe is kept, and must mean the same in whichever folder it is used again.
    if let path = options.dataPath { options.data = URL(fileURLWithPath: path).path }
    options.initialCheckpoint = options.initialCheckpoint.map {
      $0.isEmpty ? $0 : URL(fileURLWithPath: $0).path
    }
    return options
  }

  private func flags() throws -> RecipeOptions {
    var flags = RecipeOptions()
    flags.data = data ?? dataDir
    flags.model = model
    networkOptions.set(in: &flags)
    flags.initialization = initialization
    flags.seed = seed
    flags.batchSize = batchSize
    flags.epochs = epochs
    flags.steps = steps
    flags.learningRate = learningRate
    flags.milestones = milestone.isEmpty ? nil : milestone
    flags.momentum = momentum
    flags.weightDecay = weightDecay
    flags.warmupRate = warmupRate
    flags.warmupError = warmupError
    flags.warmupLimit = warmupLimit
    flags.classifierRateScale = classifierRateScale
    flags.augmentation = augmentation
    flags.validation = validation
    flags.exactStatistics = exactStatistics
    memory.fill(&flags)
    try fineTuning.fill(&flags)
    return flags
  }

  /// The recipe of an interrupted run, whose data may have moved.
  ///
  /// - Throws: ``UsageError`` where a flag would change the recipe.
  func options(resuming folder: String) throws -> RecipeOptions {
    var flags = try flags()
    flags.data = nil
    // What a step keeps in memory changes no result.
    let (recompute, memoryLimit) = (flags.recomputation, flags.memoryLimit)
    (flags.recomputation, flags.memoryLimit) = (nil, nil)
    guard flags == RecipeOptions(), config == nil else {
      throw UsageError(
        "--resume goes on with the recipe in the run's folder; leave out the flags that change it")
    }
    var options = try Config.read(folder + "/" + RunFolder.configName)
    options.data = data ?? dataDir ?? options.data
    options.recomputation = recompute ?? options.recomputation
    options.memoryLimit = memoryLimit ?? options.memoryLimit
    return options
  }

  /// The choices that variables such as `RESNET_BATCH_SIZE` make.
  static func environmentOptions(_ environment: [String: String]) throws -> RecipeOptions {
    let lines = try RecipeOptions.CodingKeys.allCases.compactMap { key in
      try environment[key.variable].flatMap { $0.isEmpty ? nil : try line(key, $0) }
    }
    guard !lines.isEmpty else { return RecipeOptions() }
    do {
      let options = try Config.decode(lines.joined(separator: "\n"))
      try options.validate()
      return options
    } catch { throw UsageError("the environment (RESNET_…): \(Config.describe(error))") }
  }

  /// What a variable says, as a line of a file.
  private static func line(_ key: RecipeOptions.CodingKeys, _ value: String) throws -> String {
    guard value.count <= 4096, !value.contains(where: \.isNewline) else {
      throw UsageError("\(key.variable) is too long; give one short line")
    }
    func quoted(_ value: String) -> String {
      "'" + value.replacing("'", with: "''") + "'"
    }
    let text =
      switch key {
      case .data, .model, .shortcut, .shortcutPadding, .stridePlacement, .inceptionBranch,
        .initialization, .recomputation, .memoryLimit, .initialCheckpoint, .channelOrder,
        .inputRange:
        quoted(value)
      case .freeze:
        "[\(value.split(separator: ",").map { quoted(String($0)) }.joined(separator: ", "))]"
      case .milestones, .mean, .std: "[\(value.trimmingPrefix("[").prefix { $0 != "]" })]"
      default: value
      }
    let line = "\(key.rawValue): \(text)"
    do { _ = try Config.decode(line) } catch {
      throw UsageError("\(key.variable)='\(value.prefix(80))': \(Config.describe(error))")
    }
    return line
  }
}

extension RecipeOptions.CodingKeys {
  /// The flag of the same meaning.
  var flag: String {
    switch self {
    case .data: "the argument for data"
    case .milestones: "--milestone"
    default: "--" + rawValue.replacingOccurrences(of: "_", with: "-")
    }
  }
  /// The variable of the environment of the same meaning.
  var variable: String { "RESNET_" + rawValue.uppercased() }
}
