@_exported import ResidualDatasets
@_exported import ResidualFormats
@_exported import ResidualInference
import ResidualNetworks

/// Everything that decides the outcome of a training run, as one value, saved as it is: choices of which
/// none is open, made by ``RecipeOptions/resolved(on:)``.
///
/// The same recipe, data, version and instruction set give the same weights to the bit.
public struct Recipe: Hashable, Sendable {
  /// All that is chosen. Open is only what changes no result, or what stands for nothing.
  public let options: RecipeOptions
  /// The number of steps, and the learning rate at each.
  public let schedule: Schedule

  /// Decides the first parameters, the order of the images, their augmentation, and which of them
  /// are set aside for validation.
  public var seed: UInt64 { options[made: \.seed] }
  /// How filters are drawn.
  public var initialization: Initialization { options[made: \.initialization] }
  /// Images a step.
  public var batchSize: Int { options[made: \.batchSize] }
  /// m of the update; 0.9 in the paper.
  public var momentum: Float { options[made: \.momentum] }
  /// λ of the update; 0.0001 in the paper.
  public var weightDecay: Float { options[made: \.weightDecay] }
  /// A factor of the learning rate for the last layer.
  public var classifierRateScale: Float { options[made: \.classifierRateScale] }
  /// What the norm of the whole gradient is clipped to; `nil` if it is not.
  public var maximumGradientNorm: Float? { options.maximumGradientNorm }
  /// What is done about numbers that are not finite.
  public var faultResponse: FaultResponse { options[made: \.faultResponse] }
  /// Whether the norms of every layer are recorded after each step.
  public var watches: Bool { options[made: \.watch] }
  /// How training images are varied.
  public var augmentation: Augmentation { options[made: \.augmentation] ? .paper : .none }
  /// Training images that are set aside to choose the best weights on.
  public var validationCount: Int { options[made: \.validation].count(of: 0) }
  /// When the run saves its state.
  public var checkpoints: CheckpointOptions { options.checkpoints }
  /// Which statistics of batch normalisation are kept after training.
  public var statisticsPass: StatisticsPass { options[made: \.statisticsPass] }

  /// The network that the recipe trains.
  ///
  /// - Parameter classes: those of the data; `nil` for as many as the recipe or the network says.
  /// - Throws: ``RecipeError``.
  public func network(classes: Int?) throws(RecipeError) -> Network {
    if let asked = options.classes, let classes, asked != classes {
      throw .classes(asked: asked, found: classes)
    }
    let network = try options.network(classes: classes ?? options.classes)
    guard let freeze = options.freeze else { return network }
    do { return try network.freezing(freeze) } catch { throw .freezing(error) }
  }
}
