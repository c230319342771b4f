import ResidualDatasets
import ResidualExecution
import ResidualInterchange
import ResidualNetworks

/// Trains a network by a recipe, epoch by epoch.
///
/// A trainer's state between steps is its store, its step and a few sums, which a ``Checkpoint`` keeps.
/// An error that an observer throws leaves it between two steps.
public final class Trainer<D: Device> {
  /// With as many classes as the data have.
  public let network: Network
  /// What the trainer was made from; never changed.
  public let recipe: Recipe
  /// The mean of the training images, without those set aside for validation; or what the initial
  /// model is used to.
  public let normalization: Normalization
  /// In the order of the logits.
  public let classNames: [String]
  /// What came from the initial model, if there was one.
  public let transfer: InitialModel.Transfer?
  /// Its store holds parameters, running statistics and the optimiser's state.
  public let session: Session<D>
  private let training: BatchSource
  private let validation: ImageSet?
  private let test: ImageSet?
  /// Whether all of them lie on the device.
  private let keepsImages: Bool
  /// The memory that a step takes; evaluations in batches of the same size need no more.
  package let memory: PlannedMemory
  /// What a step repeats in its backward pass; no bit of a result depends on it.
  public let recomputation: RecomputationScope
  private let loaded: LoadedPlan<D>
  /// Whether a step asks for a key of dropout.
  private let dropsOut: Bool
  private let evaluator: Evaluator<D>
  private let sampler: Sampler
  private var warmup: WarmupMonitor
  private var order: (epoch: Int, indices: [Int])
  /// Steps that are done.
  public private(set) var step = 0
  /// Epochs that are done and reported. After its last step, an epoch still lacks its report.
  public private(set) var epoch = 0
  // Sums over the steps of the current epoch.
  private var lossSum = 0.0
  private var errorSum = 0.0
  /// How the statistics that the store holds came about.
  private var statistics = ModelFile.Statistics.moving

  /// Makes everything ready for the first step of training the recipe's network.
  ///
  /// - Parameters:
  ///   - data: loaded whole. Validation images are split off its training part where the recipe
  ///     asks for some; else its own validation part is used, if it has one.
  ///   - initial: the model that the recipe names; where a run goes on, its own.
  /// - Throws: ``RecipeError``, ``ModelFileError``, ``DatasetError``, ``ShapeError``,
  ///   ``MemoryLimitError``, ``AllocationError``.
  public convenience init(
    _ recipe: Recipe, on data: Dataset, from initial: InitialModel? = nil, device: D
  ) throws {
    try self.init(
      recipe.network(classes: data.classNames.count), by: recipe, on: data,
      from: initial ?? InitialModel(RecipeOptions(recipe)), device: device)
  }

  /// Makes everything ready for what choices ask for; what they leave open is the paper's, or the initial
  /// checkpoint's.
  ///
  /// - Throws: as the first one.
  public convenience init(_ options: RecipeOptions, on data: Dataset, device: D) throws {
    let initial = try InitialModel(options)
    let options = try initial?.filling(options) ?? options
    try self.init(options.resolved(on: data), on: data, from: initial, device: device)
  }

  /// Makes everything ready for the first step of training a network of the caller's own layers.
  ///
  /// A model file only names such a network; see ``ModelFile/init(at:network:)``.
  ///
  /// - Parameter recipe: what it says of the network is left aside.
  /// - Throws: as the first one.
  /// - Precondition: the network has as many classes as the data.
  public init(
    _ network: Network, by recipe: Recipe, on data: Dataset, from initial: InitialModel? = nil,
    device: D
  ) throws {
    precondition(
      network.classes == data.classNames.count,
      "\(network.classes) classes for data of \(data.classNames.count)")
    (self.network, self.recipe) = (network, recipe)
    transfer = try initial.map { try $0.transfer(to: network) }
    classNames = data.classNames
    let set: ImageSet
    if recipe.validationCount > 0 {
      (set, validation) = try data.training.split(
        validation: recipe.validationCount, seed: recipe.seed)
    } else {
      (set, validation) = (data.training, data.validation)
    }
    test = data.test
    for set in [set, validation, test].compactMap(\.self) { try network.check(set) }
    guard recipe.batchSize <= set.count else {
      throw RecipeError.batchLargerThanSet(batch: recipe.batchSize, images: set.count)
    }
    normalization = initial?.model.normalization ?? .perPixelMean(PixelMean(of: set).values)
    keepsImages = BatchSource.keeps([set, validation, test].compactMap { $0 }, on: device)
    training = BatchSource(set: set, normalization: normalization, isKept: keepsImages)
    session = Session(device: device, store: Store(for: device))
    let planned = try TrainingPlan(
      training.graph(
        network.trainingStep(
          weightDecay: recipe.weightDecay, initialization: recipe.initialization,
          classifierRateScale: recipe.classifierRateScale,
          lossScaling: device.needsLossScaling)),
      inputs: training.shapes(network, batch: recipe.batchSize), device: device,
      recomputation: recipe.recomputation, memoryLimit: recipe.memoryLimit)
    (memory, recomputation) = (planned.memory, planned.recomputation)
    try session.store.initialize(
      network.slots, seed: recipe.seed, from: transfer?.loaded ?? [:])
    loaded = try session.load(planned.plan, seed: recipe.seed)
    training.begin(loaded)
    dropsOut = planned.plan.inputs[StepTensor.dropoutKey] != nil
    // In the arena of the step, which is there in any case: nothing is kept beside it.
    evaluator = try Evaluator(
      network, session: session, batchSize: device.evaluationBatch(for: recipe.batchSize),
      keepsDerived: false, keepsImages: keepsImages)
    sampler = Sampler(count: set.count, seed: recipe.seed)
    warmup = WarmupMonitor(recipe.schedule.warmup)
    order = (0, sampler.order(epoch: 0))
  }

