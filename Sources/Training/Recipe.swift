@_exported import ResidualDatasets
@_exported import ResidualExecution
@_exported import ResidualFormats
@_exported import ResidualImages
@_exported import ResidualInterchange
import ResidualNetworks

/// Everything that decides the outcome of a training run, as one value, saved as it is.
///
/// The same recipe, data, version and instruction set give the same weights to the bit.
public struct Recipe: Hashable, Sendable {
  /// Where the data are; `nil` for the built-in set.
  public var data: String?
  /// The network's canonical name.
  public var model: String
  /// For residual networks.
  public var shortcut: Shortcut?
  /// For networks with bottlenecks.
  public var stridePlacement: StridePlacement?
  /// For Highway networks.
  public var gateBias: Float?
  /// For GoogLeNet.
  public var inceptionBranch: InceptionBranch?
  /// The side of the images in pixels.
  public var inputSide: Int
  /// How filters are drawn.
  public var initialization: Initialization
  /// Decides the first parameters, the order of the images, their augmentation, and which of them
  /// are set aside for validation.
  public var seed: UInt64
  /// Images a step.
  public var batchSize: Int
  /// m of ``Graph/updateByMomentumSGD(gradients:weightDecay:lossScaling:rateScale:)``; 0.9 in
  /// the paper.
  public var momentum: Float
  /// λ of the update; 0.0001 in the paper.
  public var weightDecay: Float
  /// The number of steps, and the learning rate at each.
  public var schedule: Schedule
  /// A factor of the learning rate for the last layer.
  public var classifierRateScale: Float
  /// Whether training images are padded, cropped and mirrored at random.
  public var augments: Bool
  /// Training images that are set aside to choose the best weights on.
  public var validationCount: Int
  /// Whether batch normalisation's statistics are computed exactly after training.
  public var usesExactStatistics: Bool
  /// What a step computes again to save memory, if not the standard; no bit of a result depends on
  /// it.
  public var recomputation: RecomputationScope?
  /// The bytes of memory that a step may take.
  public var memoryLimit: Int?
  /// The model that training begins with, in place of drawn parameters.
  public var initial: InitialCheckpoint?
  /// The number of classes that the data must have; `nil` for any.
  public var classes: Int?
  /// What training leaves as it is, see ``Network/freezing(_:)``.
  public var freeze: [String]
  /// The layers of a network that has no name here, as files keep them; see ``Network/definition``.
  /// The initial model brings them, or that of the run.
  public var definition: String?

  /// A file to begin with.
  public struct InitialCheckpoint: Hashable, Sendable {
    /// Of a model of this program, or of weights from elsewhere.
    public var path: String
    /// How images are prepared for the network, as far as it was said.
    public var preparation: WeightsOptions
  }

  /// The network that the recipe trains.
  ///
  /// - Parameter classes: those of the data; `nil` for as many as the recipe or the network says.
  /// - Throws: ``RecipeError``.
  public func network(classes: Int?) throws(RecipeError) -> Network {
    if let asked = self.classes, let classes, asked != classes {
      throw .classes(asked: asked, found: classes)
    }
    let classes = classes ?? self.classes
    let network: Network
    if let definition {
      network = try Self.network(definition: definition, classes: classes)
    } else {
      do {
        network = try NetworkCatalog.network(
          named: model, shortcut: shortcut, stridePlacement: stridePlacement, gateBias: gateBias,
          inceptionBranch: inceptionBranch, inputSide: inputSide, classes: classes)
      } catch { throw .network(error) }
    }
    do { return try network.freezing(freeze) } catch { throw .freezing(error) }
  }

  /// A network that has no name here.
  static func network(definition: String, classes: Int?) throws(RecipeError) -> Network {
    do { return try Network(definition: definition, classes: classes) } catch {
      throw .layers(reason: error.description)
    }
  }
}

