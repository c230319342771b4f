import ResidualPlatform
@_exported import ResidualTraining

/// One training run: a learner and a folder. It is asked for one event after another, keeps the folder's
/// files, and can be interrupted and resumed between any two steps.
///
/// ```swift
/// while let event = try run.next() { print(event) }
/// let result = try run.finish()
/// ```
public final class Run<D: Device> {
  /// What is trained.
  public let learner: Learner<D>
  /// Whether the run was interrupted before.
  public let isResumed: Bool
  private var files: RunFolder
  private let provenance: [String: String]
  private let clock = ContinuousClock()
  private var epochBegin: ContinuousClock.Instant
  private var epochStart: Int
  /// What the device has said last of how it computes.
  private var deviceRecord: String?
  private var pending: [RunEvent] = []
  private var hasEnded = false
  /// `nil` for a run that has been resumed, whose first steps are not known.
  private var stall: StallMonitor?

  /// Begins a run in a folder of its own; an existing one is never touched: a number is appended to the
  /// name.
  ///
  /// - Parameters:
  ///   - parent: made where it is missing.
  ///   - name: by default the network and the time.
  /// - Throws: ``FileError``.
  public convenience init(_ learner: Learner<D>, in parent: String, named name: String? = nil)
    throws
  {
    let folder = try RunFolder(
      in: parent, named: name ?? RunFolder.name(for: learner.network),
      learner.recipe.options)
    try self.init(learner, folder)
  }

  /// Resumes an interrupted run, in its folder: what follows has the bits of a run that was never
  /// interrupted.
  ///
  /// - Parameter learner: made from ``ResumedRun``, before its first step.
  /// - Throws: ``CheckpointError``, ``FileError``, ``ModelFileError``, `SafetensorsError`.
  public convenience init(_ learner: Learner<D>, resuming folder: String) throws {
    try Checkpoint.restore(learner, from: folder)
    try self.init(learner, RunFolder(reopening: folder, at: learner.progress.step))
  }

  private init(_ learner: Learner<D>, _ files: consuming RunFolder) throws {
    self.learner = learner
    self.files = files
    epochBegin = clock.now
    epochStart = learner.progress.step
    isResumed = learner.progress.step > 0
    stall =
      isResumed ? nil : StallMonitor(learner.network, steps: learner.recipe.schedule.steps)
    let recipe = learner.recipe
    var provenance = [
      "data": learner.dataName, "seed": String(recipe.seed), "version": Version.current,
    ]
    provenance["initial_checkpoint"] = recipe.options.initialCheckpoint.map {
      String($0.split(separator: "/").last ?? "")
    }
    self.provenance = provenance
    try noteDevice()
  }

  /// Where the run's files are.
  public var folder: String { files.path }

  // MARK: Training

  /// What happens next: a step, an epoch's evaluation, a checkpoint, the end; `nil` behind the end.
  ///
  /// - Parameter isAskedToStop: asked before each step; where it says so, a checkpoint is written, and
  ///   ``RunStopped`` is thrown.
  /// - Throws: ``Divergence``, ``RunStopped``, ``FileError``, what evaluations throw.
  public func next(until isAskedToStop: () -> Bool = { false }) throws -> RunEvent? {
    if !pending.isEmpty { return pending.removeFirst() }
    if learner.isFinished {
      guard !hasEnded else { return nil }
      hasEnded = true
      return .end
    }
    if learner.epochIsOver { return try finishEpoch() }
    if isAskedToStop() {
      try Checkpoint.write(learner, in: folder, provenance: provenance)
      throw RunStopped(step: learner.progress.step)
    }
    let report = try learner.step()
    if let guessing = stall?.guessing,
      stall?.record(step: report.step, loss: report.loss) == true
    {
      pending = [.warning(.noLearning(step: report.step, loss: guessing))]
    }
    return .step(report)
  }

  private func finishEpoch() throws -> RunEvent {
    let report = try learner.finishEpoch()
    let now = clock.now
    let isBest = try files.record(
      MetricsRow(report), seconds: (now - epochBegin) / .seconds(1),
      images: (report.step - epochStart) * learner.recipe.batchSize)
    (epochBegin, epochStart) = (now, report.step)
    try files.drawCurves(
      title: learner.network.name, drops: learner.recipe.schedule.milestones)
    if isBest, report.part == .validation {
      try learner.model(provenance: provenance).write(to: folder + "/" + RunFolder.bestName)
    }
    try Checkpoint.write(learner, in: folder, provenance: provenance)
    try noteDevice()
    pending = [.checkpoint(step: report.step)]
    return .epoch(report)
  }

