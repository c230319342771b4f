import ResidualDatasets
import ResidualNetworks

/// The choices of a recipe that a user has made: on the command line, in the environment or in a
/// file. What is `nil` is left to the next source, in the end to the paper.
///
/// A setting is a property here and its entry in ``settings``. Those of the network and of its weights
/// are properties, too: `options.model`, `options.shortcut`.
@dynamicMemberLookup
public struct RecipeOptions: Hashable, Sendable {
  /// A path, or ``builtInData``, which is also the default.
  public var data: String?
  /// The network, and how images are prepared for an initial checkpoint's.
  public var network = WeightsOptions()
  /// By default the network's own, see ``TrainingDefaults``.
  public var initialization: Initialization?
  /// By default 1.
  public var seed: UInt64?
  /// Images a step, from 1 to 1,000,000; by default 128, or all where there are fewer.
  public var batchSize: Int?
  /// Above 0, and not whole of necessity; in place of ``steps``.
  public var epochs: Double?
  /// By default the paper's 64,000, ``builtInSteps`` on the built-in set, or as many as
  /// ``Schedule/paperEpochs`` of fewer than ``Schedule/smallSet`` images.
  public var steps: Int?
  /// Above 0; by default the network's own, see ``TrainingDefaults``.
  public var learningRate: Float?
  /// Steps in rising order at which the rate is divided by ten; by default a half and three
  /// quarters of all steps.
  public var milestones: [Int]?
  /// 0 or more, below 1; by default 0.9.
  public var momentum: Float?
  /// 0 or more; by default 0.0001.
  public var weightDecay: Float?
  /// The rate to start with, 0 for no such start; by default a tenth of the learning rate for the
  /// paper's networks of 110 layers and more, with first values and on other than the built-in set.
  public var warmupRate: Float?
  /// The share of wrong samples below which the start ends; by default 0.8.
  public var warmupError: Float?
  /// The step at which the start ends at the latest; by default a 32nd of all steps.
  public var warmupLimit: Int?
  /// The steps in which the rate rises from 0, in place of such a start; by default a third of all steps
  /// on the built-in set, else 0.
  public var warmupSteps: Int?
  /// A factor above 0 of the learning rate, for the last layer; by default 1.
  public var classifierRateScale: Float?
  /// Above 0: the L2 norm of the gradient of all parameters is clipped to it; by default it is not.
  public var maximumGradientNorm: Float?
  /// What is done about numbers that are not finite; by default training ends.
  public var faultResponse: FaultResponse?
  /// Whether the norms of every layer are recorded after each step; by default not. Changes no result.
  public var watch: Bool?
  /// Whether training images are padded, cropped and mirrored at random; by default they are.
  public var augmentation: Bool?
  /// Training images that are set aside; by default none.
  public var validation: ImageCount?
  /// Which statistics of batch normalisation are kept after training; by default
  /// ``StatisticsPass/moving``.
  public var statisticsPass: StatisticsPass?
  /// By default ``RecomputationScope/nothing``; changes no result.
  public var recomputation: RecomputationScope?
  /// By default the machine's memory; changes no result.
  public var memoryLimit: MemorySize?
  /// When the run saves its state; changes no result.
  public var checkpoints = CheckpointOptions()
  /// The path of a model to begin with; by default parameters are drawn.
  public var initialCheckpoint: String?
  /// The number of classes that the data must have; by default any.
  public var classes: Int?
  /// Patterns of what training leaves as it is, see ``Network/freezing(_:)``; by default none.
  public var freeze: [String]?
  /// The layers of a network that has no name here; no file of choices has them. See
  /// ``Network/definition``.
  public var definition: String?

  /// Leaves every choice open.
  public init() {}

  /// An option of the network or of its weights.
  public subscript<Option>(dynamicMember path: WritableKeyPath<WeightsOptions, Option>) -> Option {
    get { network[keyPath: path] }
    set { network[keyPath: path] = newValue }
  }

  /// What stands for the built-in set where a path would stand.
  public static let builtInData = "built-in"
  static let defaultModel = "cifar-resnet20"
  /// Steps on the built-in set where nothing else is said: twelve epochs, enough for every depth up to 110
  /// layers.
  public static let builtInSteps = 1_872
  /// On the built-in set the rate rises during this part of all steps; see DIFFERENCES.md.
  public static let builtInRise = 3
  static let maximumSteps = 1_000_000_000

  // MARK: Settings

