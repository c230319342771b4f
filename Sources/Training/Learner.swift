import ResidualNetworks

/// Trains a network by a recipe, step by step.
///
/// A learner's state between steps is its store and its ``Progress``, which a checkpoint keeps.
public final class Learner<D: Device> {
  /// With as many classes as the data have.
  public let network: Network
  /// What the learner was made from; never changed.
  public let recipe: Recipe
  /// The names of the data and of their classes, in the order of the logits.
  public let dataName: String, classNames: [String]
  /// What came from the initial model, if there was one.
  public let transfer: InitialModel.Transfer?
  /// Its store holds parameters, running statistics and the optimiser's state.
  public let session: Session<D>
  private let samples: LearningSamples
  private var trainingStep: TrainingStep<D>
  package let evaluator: Evaluator<D>
  private var order: EpochOrder
  /// How far training has come.
  public private(set) var progress: Progress
  /// How the statistics that the store holds came about.
  private var statistics = ModelFile.Statistics.moving

  /// Makes everything ready for the first step of training what choices ask for; what they leave open is
  /// the paper's, or the initial checkpoint's.
  ///
  /// - Parameters:
  ///   - data: decoded whole. Validation images are split off its training part where the choices ask
  ///     for some; else its own validation part is used, if it has one.
  ///   - initial: the model that the choices name, where it is open already; if a run is resumed, its
  ///     own.
  /// - Throws: ``RecipeError``, ``SettingError``, ``ModelFileError``, ``DatasetError``,
  ///   ``ImageError``, ``SampleError``, ``ShapeError``, ``MemoryLimitError``, ``AllocationError``, and
  ///   what `OpenedModel` throws.
  public convenience init(
    _ options: RecipeOptions, on data: Dataset, from initial: InitialModel? = nil, device: D
  ) throws {
    let initial = try initial ?? InitialModel(options)
    let recipe = try (initial?.filling(options) ?? options).resolved(on: data)
    try self.init(
      recipe.network(classes: data.classNames.count), by: recipe, on: data, from: initial,
      device: device)
  }

  /// Makes everything ready for the first step of training a network of the caller's own layers.
  ///
  /// A model file only names such a network; see ``ModelFile/init(at:network:)``.
  ///
  /// - Parameter recipe: what it says of the network is left aside.
  /// - Throws: as the first one.
  public init(
    _ network: Network, by recipe: Recipe, on data: Dataset, from initial: InitialModel? = nil,
    device: D
  ) throws {
    guard network.classes == data.classNames.count else {
      throw SampleError.classes(
        found: data.classNames.count, network: network.name, expected: network.classes)
    }
    (self.network, self.recipe) = (network, recipe)
    (dataName, classNames) = (data.name, data.classNames)
    transfer = try initial.map { try $0.transfer(to: network) }
    samples = try LearningSamples(
      of: data, for: network, by: recipe, initial?.model.preparation, on: device)
    session = Session(device: device, store: Store(for: device))
    trainingStep = try TrainingStep(
      network, by: recipe, on: samples.training, in: session, from: transfer?.loaded ?? [:])
    // In the arena of the step, which is there in any case: nothing is kept beside it.
    evaluator = try Evaluator(
      network, session: session, batchSize: device.evaluationBatch(for: recipe.batchSize),
      keepsDerived: false, usesHostImages: samples.usesHostImages)
    order = EpochOrder(count: samples.training.count, seed: recipe.seed)
    progress = Progress(recipe.schedule.warmup)
  }

  // MARK: What there is to learn from

  /// How images are prepared: the view and the mean of the training images, without those set aside for
  /// validation; or what the initial model is used to.
  public var preparation: Preparation { samples.preparation }
  /// What a user should know about the images, a line each.
  public var remarks: [String] { samples.remarks }
  /// Training images, without those set aside.
  public var trainingCount: Int { samples.training.count }
  /// Images set aside for validation; `nil` if there are none.
  public var validationCount: Int? { samples.validation?.count }
  /// `nil` if there are none.
  public var testCount: Int? { samples.test?.count }
  /// The part that epochs are evaluated on: the validation images if there are any, or else the test
  /// images.
  public var evaluatedPart: Dataset.Part? {
    samples.validation != nil ? .validation : samples.test != nil ? .test : nil
  }
  /// The memory that a step takes; evaluations in batches of the same size need no more.
  package var memory: PlannedMemory { trainingStep.memory }
  /// What a step repeats in its backward pass; no bit of a result depends on it.
  public var recomputation: RecomputationScope { trainingStep.recomputation }

  // MARK: The schedule