/// The choices of a recipe that a user has made: on the command line, in the environment or in a
/// file. What is `nil` is left to the next source, in the end to the paper.
public struct RecipeOptions: Hashable, Sendable, Codable {
  /// A path, or ``builtInData``, which is also the default.
  public var data: String?
  /// A name that ``NetworkCatalog`` knows; by default `cifar-resnet20`.
  public var model: String?
  /// `A`, `B` or `C`; by default that of the network's family.
  public var shortcut: String?
  /// `end` or `both`, for option A; by default `end`.
  public var shortcutPadding: String?
  /// `1x1` or `3x3`, for networks with bottlenecks; by default `3x3`.
  public var stridePlacement: String?
  /// Any number, for Highway networks; by default ``NetworkCatalog/standardGateBias``.
  public var gateBias: Float?
  /// `5x5` or `3x3`, for GoogLeNet; by default `5x5`.
  public var inceptionBranch: String?
  /// Pixels, within ``Network/inputSides``; by default those of the network's family.
  public var imageSize: Int?
  /// `fan-in`, the default, or `fan-out`.
  public var initialization: String?
  /// By default 1.
  public var seed: UInt64?
  /// Images a step, from 1 to 1,000,000; by default 128.
  public var batchSize: Int?
  /// Above 0, and not whole of necessity; in place of ``steps``.
  public var epochs: Double?
  /// By default the paper's 64,000, or ``builtInSteps`` on the built-in set.
  public var steps: Int?
  /// Above 0; by default 0.1.
  public var learningRate: Float?
  /// Steps in rising order at which the rate is divided by ten; by default a half and three
  /// quarters of all steps.
  public var milestones: [Int]?
  /// 0 or more, below 1; by default 0.9.
  public var momentum: Float?
  /// 0 or more; by default 0.0001.
  public var weightDecay: Float?
  /// The rate to start with, 0 for no such start; by default a tenth of the learning rate from 110
  /// layers on, else 0.
  public var warmupRate: Float?
  /// The share of wrong samples below which the start ends; by default 0.8.
  public var warmupError: Float?
  /// The step at which the start ends at the latest; by default a 32nd of all steps.
  public var warmupLimit: Int?
  /// A factor above 0 of the learning rate, for the last layer; by default 1.
  public var classifierRateScale: Float?
  /// Whether training images are padded, cropped and mirrored at random; by default they are.
  public var augmentation: Bool?
  /// Training images that are set aside; by default 0.
  public var validation: Int?
  /// Whether normalisation's statistics are computed exactly after training; by default they are.
  public var exactStatistics: Bool?
  /// The raw value of a ``RecomputationScope``; by default `nothing`.
  public var recomputation: String?
  /// A size such as `6GiB`; by default the machine's memory.
  public var memoryLimit: String?
  /// The path of a model to begin with; by default parameters are drawn.
  public var initialCheckpoint: String?
  /// The number of classes that the data must have; by default any.
  public var classes: Int?
  /// Patterns of what training leaves as it is, see ``Network/freezing(_:)``; by default none.
  public var freeze: [String]?
  /// Three numbers each, in the initial model's order and range; see ``WeightsOptions``.
  public var mean: [Float]?, std: [Float]?
  /// `RGB` or `BGR`; by default `RGB`.
  public var channelOrder: String?
  /// `0-1` or `0-255`; by default `0-1`.
  public var inputRange: String?

  /// The layers of a network that has no name here; no file of choices has them. See
  /// ``Recipe/definition``.
  public var definition: String?

  /// The names in files; flags and variables of the environment derive theirs from these.
  public enum CodingKeys: String, CodingKey, CaseIterable {
    case data, model, shortcut
    case shortcutPadding = "shortcut_padding"
    case stridePlacement = "stride_on"
    case gateBias = "gate_bias"
    case inceptionBranch = "inception_branch"
    case imageSize = "img_size"
    case initialization = "init"
    case seed
    case batchSize = "batch_size"
    case epochs, steps
    case learningRate = "lr"
    case milestones, momentum
    case weightDecay = "weight_decay"
    case warmupRate = "warmup_lr"
    case warmupError = "warmup_error"
    case warmupLimit = "warmup_limit"
    case classifierRateScale = "classifier_lr_scale"
    case augmentation, validation
    case exactStatistics = "exact_bn"
    case recomputation = "recompute"
    case memoryLimit = "memory_limit"
    case initialCheckpoint = "initial_checkpoint"
    case classes = "num_classes"
    case freeze, mean, std
    case channelOrder = "channel_order"
    case inputRange = "input_range"
  }

