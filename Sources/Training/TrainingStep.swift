import ResidualNetworks

extension Network {
  /// One step of training as a graph: forward, loss, backward and update.
  ///
  /// Inputs: `images` `[N, H, W, 3]`, `labels` `[N]` (int32), `weights` `[N]`, `learningRate` and
  /// `momentum` (scalars), and with dropout `dropoutKey` `[2]` (int32). Outputs: `loss`, `correct`.
  ///
  /// - Parameters:
  ///   - weightDecay: λ of the update.
  ///   - classifierRateScale: a factor of the learning rate for the last layer.
  ///   - lossScaling: whether gradients are scaled against vanishing, see ``LossScaling`` and
  ///     ``Device/needsLossScaling``.
  package func trainingStep(
    weightDecay: Float, initialization: Initialization = .fanIn, classifierRateScale: Float = 1,
    lossScaling: Bool = false
  ) -> Graph {
    var graph = graph(.training, initialization: initialization)
    let loss = graph.appendLoss(countsFive: false)
    let parameters = graph.slots.filter(\.trainable).map(\.name)
    let scaling = lossScaling ? LossScaling() : nil
    let seed = scaling.map { graph.scale(of: $0) }
    let gradients = graph.differentiate(loss, withRespectTo: parameters, seed: seed)
    let head = Set(classifierParameters)
    graph.updateByMomentumSGD(
      gradients: gradients, weightDecay: weightDecay, lossScaling: scaling
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
    let planned = try TrainingPlan(
      feed.graph(
        network.trainingStep(
          weightDecay: recipe.weightDecay, initialization: recipe.initialization,
          classifierRateScale: recipe.classifierRateScale,
          lossScaling: device.needsLossScaling)),
      inputs: feed.shapes(network, batch: recipe.batchSize), device: device,
      recomputation: recipe.options.recomputation,
      memoryLimit: recipe.options.memoryLimit?.byteCount)
    (memory, recomputation) = (planned.memory, planned.recomputation)
    try session.store.initialize(network.slots, seed: recipe.seed, from: initial)
    loaded = try session.load(planned.plan, seed: recipe.seed)
    feed.begin(loaded)
    dropsOut = planned.plan.inputs[StepTensor.dropoutKey] != nil
    (self.feed, self.recipe) = (feed, recipe)
  }

  /// One step on samples of an epoch's order. Allocates nothing.
  ///
  /// - Parameters:
  ///   - order: of the samples in the epoch; the batch begins at `start`.
  ///   - step: the number of the step, from 0.
  /// - Returns: the mean cross-entropy of the batch in nats, and its share of wrong samples.
  func run(order: [Int], from start: Int, epoch: Int, step: Int, rate: Float) -> (
    loss: Float, error: Float
  ) {
    let batch = recipe.batchSize
    let augmentation = recipe.augmentation
    feed.write(count: batch, batch: batch, into: loaded) {
      order[start + $0]
    } window: {
      augmentation.draw(
        Augmentation.key(seed: recipe.seed, epoch: epoch, sample: order[start + $0]))
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
    return (
      loaded.scalar(StepTensor.loss), 1 - loaded.scalar(StepTensor.correct) / Float(batch)
    )
  }
}