  /// The last partial batch of an epoch is dropped.
  public var stepsPerEpoch: Int { max(1, trainingCount / recipe.batchSize) }
  /// Epochs of the whole schedule, the last of which may be cut short.
  public var epochs: Int { (recipe.schedule.steps + stepsPerEpoch - 1) / stepsPerEpoch }
  /// Whether all epochs are done and reported.
  public var isFinished: Bool { progress.epoch >= epochs }
  /// Whether all steps of the current epoch are done, so that it lacks only its report.
  public var epochIsOver: Bool { progress.step >= step(endingEpoch: progress.epoch + 1) }
  /// The steps that are done when so many epochs are.
  package func step(endingEpoch epoch: Int) -> Int {
    min(epoch * stepsPerEpoch, recipe.schedule.steps)
  }

  // MARK: Learning

  /// One step. Allocates nothing, but for the order of the images when an epoch begins.
  ///
  /// - Throws: ``Divergence``, if anything is not finite and the recipe does not skip it. The step is then
  ///   done, and the state may be unusable.
  /// - Precondition: the epoch is not over.
  public func step() throws(Divergence) -> StepReport {
    precondition(!isFinished && !epochIsOver, "step \(progress.step) of an epoch that is over")
    let (index, epoch) = (progress.step, progress.epoch)
    if let fault = progress.knownFault {
      let end = progress.leaveOut()
      return StepReport(
        step: progress.step, loss: .nan, error: .nan, gradientNorm: .nan, weightNorm: .nan,
        warmupEnd: end, fault: fault)
    }
    let batch = TrainingStep<D>.Batch(
      order: order.indices(epoch: epoch), start: index % stepsPerEpoch * recipe.batchSize,
      epoch: epoch)
    let rate = recipe.schedule.rate(at: index, isWarm: progress.warmup.isWarm)
    let (loss, error) = trainingStep.run(batch, step: index, rate: rate)
    statistics = .moving
    let fault = try fault(batch, loss: loss, rate: rate)
    let end =
      fault == nil ? progress.record(loss: loss, error: error) : progress.leaveOut()
    return StepReport(
      step: progress.step, loss: loss, error: error,
      gradientNorm: trainingStep.norms.norm(.gradient),
      weightNorm: trainingStep.norms.norm(.weight), warmupEnd: end, fault: fault)
  }

  /// What was at fault in the step that has just been computed, if the graph has left its update out.
  private func fault(
    _ batch: TrainingStep<D>.Batch, loss: Float, rate: Float
  ) throws(Divergence) -> Fault? {
    let norms = trainingStep.norms
    guard !loss.isFinite || !norms.areFinite else { return nil }
    // A smaller loss scale may still make up for a loss or gradients that are not finite.
    let isOpen = loss.isFinite && norms.norm(.gradient).isFinite
    guard isOpen || !mayLowerLossScale,
      let (quantity, layer, value) = trainingStep.fault(batch, loss: loss, in: session)
    else { return nil }
    let fault = Fault(
      step: progress.step + 1, quantity: quantity, layer: layer, value: .init(value),
      response: recipe.faultResponse)
    // No update that is left out mends weights or the rate.
    guard fault.response == .skip, quantity != .weight, quantity != .update,
      progress.faults.count < Fault.limit
    else {
      let earlier = progress.faults.count
      _ = progress.leaveOut()
      throw Divergence(fault: fault, learningRate: rate, earlierFaults: earlier)
    }
    progress.faults.append(fault)
    return fault
  }

  /// The norms of every layer in the last step, in the order of the forward pass; meaningless before the
  /// first one, and after one of which nothing was computed.
  public var layerNorms: [LayerNorms] { trainingStep.norms.byLayer }

  /// Goes back to before a step that failed, and leaves it out when it comes by again.
  ///
  /// - Parameter restore: goes back to a saved state.
  /// - Throws: what `restore` throws.
  /// - Precondition: ``Divergence/allowsRollback``.
  package func rollBack(_ divergence: Divergence, restore: () throws -> Void) rethrows {
    precondition(divergence.allowsRollback, "no rollback: \(divergence)")
    // The saved state knows nothing of what has happened since.
    let faults = progress.faults + [divergence.fault]
    try restore()
    leaveOut(faults)
  }

  /// Leaves out steps that are known to be at fault, as a run did that is repeated.
  ///
  /// - Precondition: at most ``Fault/limit`` of them.
  package func leaveOut(_ faults: [Fault]) {
    precondition(faults.count <= Fault.limit, "\(faults.count) faults")
    progress.faults = faults
  }