  /// Leaves every choice open.
  public init() {}

  /// What stands for the built-in set where a path would stand.
  public static let builtInData = "built-in"

  /// These choices, and for what is left open those of another source.
  public func filled(from other: RecipeOptions) -> RecipeOptions {
    var result = self
    func fill<Choice>(_ path: WritableKeyPath<RecipeOptions, Choice?>) {
      if result[keyPath: path] == nil { result[keyPath: path] = other[keyPath: path] }
    }
    fill(\.data)
    fill(\.model)
    fill(\.shortcut)
    fill(\.shortcutPadding)
    fill(\.stridePlacement)
    fill(\.gateBias)
    fill(\.inceptionBranch)
    fill(\.imageSize)
    fill(\.initialization)
    fill(\.seed)
    fill(\.batchSize)
    // Epochs and steps say the same thing, so they come from one source.
    if epochs == nil && steps == nil {
      fill(\.epochs)
      fill(\.steps)
      fill(\.milestones)
      fill(\.warmupLimit)
    }
    fill(\.learningRate)
    fill(\.momentum)
    fill(\.weightDecay)
    fill(\.warmupRate)
    fill(\.warmupError)
    fill(\.classifierRateScale)
    fill(\.augmentation)
    fill(\.validation)
    fill(\.exactStatistics)
    fill(\.recomputation)
    fill(\.memoryLimit)
    fill(\.initialCheckpoint)
    fill(\.classes)
    fill(\.freeze)
    fill(\.mean)
    fill(\.std)
    fill(\.channelOrder)
    fill(\.inputRange)
    fill(\.definition)
    return result
  }

  /// The choices that a recipe amounts to: nothing is left open, except what changes no result.
  public init(_ recipe: Recipe) {
    data = recipe.data ?? Self.builtInData
    // A network that has no name comes from the initial model again.
    model = recipe.definition == nil ? recipe.model : nil
    shortcut = recipe.shortcut?.option
    if case .padding(let padding) = recipe.shortcut { shortcutPadding = padding.rawValue }
    stridePlacement = recipe.stridePlacement?.rawValue
    gateBias = recipe.gateBias
    inceptionBranch = recipe.inceptionBranch?.rawValue
    imageSize = recipe.inputSide
    initialization = recipe.initialization.rawValue
    seed = recipe.seed
    batchSize = recipe.batchSize
    steps = recipe.schedule.steps
    learningRate = recipe.schedule.rate
    milestones = recipe.schedule.milestones
    momentum = recipe.momentum
    weightDecay = recipe.weightDecay
    warmupRate = recipe.schedule.warmup?.rate ?? 0
    if let warmup = recipe.schedule.warmup {
      warmupError = warmup.error
      warmupLimit = warmup.limit
    }
    classifierRateScale = recipe.classifierRateScale
    augmentation = recipe.augments
    validation = recipe.validationCount
    exactStatistics = recipe.usesExactStatistics
    recomputation = recipe.recomputation?.rawValue
    memoryLimit = recipe.memoryLimit?.description
    initialCheckpoint = recipe.initial?.path
    classes = recipe.classes
    freeze = recipe.freeze.isEmpty ? nil : recipe.freeze
    mean = recipe.initial?.preparation.mean
    std = recipe.initial?.preparation.std
    channelOrder = recipe.initial?.preparation.channelOrder?.rawValue
    inputRange = recipe.initial?.preparation.inputRange?.rawValue
    definition = recipe.definition
  }
}