  /// Every setting, in the order of files. From this table follow reading and writing files, flags and
  /// the environment, range checks, comparisons, and the guide's table.
  public static let settings: [Setting<RecipeOptions>] =
    [
      Setting(
        .data, \.data, placeholder: "data", otherwise: "the built-in set",
        help: "A folder or archive: CIFAR-10's binary files, or train/<class>/ and test/<class>/ "
          + "images. Without it: ten things, drawn by the program.")
    ] + WeightsOptions.networkSettings.map { $0.within(\.network) } + [
      Setting(
        .initialization, \.initialization, otherwise: "fan-in",
        help: "First values of filters: He's by inputs or outputs, or normal with deviation 0.01."),
      Setting(
        .seed, \.seed, placeholder: "n", default: 1, help: "Everything random follows from it."),
      Setting(
        .batchSize, \.batchSize, .range(1...1_000_000), placeholder: "n",
        otherwise: "\(Schedule.paperBatch), or all where there are fewer", help: "Images a step."),
      Setting(
        .epochs, \.epochs, SettingRange("above 0, up to 1,000,000") { $0 > 0 && $0 <= 1e6 },
        placeholder: "n",
        help: "How long to train, in passes over the images; milestones move in proportion."),
      Setting(
        .steps, \.steps, .range(1...maximumSteps), placeholder: "n",
        otherwise: "the paper's \(Schedule.paperSteps); \(builtInSteps) on the built-in images; "
          + "\(Schedule.paperEpochs) epochs of fewer than \(Schedule.smallSet) images",
        help: "How long to train, in steps."),
      Setting(
        .learningRate, \.learningRate, .positive,
        otherwise: "0.1; 0.01 for VGG", help: "Learning rate."),
      Setting(
        .milestones, \.milestones,
        SettingRange("steps in rising order") { $0 == $0.sorted() && $0.allSatisfy { $0 >= 0 } },
        placeholder: "step", otherwise: "1/2 and 3/4 of the steps",
        help: "A step at which the rate is divided by ten; may be repeated."),
      Setting(.momentum, \.momentum, .share, default: 0.9, help: "Momentum."),
      Setting(
        .weightDecay, \.weightDecay, .nonnegative, default: 1e-4,
        help: "Weight decay of every parameter."),
      Setting(
        .warmupRate, \.warmupRate, .nonnegative,
        otherwise: "a tenth of --lr for the paper's networks of 110 layers and more on "
          + "CIFAR-10, else 0: no such start",
        help: "Start at this rate until the training error falls below 80 %."),
      Setting(
        .warmupError, \.warmupError, .share, otherwise: "0.8",
        help: "The training error that ends such a start."),
      Setting(
        .warmupLimit, \.warmupLimit, .range(1...Int.max), placeholder: "n",
        otherwise: "1/32 of all steps", help: "The last step at which it can end."),
      Setting(
        .warmupSteps, \.warmupSteps, .range(0...Int.max), placeholder: "n",
        otherwise: "1/\(builtInRise) of all steps on the built-in images, else 0",
        help:
          "Let the rate rise from 0 to its full height in so many steps, in place of that start."),
      Setting(
        .classifierRateScale, \.classifierRateScale, .positive, default: 1,
        help: "A factor of the rate for the last layer."),
      Setting(
        .maximumGradientNorm, \.maximumGradientNorm, .positive,
        help:
          "Clip the norm of the whole gradient to this; every update then waits for all gradients."),
      Setting(
        .faultResponse, \.faultResponse, default: .stop,
        help:
          "What to do about numbers that are not finite: end the run, skip the update, or roll back "
          + "to the last checkpoint and leave out the batch."),
      Setting(
        .watch, \.watch, default: false,
        help: "Record the norms of each layer's gradient, weights and update after every step."),
      Setting(
        .augmentation, \.augmentation, default: true,
        help: "Pad, crop and mirror training images at random."),
      Setting(
        .validation, \.validation, SettingRange("0 or more, or 0% to below 100%", \.isPossible),
        placeholder: "n|share", default: 0,
        help:
          "Training images to set aside for choosing the best weights: a number, or a share such "
          + "as 10%."),
      Setting(
        .statisticsPass, \.statisticsPass, default: .moving,
        help:
          "Batch normalisation's statistics after training: moving averages, or computed exactly "
          + "from the training images, plain as in tests or augmented as in training."),
      Setting(
        .recomputation, \.recomputation, otherwise: "none",
        help: "What a step computes twice to save memory."),
      Setting(
        .memoryLimit, \.memoryLimit, placeholder: "size", otherwise: "the machine's memory",
        help: "Refuse to start if a step needs more memory than this, such as 6GiB or 500MB."),
      Setting(
        .initialCheckpoint, \.initialCheckpoint, placeholder: "file",
        help: "Start from the network and parameters of this file, a model of this program or "
          + "weights from elsewhere. If the number of classes differs, the classifier is replaced."),
      Setting(
        .classes, \.classes, .range(1...1_000_000), placeholder: "n", otherwise: "the data's",
        help: "The number of classes, which must be that of the data."),
      Setting(
        .freeze, \.freeze, placeholder: "a,b,…",
        help: "Do not train these parameters: paths or their beginnings, such as "
          + "conv1,bn1,layer1 or layer2.*.bn1, or \(Network.allButHead). Frozen batch normalisation "
          + "uses its running statistics."),
    ] + WeightsOptions.preparationSettings.map { $0.within(\.network) }
    + CheckpointOptions.settings.map { $0.within(\.checkpoints) }