  /// The last partial batch of an epoch is dropped.
  public var stepsPerEpoch: Int { max(1, trainingCount / recipe.batchSize) }
  /// Whether all epochs are done and reported.
  public var isFinished: Bool { epoch >= epochs }
  /// Epochs of the whole schedule, the last of which may be cut short.
  public var epochs: Int { (recipe.schedule.steps + stepsPerEpoch - 1) / stepsPerEpoch }
  /// The steps that are done when so many epochs are.
  func step(endingEpoch epoch: Int) -> Int {
    min(epoch * stepsPerEpoch, recipe.schedule.steps)
  }
  /// Whether images are set aside, or the data bring a validation part.
  public var hasValidation: Bool { validation != nil }
  /// Training images, without those set aside.
  public var trainingCount: Int { training.set.count }
  /// Validation images; `nil` where there are none.
  public var validationCount: Int? { validation?.count }

  /// Trains to the end of the current epoch, or of the schedule, and evaluates.
  ///
  /// - Parameter observe: called after every step; an error that it throws ends the call between two
  ///   steps, so that the state can be saved.
  /// - Returns: `nil` where all steps are done.
  /// - Throws: ``Divergence``, and what `observe` throws.
  public func trainEpoch(observe: (StepReport) throws -> Void = { _ in }) throws
    -> EpochReport?
  {
    guard !isFinished else { return nil }
    let (start, end) = (step(endingEpoch: epoch), step(endingEpoch: epoch + 1))
    while step < end { try observe(try trainStep()) }
    let evaluation = try (validation ?? test).map(evaluate)
    let count = Double(end - start)
    let (loss, error) = (lossSum / count, 100 * errorSum / count)
    epoch += 1
    (lossSum, errorSum) = (0, 0)
    return EpochReport(
      epoch: epoch, step: step,
      // The start may have ended with this very step, which still had the lower rate.
      learningRate: recipe.schedule.rate(at: step - 1, isWarm: warmup.steps < step),
      trainingLoss: loss, trainingError: error, evaluation: evaluation, isFinished: isFinished)
  }

  /// One step. Allocates nothing, but for the order of the images when an epoch begins.
  package func trainStep() throws -> StepReport {
    if order.epoch != epoch { order = (epoch, sampler.order(epoch: epoch)) }
    training.write(
      order: order.indices, from: step % stepsPerEpoch * recipe.batchSize, epoch: epoch,
      seed: recipe.seed, augmentation: recipe.augments ? .paper : .none, into: loaded,
      batchSize: recipe.batchSize)
    loaded.write(
      recipe.schedule.rate(at: step, isWarm: warmup.isWarm), to: StepTensor.learningRate)
    loaded.write(recipe.momentum, to: StepTensor.momentum)
    if dropsOut {
      let key = RandomKey(seed: recipe.seed).derived(.dropout).derived(step).bits
      loaded.withInput(StepTensor.dropoutKey, of: Int32.self) { halves in
        halves[0] = Int32(truncatingIfNeeded: key)
        halves[1] = Int32(truncatingIfNeeded: key >> 32)
      }
    }
    loaded.run()
    step += 1
    statistics = .moving
    let loss = loaded.scalar(StepTensor.loss)
    let error = 1 - loaded.scalar(StepTensor.correct) / Float(recipe.batchSize)
    guard loss.isFinite || mayLowerLossScale else { throw Divergence(step: step, loss: loss) }
    // The graph has skipped a step without a finite loss, and the epoch's mean does the same.
    if loss.isFinite { lossSum += Double(loss) }
    errorSum += Double(error)
    let end = warmup.record(error: error)
    return StepReport(
      step: step, loss: loss, error: error, warmupEnd: end.map { describe($0) })
  }

