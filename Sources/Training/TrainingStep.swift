import ResidualNetworks

extension Network {
  /// One step of training as a graph: forward, loss, backward and update.
  ///
  /// Inputs: `images` `[N, H, W, 3]`, `labels` `[N]` (int32), `weights` `[N]`, `learningRate` and
  /// `momentum` (scalars), and with dropout `dropoutKey` `[2]` (int32). Outputs: `loss`, `correct`, and
  /// `squares`, see ``Graph/squaresOutput``.
  ///
  /// A loss that is not finite leaves parameters and velocities as they are.
  ///
  /// - Parameters:
  ///   - weightDecay: λ of the update.
  ///   - classifierRateScale: a factor of the learning rate for the last layer.
  ///   - lossScaling: whether gradients are scaled against vanishing, see ``LossScaling`` and
  ///     ``Device/needsLossScaling``.
  ///   - maximumNorm: of all gradients together, which are clipped to it.
  ///   - skipsFaults: whether loss or gradients that are not finite leave the state as it is.
  package func trainingStep(
    weightDecay: Float, initialization: Initialization = .fanIn, classifierRateScale: Float = 1,
    lossScaling: Bool = false, maximumNorm: Float? = nil, skipsFaults: Bool = false
  ) -> Graph {
    var graph = graph(.training, initialization: initialization)
    let loss = graph.appendLoss(countsFive: false)
    let parameters = graph.slots.filter(\.trainable).map(\.name)
    let scaling = lossScaling ? LossScaling() : nil
    let seed = scaling.map { graph.scale(of: $0) }
    let gradients = graph.differentiate(loss, withRespectTo: parameters, seed: seed)
    let head = Set(classifierParameters)
    graph.updateByMomentumSGD(
      of: loss, gradients: gradients, weightDecay: weightDecay, lossScaling: scaling,
      maximumNorm: maximumNorm, skipsFaults: skipsFaults
    ) { parameter in
      head.contains(parameter) ? classifierRateScale : 1
    }
    return graph.pruned()
  }
}

/// A step of training on a device: what it is given, and what it came to.
struct TrainingStep<D: Device> {
  /// The memory that a step takes; evaluations in batches of the same size need no more.
  let memory: PlannedMemory
  /// What a step repeats in its backward pass; no bit of a result depends on it.
  let recomputation: RecomputationScope
  /// Of the last step.
  private(set) var norms: StepNorms
  private let network: Network
  private let loaded: LoadedPlan<D>
  private let feed: any BatchFeed
  private let recipe: Recipe
  /// Whether a step asks for a key of dropout.
  private let dropsOut: Bool

  /// Plans and loads the step of a network by a recipe.
  ///
  /// - Throws: ``ShapeError``, ``MemoryLimitError``, ``AllocationError``.
  init(
    _ network: Network, by recipe: Recipe, on feed: any BatchFeed, in session: Session<D>,
    from initial: [String: Tensor<Float>]
  ) throws {
    let device = session.device
    let step = network.trainingStep(
      weightDecay: recipe.weightDecay, initialization: recipe.initialization,
      classifierRateScale: recipe.classifierRateScale, lossScaling: device.needsLossScaling,
      maximumNorm: recipe.maximumGradientNorm, skipsFaults: recipe.faultResponse == .skip)
    norms = StepNorms(step)
    let planned = try TrainingPlan(
      feed.graph(step), inputs: feed.shapes(network, batch: recipe.batchSize), device: device,
      recomputation: recipe.options.recomputation,
      memoryLimit: recipe.options.memoryLimit?.byteCount)
    (memory, recomputation) = (planned.memory, planned.recomputation)
    // Not `network.slots`, which have the default first values.
    let slots = network.graph(.training, initialization: recipe.initialization).slots
    try session.store.initialize(slots, seed: recipe.seed, from: initial)
    loaded = try session.load(planned.plan, seed: recipe.seed)
    feed.begin(loaded)
    dropsOut = planned.plan.inputs[StepTensor.dropoutKey] != nil
    (self.network, self.feed, self.recipe) = (network, feed, recipe)
  }

  /// Samples of an epoch's order.
  struct Batch {
    let order: [Int]
    /// The place in the order at which the batch begins.
    let start: Int
    let epoch: Int

    func index(_ position: Int) -> Int { order[start + position] }
  }

  private func window(_ batch: Batch, _ position: Int) -> SampleWindow {
    recipe.augmentation.draw(
      Augmentation.key(seed: recipe.seed, epoch: batch.epoch, sample: batch.index(position)))
  }

  /// One step. Allocates nothing.
  ///
  /// - Parameter step: the number of the step, from 0.
  /// - Returns: the mean cross-entropy of the batch in nats, and its share of wrong samples.
  mutating func run(_ batch: Batch, step: Int, rate: Float) -> (loss: Float, error: Float) {
    let size = recipe.batchSize
    feed.write(count: size, batch: size, into: loaded) {
      batch.index($0)
    } window: {
      window(batch, $0)
    }
    loaded.write(rate, to: StepTensor.learningRate)
    loaded.write(recipe.momentum, to: StepTensor.momentum)
    if dropsOut {
      let key = RandomKey(seed: recipe.seed).derived(.dropout).derived(step).bits
      loaded.withInput(StepTensor.dropoutKey, of: Int32.self) { halves in
        halves[0] = Int32(truncatingIfNeeded: key)
        halves[1] = Int32(truncatingIfNeeded: key >> 32)
      }
    }
    loaded.run()
    loaded.read(StepTensor.squares, into: &norms.squares)
    return (loaded.scalar(StepTensor.loss), 1 - loaded.scalar(StepTensor.correct) / Float(size))
  }

  /// What was the first not to be finite in the last step, which was on the batch; `nil` if all is.
  ///
  /// - Parameter loss: of the step.
  func fault(_ batch: Batch, loss: Float, in session: Session<D>) -> (
    quantity: Fault.Quantity, layer: String?, value: Float
  )? {
    guard loss.isFinite else {
      // Without memory for it, no more is known.
      let found = try? network.forwardFault(
        on: feed, batch: recipe.batchSize, in: session, index: batch.index,
        window: { window(batch, $0) })
      return (found?.quantity ?? .loss, found?.layer, loss)
    }
    if let (layer, value) = norms.fault(.weight) { return (.weight, layer, value) }
    if let (layer, value) = norms.fault(.gradient, last: true) { return (.gradient, layer, value) }
    if let (layer, value) = norms.fault(.update) { return (.update, layer, value) }
    return nil
  }
}