  /// Notes what a resumed run needs for the same bits; evaluations add to it.
  private func noteDevice() throws {
    let record = learner.session.device.record
    defer { deviceRecord = record }
    let path = folder + "/" + RunFolder.deviceName
    // A run that has moved to a device with nothing to note goes on there.
    guard let record else {
      unlink(path)
      return
    }
    if record != deviceRecord { try AtomicFile.write(record, to: path) }
  }

  // MARK: The end

  /// Computes the final statistics, evaluates, and writes the final networks.
  ///
  /// An interruption leaves the last checkpoint as it is, so that the end can be tried again.
  ///
  /// - Parameter isAskedToStop: asked from time to time; where it says so, ``RunStopped`` is thrown.
  /// - Throws: ``RunStopped``, ``FileError``, what evaluations throw.
  /// - Precondition: all epochs are done.
  public func finish(until isAskedToStop: () -> Bool = { false }) throws -> RunResult {
    precondition(learner.isFinished, "a run is finished at step \(learner.progress.step)")
    func check() throws {
      if isAskedToStop() { throw RunStopped(step: learner.progress.step) }
    }
    let isExact = learner.usesExactStatistics
    func finish(_ name: String) throws -> Evaluation? {
      let path = folder + "/" + name
      let file = try ModelFile(at: path, network: learner.network)
      learner.replaceWeights(by: file)
      try check()
      if isExact { try learner.computeExactStatistics { _ in try check() } }
      let test = try learner.evaluate(.test)
      let step = file.provenance[ModelFile.stepField].flatMap { Int($0) }
      try learner.model(provenance: provenance, step: step).write(to: path)
      return test
    }
    guard let last = files.rows.last else { throw CheckpointError.finished(file: folder) }
    // The best network first: an interruption before the end leaves the last checkpoint complete.
    let hasBest = learner.evaluatedPart == .validation
    let bestTest = hasBest ? try finish(RunFolder.bestName) : nil
    let state = try Checkpoint.stateName(in: folder)
    let test = try finish(Checkpoint.modelName)
    Checkpoint.removeState(named: state, in: folder)
    let validation = try learner.evaluate(.validation)
    try noteDevice()
    return RunResult(
      statistics: isExact ? .exact : .moving, trainingError: last.trainingError,
      validation: validation, test: test, bestTest: bestTest,
      model: folder + "/" + Checkpoint.modelName,
      best: hasBest ? folder + "/" + RunFolder.bestName : nil,
      curves: folder + "/" + RunFolder.curvesName)
  }
}

/// Something that has happened in a run.
public enum RunEvent: Sendable {
  /// A step of training.
  case step(StepReport)
  /// An epoch is over and evaluated.
  case epoch(EpochReport)
  /// The run can be resumed from this step on.
  case checkpoint(step: Int)
  /// Something that a user should know.
  case warning(RunWarning)
  /// All epochs are done; ``Run/finish(until:)`` comes next.
  case end
}

/// What is likely to be wrong with a run that goes on.
public enum RunWarning: Hashable, Sendable {
  /// The loss has stayed at that of guessing over the first tenth of the steps.
  case noLearning(step: Int, loss: Double)

  /// The text, with the remedy.
  public var message: Message {
    switch self {
    case .noLearning(let step, let loss):
      "after \(step) steps the loss still is that of guessing, \((loss * 1000).rounded() / 1000): the "
        + "network does not learn; lower the learning rate (\(OptionName.learningRate)), or let it "
        + "rise more slowly (\(OptionName.warmupSteps))"
    }
  }
}

/// A run that was asked to stop. It can be resumed.
public struct RunStopped: Error, Hashable {
  /// Steps that are done.
  public let step: Int
}

/// What a run came to.
public struct RunResult: Sendable {
  /// How the final networks' statistics came about.
  public let statistics: ModelFile.Statistics
  /// Of the last epoch, as the network saw the images; per cent.
  public let trainingError: Double
  /// Of the network at the end; `nil` if there are no such images.
  public let validation: Evaluation?, test: Evaluation?
  /// Of the best network, where validation images chose one.
  public let bestTest: Evaluation?
  /// The files of the network at the end, and of the best one.
  public let model: String, best: String?
  /// The picture of the learning curves.
  public let curves: String
}