  /// Evaluates after an epoch's last step, and begins the next one.
  ///
  /// - Parameter check: called from batch to batch; an error that it throws ends the call, and leaves the
  ///   epoch as it was.
  /// - Precondition: the epoch is over.
  public func finishEpoch(check: () throws -> Void = {}) throws -> EpochReport {
    precondition(epochIsOver, "an epoch that lacks steps")
    let evaluation = try evaluatedPart.flatMap { try evaluate($0, check: check) }
    // The start may have ended with this very step, which still had the lower rate.
    let rate = recipe.schedule.rate(
      at: progress.step - 1, isWarm: progress.warmup.steps < progress.step)
    let (loss, error) = progress.finishEpoch(after: step(endingEpoch: progress.epoch))
    return EpochReport(
      epoch: progress.epoch, step: progress.step, learningRate: rate, trainingLoss: loss,
      trainingError: error, part: evaluatedPart, evaluation: evaluation, isFinished: isFinished)
  }

  /// Trains to the end of the current epoch, or of the schedule, and evaluates.
  ///
  /// - Parameter observe: called after every step; an error that it throws ends the call between two
  ///   steps.
  /// - Returns: `nil` if all steps are done.
  /// - Throws: ``Divergence``, and what `observe` throws.
  public func trainEpoch(observe: (StepReport) throws -> Void = { _ in }) throws -> EpochReport? {
    guard !isFinished else { return nil }
    while !epochIsOver { try observe(try step()) }
    return try finishEpoch()
  }

  /// Whether there is a loss scale that is not yet the smallest.
  private var mayLowerLossScale: Bool {
    guard session.store.contains(LossScaling.scaleSlot) else { return false }
    return session.store.read(LossScaling.scaleSlot).scalars[0] > LossScaling().update.minimum
  }

  // MARK: Results

  /// Evaluates on a part with the statistics that the store holds now; `nil` if there is none.
  ///
  /// - Parameter check: called from batch to batch; an error that it throws ends the call.
  public func evaluate(_ part: Dataset.Part, check: () throws -> Void = {}) throws -> Evaluation? {
    let feed: (any BatchFeed)? =
      switch part {
      case .training: samples.training
      case .validation: samples.validation
      case .test: samples.test
      }
    return try feed.map { try evaluator.evaluate($0) { _, _ in try check() } }
  }

  /// Whether statistics are to be computed exactly after training; not where all are frozen.
  public var usesExactStatistics: Bool {
    recipe.statisticsPass != .moving
      && (network.frozen.isEmpty || !network.graph(.training).bindings.isEmpty)
  }

  /// Replaces the moving averages by exact statistics over the training images, in the order that
  /// the epoch after the last would have.
  public func computeExactStatistics(observe: (_ images: Int) throws -> Void = { _ in }) throws {
    let augmentation = recipe.statisticsPass == .augmented ? recipe.augmentation : .none
    let (seed, epoch) = (recipe.seed, epochs)
    try ExactStatistics.compute(
      network, over: samples.training, order: order.indices(epoch: epoch), session: session,
      batchSize: recipe.batchSize,
      window: { augmentation.draw(Augmentation.key(seed: seed, epoch: epoch, sample: $0)) },
      observe: observe)
    statistics = .exact
  }

  /// The network as it is now, with its description.
  ///
  /// - Parameter step: the step that its parameters are of, if not the last one.
  public func model(provenance: [String: String] = [:], step: Int? = nil) -> ModelFile {
    ModelFile(
      network: network, preparation: preparation, classNames: classNames, statistics: statistics,
      tensors: Dictionary(
        uniqueKeysWithValues: network.slots.map { ($0.name, session.store.read($0.name)) }),
      provenance: provenance.merging([ModelFile.stepField: String(step ?? progress.step)]) { $1 })
  }

  // MARK: State

  /// The optimiser's slots by name: what must be kept, beside model and progress, to resume to the same
  /// bits.
  package var optimizerState: [String: Tensor<Float>] {
    let names = session.store.slots.filter { $0.role == .optimizer }.map(\.name)
    return Dictionary(uniqueKeysWithValues: names.map { ($0, session.store.read($0)) })
  }

  /// Takes over the parameters and statistics of a model of this network.
  package func replaceWeights(by model: ModelFile) {
    statistics = model.statistics
    for (name, tensor) in model.tensors { session.store.write(tensor.scalars, to: name) }
  }

  /// Goes back to a saved state.
  ///
  /// - Precondition: all of it is of this network and recipe.
  package func restore(
    _ model: ModelFile, _ progress: Progress, optimizer: [String: Tensor<Float>]
  ) {
    replaceWeights(by: model)
    for (name, tensor) in optimizer { session.store.write(tensor.scalars, to: name) }
    self.progress = progress
  }
}
