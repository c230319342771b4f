@_exported import ResidualDatasets
@_exported import ResidualFormats
@_exported import ResidualInference
import ResidualNetworks

/// Everything that decides the outcome of a training run, as one value, saved as it is.
///
/// The same recipe, data, version and instruction set give the same weights to the bit.
public struct Recipe: Hashable, Sendable {
  /// Where the data are; `nil` for the built-in set.
  public var data: String?
  /// The network's canonical name.
  public var model: String
  /// The options by which networks of its name differ.
  public var variant: NetworkVariant
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
          named: model, variant: variant, inputSide: inputSide, classes: classes)
      } catch { throw .network(error) }
    }
    guard !freeze.isEmpty else { return network }
    do { return try network.freezing(freeze) } catch { throw .freezing(error) }
  }

  /// A network that has no name here.
  static func network(definition: String, classes: Int?) throws(RecipeError) -> Network {
    do { return try Network(definition: definition, classes: classes) } catch {
      throw .layers(reason: error.description)
    }
  }
}

extension RecipeOptions {
  /// The choices that a recipe amounts to: nothing is left open, except what changes no result.
  public init(_ recipe: Recipe) {
    data = recipe.data ?? Self.builtInData
    network = recipe.initial?.preparation ?? WeightsOptions()
    // A network that has no name comes from the initial model again.
    network.model = recipe.definition == nil ? recipe.model : nil
    network.variant = recipe.variant
    network.inputSide = recipe.inputSide
    initialization = recipe.initialization
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
    recomputation = recipe.recomputation
    memoryLimit = recipe.memoryLimit.map(MemorySize.init)
    initialCheckpoint = recipe.initial?.path
    classes = recipe.classes
    freeze = recipe.freeze.isEmpty ? nil : recipe.freeze
    definition = recipe.definition
  }
}
