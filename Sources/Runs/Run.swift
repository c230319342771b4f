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
  private let files: RunFolder
  private let writer: CheckpointWriter
  private let provenance: [String: String]
  /// The epochs that are done, and how long they took.
  private var rows: [MetricsRow], timings: [[String]]
  private var clock: CheckpointClock
  private var status: StatusReporter
  private let epochClock = ContinuousClock()
  private var epochBegin: ContinuousClock.Instant
  private var epochStart: Int
  /// The newest step that is safe.
  private var savedStep: Int?
  /// What the device has said last of how it computes.
  private var deviceRecord: String?
  private var pending: [RunEvent] = []
  private var hasBegun = false, hasEnded = false
  private var norms: NormsTable?
  private var hasNormsFailed = false
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
    try self.init(learner, folder, rows: [], savedStep: nil)
  }

  /// Resumes an interrupted run, in its folder: what follows has the bits of a run that was never
  /// interrupted.
  ///
  /// - Parameter learner: made from what is resumed, before its first step.
  /// - Throws: ``CheckpointError``, ``RunInUse``, ``FileError``, ``ModelFileError``, `SafetensorsError`.
  public convenience init(_ learner: Learner<D>, resuming run: ResumedRun) throws {
    // The lock first: another process may be at work.
    let files = try RunFolder(reopening: run.folder)
    let checkpoint = run.checkpoint
    try checkpoint.check(on: learner.session.device)
    try checkpoint.restore(learner)
    let rows = try checkpoint.rows ?? files.formerRows(upTo: learner.progress.step)
    try self.init(learner, files, rows: rows, savedStep: learner.progress.step)
  }

  /// Begins a run in the folder of one that was killed before its first checkpoint.
  ///
  /// - Throws: ``RunInUse``, ``FileError``.
  public convenience init(_ learner: Learner<D>, restarting folder: String) throws {
    let files = try RunFolder(reopening: folder)
    try files.write(RecipeFile.text(learner.recipe.options), to: RunFolder.configName)
    try self.init(learner, files, rows: [], savedStep: nil)
  }

  private init(
    _ learner: Learner<D>, _ files: RunFolder, rows: [MetricsRow], savedStep: Int?
  ) throws {
    self.learner = learner
    self.files = files
    self.rows = rows
    self.savedStep = savedStep
    timings = files.timings(epochs: rows.count)
    let recipe = learner.recipe
    let (title, policy, schedule) = (learner.network.name, recipe.checkpoints, recipe.schedule)
    writer = CheckpointWriter { save in
      try files.save(save, title: title, policy: policy, schedule: schedule)
    }
    clock = CheckpointClock(policy)
    status = StatusReporter(learner)
    epochBegin = epochClock.now
    epochStart = learner.progress.step
    isResumed = savedStep != nil
    stall = isResumed ? nil : StallMonitor(learner.network, steps: schedule.steps)
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
  /// - Parameter isAskedToStop: asked before each step, and in evaluations; where it says so, a checkpoint
  ///   is written, and ``RunStopped`` is thrown. Before the first step of all, the folder is removed.
  /// - Throws: ``Divergence``, ``RunStopped``, ``FileError``, what evaluations throw.
  public func next(until isAskedToStop: () -> Bool = { false }) throws -> RunEvent? {
    try takeOutcomes()
    if !pending.isEmpty { return pending.removeFirst() }
    if learner.isFinished { return try end() }
    if isAskedToStop() { throw try stopped() }
    if !hasBegun, !isResumed { save() }
    hasBegun = true
    if learner.epochIsOver { return try finishEpoch(until: isAskedToStop) }
    guard let report = try step() else { return try next(until: isAskedToStop) }
    status.report(step: report.step, loss: report.loss, to: files)
    if let guessing = stall?.guessing,
      stall?.record(step: report.step, loss: report.loss) == true
    {
      pending.append(.warning(.noLearning(step: report.step, loss: guessing)))
    }
    let isRung = learner.recipe.checkpoints.isRung(
      report.step, of: learner.recipe.schedule.steps)
    if isRung { try saveRung() } else if clock.isDue(after: report.step) { save() }
    return .step(report)
  }

  /// One step; one that fails is noted.
  ///
  /// - Returns: `nil` if the run has gone back to a checkpoint.
  private func step() throws -> StepReport? {
    do {
      let report = try learner.step()
      if learner.recipe.watches { record(report) }
      return report
    } catch {
      if error.allowsRollback, try rollBack(error) { return nil }
      status.end(.failed, step: learner.progress.step, reason: error.description, to: files)
      throw error
    }
  }

  /// Goes back to the last checkpoint, from where the step at fault is left out.
  ///
  /// - Returns: `false` if there is none.
  private func rollBack(_ divergence: Divergence) throws -> Bool {
    writer.wait()
    try takeOutcomes()
    guard let checkpoint = try Checkpoint(at: files.file(RunFolder.lastName)) else { return false }
    try learner.rollBack(divergence) { try checkpoint.restore(learner) }
    rows = checkpoint.rows ?? rows
    timings = Array(timings.prefix(rows.count))
    (epochBegin, epochStart) = (epochClock.now, learner.progress.step)
    norms = nil
    pending.append(.warning(.rolledBack(divergence.fault, to: learner.progress.step)))
    // The fault is known from here on, also if the run is killed.
    save()
    return true
  }

  /// Writes the norms of a step; where that fails, the run goes on without them.
  private func record(_ report: StepReport) {
    guard report.fault == nil, !hasNormsFailed else { return }
    do {
      if norms == nil { norms = try NormsTable(in: files, after: report.step - 1) }
      try norms?.append(learner.layerNorms, step: report.step)
    } catch {
      norms = nil
      hasNormsFailed = true
      pending.append(.warning(.normsNotWritten(reason: "\(error)")))
    }
  }

  private func finishEpoch(until isAskedToStop: () -> Bool) throws -> RunEvent {
    let report: EpochReport
    do {
      report = try learner.finishEpoch {
        if isAskedToStop() { throw RunStopped(step: nil, problem: nil) }
      }
    } catch is RunStopped { throw try stopped() }
    let now = epochClock.now
    let seconds = (now - epochBegin) / .seconds(1)
    let images = (report.step - epochStart) * learner.recipe.batchSize
    (epochBegin, epochStart) = (now, report.step)
    let row = MetricsRow(report).asWritten
    let earlier = rows.compactMap(\.evaluatedError)
    let isBest = row.evaluatedError.map { error in earlier.allSatisfy { error < $0 } } ?? false
    rows.append(row)
    timings.append([
      String(row.epoch), MetricsRow.text(seconds, 3),
      MetricsRow.text(Double(images) / seconds, 1),
    ])
    save(isBest: isBest && report.part == .validation, withTables: true)
    try noteDevice()
    return .epoch(report)
  }

  private func end() throws -> RunEvent? {
    guard !hasEnded else { return nil }
    writer.wait()
    try takeOutcomes()
    if !pending.isEmpty { return pending.removeFirst() }
    hasEnded = true
    return .end
  }

  /// Notes what a resumed run needs for the same bits; evaluations add to it.
  private func noteDevice() throws {
    let record = learner.session.device.record
    defer { deviceRecord = record }
    // A run that has moved to a device with nothing to note goes on there.
    guard let record else {
      unlink(files.file(RunFolder.deviceName))
      return
    }
    if record != deviceRecord { try files.write(record, to: RunFolder.deviceName) }
  }

  // MARK: Checkpoints

  /// Hands the state to the writer, and does not wait for it.
  private func save(isBest: Bool = false, withTables: Bool = false) {
    let snapshot = Snapshot(of: learner, rows: rows, provenance: provenance)
    writer.submit(
      PendingSave(
        snapshot: snapshot, best: isBest ? snapshot.model : nil,
        timings: withTables ? timings : nil))
    clock.noteSave()
  }

  /// Saves the state of a rung of the ladder, which no other one replaces.
  private func saveRung() throws {
    writer.wait()
    save()
    writer.wait()
  }

  /// Takes notice of what the writer has done.
  private func takeOutcomes() throws {
    for outcome in writer.outcomes() {
      switch outcome {
      case .saved(let step):
        savedStep = step
        pending.append(.checkpoint(step: step))
      case .failed(let step, let error):
        if learner.recipe.checkpoints.onSaveError == .stop { throw error }
        clock.noteFailure()
        pending.append(
          .warning(.notSaved(step: step, reason: "\(error)", last: savedStep)))
      }
    }
  }

  /// Makes the state safe where that can be done, and says from where the run can be resumed.
  private func stopped() throws -> RunStopped {
    let step = learner.progress.step
    if step == 0, !isResumed {
      writer.wait()
      files.discard()
      return RunStopped(step: nil, problem: nil)
    }
    writer.wait()
    var problem: String?
    _ = writer.outcomes().map { if case .saved(let step) = $0 { savedStep = step } }
    if savedStep != step {
      save()
      writer.wait()
      for outcome in writer.outcomes() {
        switch outcome {
        case .saved(let step): savedStep = step
        case .failed(_, let error):
          guard savedStep != nil else { throw error }
          problem = "\(error)"
        }
      }
    }
    status.end(.interrupted, step: step, to: files)
    return RunStopped(step: savedStep, problem: problem)
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
    // What follows reads the networks from their files.
    writer.retry()
    for case .failed(_, let error) in writer.outcomes() { throw error }
    func check() throws {
      if isAskedToStop() { throw RunStopped(step: learner.progress.step, problem: nil) }
    }
    guard let row = rows.last else { throw CheckpointError.finished(file: folder) }
    let isExact = learner.usesExactStatistics
    let (last, policy) = (files.file(RunFolder.lastName), learner.recipe.checkpoints)
    func final(_ name: String) throws -> (model: ModelFile, test: Evaluation?) {
      let file = try ModelFile(at: files.file(name), network: learner.network)
      learner.replaceWeights(by: file)
      try check()
      if isExact { try learner.computeExactStatistics { _ in try check() } }
      let test = try learner.evaluate(.test, check: check)
      let step = file.provenance[ModelFile.stepField].flatMap { Int($0) }
      return (learner.model(provenance: provenance, step: step), test)
    }
    // The best network first: an interruption before the end leaves the last checkpoint complete.
    let best =
      learner.evaluatedPart == .validation ? try final(RunFolder.bestName) : nil
    if let best { try files.write(best.model, to: RunFolder.bestName) }
    let (model, test) = try final(RunFolder.lastName)
    let validation = try learner.evaluate(.validation, check: check)
    try noteDevice()
    let result = RunResult(
      network: learner.network.name, steps: learner.progress.step,
      statistics: isExact ? .exact : .moving, trainingError: row.trainingError,
      validation: validation, test: test, bestTest: best?.test, faults: learner.progress.faults,
      folder: folder)
    try files.write(result.text, to: RunFolder.resultName)
    if policy.isRung(learner.progress.step, of: learner.progress.step) {
      files.keepOld(last, before: -1)
    }
    try files.write(model, to: RunFolder.lastName)
    files.clear(policy, steps: learner.progress.step)
    unlink(files.file(RunStatus.name))
    return result
  }
}