  /// The settings that change no result: a run may be resumed with others.
  package static let freeSettings: Set<OptionName> = Set(
    [.data, .recomputation, .memoryLimit, .watch] + CheckpointOptions.settings.map(\.option))

  /// The settings that say how long to train, and when: they come from one source together.
  private static let lengthSettings: Set<OptionName> = [
    .epochs, .steps, .milestones, .warmupLimit, .warmupSteps,
  ]

  /// These choices, and for what is left open those of another source.
  public func filled(from other: RecipeOptions) -> RecipeOptions {
    let hasLength = epochs != nil || steps != nil
    var filled = Self.settings
      .filter { !hasLength || !Self.lengthSettings.contains($0.option) }
      .filling(self, from: other)
    filled.definition = definition ?? other.definition
    return filled
  }

  /// Where the data are; `nil` for the built-in set.
  public var dataPath: String? { data == Self.builtInData ? nil : data }
}

/// A size of memory as people write it: `6GiB`, `500MB`, or a number of bytes.
public struct MemorySize: SettingValue {
  /// At least 1.
  public let byteCount: Int
  /// - Parameter byteCount: at least 1.
  public init(byteCount: Int) { self.byteCount = byteCount }
  public static var kind: String { "a size such as 6GiB, 500MB or a number of bytes" }
  public init?(_ text: SettingText) {
    guard let byteCount = text.single.flatMap(ByteSize.bytes) else { return nil }
    self.byteCount = byteCount
  }
  public var text: SettingText { .word(String(byteCount)) }
}

extension Initialization: SettingValue {}
extension RecomputationScope: SettingValue {}

/// Settings of ``RecipeOptions``.
extension OptionName {
  package static let data = OptionName("data", key: "data", flag: "the argument for data")
  package static let initialization = OptionName("initialization", key: "init")
  package static let seed = OptionName("seed", key: "seed")
  package static let batchSize = OptionName("batchSize", key: "batch_size")
  package static let epochs = OptionName("epochs", key: "epochs")
  package static let steps = OptionName("steps", key: "steps")
  package static let learningRate = OptionName("learningRate", key: "lr")
  package static let milestones = OptionName("milestones", key: "milestones", flag: "--milestone")
  package static let momentum = OptionName("momentum", key: "momentum")
  package static let weightDecay = OptionName("weightDecay", key: "weight_decay")
  package static let warmupRate = OptionName("warmupRate", key: "warmup_lr")
  package static let warmupError = OptionName("warmupError", key: "warmup_error")
  package static let warmupLimit = OptionName("warmupLimit", key: "warmup_limit")
  package static let warmupSteps = OptionName("warmupSteps", key: "warmup_steps")
  package static let classifierRateScale = OptionName(
    "classifierRateScale", key: "classifier_lr_scale")
  package static let maximumGradientNorm = OptionName("maximumGradientNorm", key: "clip_grad")
  package static let faultResponse = OptionName("faultResponse", key: "on_nan")
  package static let watch = OptionName("watch", key: "watch")
  package static let augmentation = OptionName("augmentation", key: "augmentation")
  package static let validation = OptionName("validation", key: "validation")
  package static let statisticsPass = OptionName(
    "statisticsPass", key: "bn_statistics", formerKey: "exact_bn")
  package static let recomputation = OptionName("recomputation", key: "recompute")
  package static let memoryLimit = OptionName("memoryLimit", key: "memory_limit")
  package static let initialCheckpoint = OptionName("initialCheckpoint", key: "initial_checkpoint")
  package static let classes = OptionName("classes", key: "num_classes")
  package static let freeze = OptionName("freeze", key: "freeze")
}