  /// Whether a smaller loss scale may still make up for what is not finite.
  private var mayLowerLossScale: Bool {
    guard session.store.contains(LossScaling.scaleSlot) else { return false }
    return session.store.read(LossScaling.scaleSlot).scalars[0] > LossScaling().update.minimum
  }

  private func describe(_ end: WarmupMonitor.End) -> String {
    let rate = recipe.schedule.rate
    return switch end {
    case .errorBelow(let error):
      "the training error of the last \(Schedule.Warmup.window) steps is \(percent(error)), below "
        + "\(percent(recipe.schedule.warmup?.error ?? 0)): the learning rate rises to \(rate)"
    case .limitReached:
      "\(step) steps are over: the learning rate rises to \(rate), although the training error "
        + "has not fallen below \(percent(recipe.schedule.warmup?.error ?? 0))"
    }
  }
  private func percent(_ share: Float) -> String {
    "\((Double(share) * 1000).rounded() / 10) %"
  }

  // MARK: Results

  /// Evaluates on a set with the statistics that the store holds now.
  public func evaluate(_ set: ImageSet) throws -> Evaluation {
    try evaluator.evaluate(set, normalization: normalization)
  }

  /// Evaluates on the test images, if there are any.
  public func evaluateTest() throws -> Evaluation? { try test.map(evaluate) }
  /// Evaluates on the validation images, if there are any.
  public func evaluateValidation() throws -> Evaluation? { try validation.map(evaluate) }

  /// Whether statistics are to be computed exactly after training; not where all are frozen.
  public var usesExactStatistics: Bool {
    recipe.usesExactStatistics
      && (network.frozen.isEmpty || !network.graph(.training).bindings.isEmpty)
  }

  /// Replaces the moving averages by exact statistics over the training images, in the order that
  /// the epoch after the last would have.
  public func computeExactStatistics(observe: (_ images: Int) throws -> Void = { _ in }) throws {
    try ExactStatistics.compute(
      network, over: training.set, order: sampler.order(epoch: epochs),
      normalization: normalization, session: session, batchSize: recipe.batchSize,
      keepsImages: keepsImages, observe: observe)
    statistics = .exact
  }

  /// The network as it is now, with its description.
  ///
  /// - Parameter step: the step that its parameters are of, if not the last one.
  public func model(provenance: [String: String] = [:], step: Int? = nil) -> ModelFile {
    let slots = network.slots
    return ModelFile(
      network: network, normalization: normalization, classNames: classNames,
      statistics: statistics,
      tensors: Dictionary(
        uniqueKeysWithValues: slots.map { ($0.name, session.store.read($0.name)) }),
      provenance: provenance.merging([ModelFile.stepField: String(step ?? self.step)]) { $1 })
  }

  // MARK: State

  /// What must be kept, beside parameters and statistics, to go on to the same bits.
  package var state: TrainerState {
    let names = session.store.slots.filter { $0.role == .optimizer }.map(\.name)
    return TrainerState(
      step: step, epoch: epoch, lossSum: lossSum, errorSum: errorSum, warmupErrors: warmup.errors,
      warmupSteps: warmup.steps, isWarm: warmup.isWarm,
      tensors: Dictionary(uniqueKeysWithValues: names.map { ($0, session.store.read($0)) }))
  }

  /// Takes over the parameters and statistics of a model of this network.
  package func use(_ model: ModelFile) {
    statistics = model.statistics
    for (name, tensor) in model.tensors { session.store.write(tensor.scalars, to: name) }
  }

  /// Goes back to a saved state.
  ///
  /// - Precondition: model and state are of this network and recipe; see ``Checkpoint``.
  package func restore(_ model: ModelFile, _ state: TrainerState) {
    use(model)
    for (name, tensor) in state.tensors { session.store.write(tensor.scalars, to: name) }
    (step, epoch) = (state.step, state.epoch)
    (lossSum, errorSum) = (state.lossSum, state.errorSum)
    warmup.restore(errors: state.warmupErrors, steps: state.warmupSteps, isWarm: state.isWarm)
  }
}
