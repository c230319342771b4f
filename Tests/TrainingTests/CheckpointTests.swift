import Foundation
import ResidualCPU
import ResidualRuns
import ResidualTestSupport
import Testing

@Suite struct CheckpointTests {
  private struct Interruption: Error {}

  /// Ten steps in epochs of four, with a warm-up that ends at the sixth.
  private static var options: RecipeOptions {
    var options = RecipeOptions.tiny(steps: 10)
    options.warmupRate = 0.01
    options.warmupLimit = 6
    return options
  }

  /// A trainer after some steps of an unfinished epoch, stopped by its observer.
  private func interrupted(
    after step: Int, rows: inout [MetricsRow]
  ) throws -> Learner<CPUDevice> {
    let trainer = try Self.options.trainer()
    do {
      while let report = try trainer.trainEpoch(observe: { report in
        if report.step == step { throw Interruption() }
      }) {
        rows.append(MetricsRow(report))
      }
      Issue.record("step \(step) was not reached")
    } catch is Interruption {}
    return trainer
  }

  private func interrupted(after step: Int) throws -> Learner<CPUDevice> {
    var rows: [MetricsRow] = []
    return try interrupted(after: step, rows: &rows)
  }

  @Test func interruptedRunsEndInTheSameBits() throws {
    let whole = try Self.options.trainer()
    var reports: [StepReport] = []
    let expectedRows = try whole.finish { reports.append($0) }
    #expect(reports.filter { $0.warmupEnd != nil }.map(\.step) == [6])

    // Inside an epoch, at the ends of epochs, and after the last step.
    for step in [1, 3, 4, 6, 8, 9, 10] {
      let folder = try TemporaryFolder()
      var rows: [MetricsRow] = []
      let first = try interrupted(after: step, rows: &rows)
      #expect(first.progress.step == step && !first.isFinished)
      try Checkpoint.write(first, in: folder.path, provenance: [:])

      let second = try Self.options.trainer()
      try Checkpoint.restore(second, from: folder.path)
      #expect(second.differences(from: first) == [])
      rows += try second.finish()
      #expect(second.differences(from: whole) == [], "interrupted after step \(step)")
      #expect(rows == expectedRows, "interrupted after step \(step)")
      let isSameState =
        second.progress == whole.progress && second.optimizerState == whole.optimizerState
      #expect(isSameState)
    }
  }

  /// A checkpoint at the end of an epoch, after its report.
  @Test func epochsAreResumedWhereTheyEnded() throws {
    let folder = try TemporaryFolder()
    let whole = try Self.options.trainer()
    let rows = try whole.finish()
    let first = try Self.options.trainer()
    _ = try first.trainEpoch { _ in }
    try Checkpoint.write(first, in: folder.path, provenance: [:])
    let second = try Self.options.trainer()
    try Checkpoint.restore(second, from: folder.path)
    #expect(second.progress.epoch == 1)
    #expect(try second.finish() == Array(rows.dropFirst()))
    #expect(second.differences(from: whole) == [])
  }

  // MARK: Files

  @Test func oldStatesAreRemoved() throws {
    let folder = try TemporaryFolder()
    let trainer = try Self.options.trainer()
    _ = try trainer.trainEpoch { _ in }
    try Checkpoint.write(trainer, in: folder.path, provenance: ["data": "colours"])
    #expect(try folder.names == ["last.optimizer-4.safetensors", "last.safetensors"])
    // Writing the same state twice keeps it.
    try Checkpoint.write(trainer, in: folder.path, provenance: [:])
    #expect(try folder.names == ["last.optimizer-4.safetensors", "last.safetensors"])
    _ = try trainer.trainEpoch { _ in }
    try Checkpoint.write(trainer, in: folder.path, provenance: ["data": "colours"])
    #expect(try folder.names == ["last.optimizer-8.safetensors", "last.safetensors"])
    let model = try ModelFile(at: folder["last.safetensors"])
    #expect(try Checkpoint.stateName(in: folder.path) == "last.optimizer-8.safetensors")
    #expect(model.provenance["data"] == "colours" && model.provenance["step"] == "8")
    Checkpoint.removeState(named: try Checkpoint.stateName(in: folder.path), in: folder.path)
    #expect(try folder.names == ["last.safetensors"])
  }

  /// Names that are no state's remove nothing, whatever a file says.
  @Test(arguments: [nil, "", "last.safetensors", "last.optimizer-/../keep.safetensors"])
  func otherFilesAreNeverRemoved(name: String?) throws {
    let folder = try TemporaryFolder()
    try "x".write(toFile: folder["keep.safetensors"], atomically: false, encoding: .utf8)
    try "x".write(toFile: folder["last.safetensors"], atomically: false, encoding: .utf8)
    Checkpoint.removeState(named: name, in: folder.path)
    #expect(try folder.names == ["keep.safetensors", "last.safetensors"])
  }

  /// Whichever of the three changes to the folder is the last that happened, model and state fit.
  @Test func crashesBetweenWrites() throws {
    let folder = try TemporaryFolder()
    let (model, early, late) = (
      "last.safetensors", "last.optimizer-4.safetensors", "last.optimizer-8.safetensors"
    )
    let trainer = try Self.options.trainer()
    _ = try trainer.trainEpoch { _ in }
    try Checkpoint.write(trainer, in: folder.path, provenance: [:])
    try folder.copy(model, to: "old model")
    try folder.copy(early, to: "old state")
    _ = try trainer.trainEpoch { _ in }
    try Checkpoint.write(trainer, in: folder.path, provenance: [:])
    try folder.copy(model, to: "new model")
    #expect(!folder.contains(early))

    func restored() throws -> Learner<CPUDevice> {
      let trainer = try Self.options.trainer()
      try Checkpoint.restore(trainer, from: folder.path)
      return trainer
    }
    // The new state is written, the model is still the old one.
    try folder.copy("old model", to: model)
    try folder.copy("old state", to: early)
    #expect(folder.contains(late))
    let again = try restored()
    #expect(again.progress.step == 4)
    // The new model is there, the old state is not removed yet.
    try folder.copy("new model", to: model)
    #expect(try restored().progress.step == 8)
    // A run that went back comes to the same end.
    _ = try again.finish()
    _ = try trainer.finish()
    #expect(again.differences(from: trainer) == [])
  }

  // MARK: Errors

  @Test func whatCannotBeRestored() throws {
    let folder = try TemporaryFolder()
    let model = folder["last.safetensors"]
    func restore(_ trainer: Learner<CPUDevice>) -> String? {
      message { try Checkpoint.restore(trainer, from: folder.path) }
    }
    let trainer = try interrupted(after: 3)
    #expect(restore(trainer) == "\(model): there is no such file; check the path")

    try trainer.model().write(to: model)
    #expect(
      restore(trainer) == "\(model): this run is finished; to train on, start another one")
    for name in ["../last.optimizer-3.safetensors", "last.optimizer-/../x.safetensors", "x"] {
      try trainer.model(provenance: ["optimizer_state": name]).write(to: model)
      #expect(
        restore(trainer) == "\(model): this run is finished; to train on, start another one")
    }

    try Checkpoint.write(trainer, in: folder.path, provenance: [:])
    #expect(restore(trainer) == nil)
    var options = Self.options
    options.model = "cifar-plain8"
    #expect(
      restore(try options.trainer())
        == "\(model): this is a cifar-resnet8, not the cifar-plain8 that is asked for; "
        + "give the file that belongs to it")
    let other = TinyData.dataset(training: TinyData.images(64, seed: 99))
    #expect(
      restore(try Self.options.trainer(on: other))
        == "\(model): the run's training images differ from these (their mean is another); give "
        + "the data that it was started with")

    let state = folder["last.optimizer-3.safetensors"]
    try FileManager.default.removeItem(atPath: state)
    #expect(restore(trainer) == "\(state): there is no such file; check the path")
  }

  @Test(arguments: [
    ("step", "x"), ("step", "-1"), ("step", "11"), ("epoch", "1"), ("epoch", "-1"),
    ("epoch", "9223372036854775807"), ("loss_sum", "1.5"), ("error_sum", ""),
    ("warmup_steps", "-1"), ("warmup_steps", "9223372036854775807"), ("is_warm", "yes"),
  ])
  func damagedFields(field: String, value: String) throws {
    try expectDamage(field) { entries, metadata in metadata[field] = value }
    try expectDamage(field) { entries, metadata in metadata[field] = nil }
  }

  @Test(arguments: ["trainer.warmup_errors", "momentum/conv1.weight"])
  func damagedTensors(name: String) throws {
    try expectDamage(name) { entries, _ in entries.removeAll { $0.name == name } }
    try expectDamage(name) { entries, _ in
      entries.removeAll { $0.name == name }
      entries.append(SafetensorsEntry(name, Tensor<Float>([3], [1, 2, 3])))
    }
  }

  /// Writes a checkpoint, changes its state and expects the error that names the field.
  private func expectDamage(
    _ field: String, _ change: (inout [SafetensorsEntry], inout [String: String]) -> Void
  ) throws {
    let folder = try TemporaryFolder()
    let trainer = try interrupted(after: 3)
    try Checkpoint.write(trainer, in: folder.path, provenance: [:])
    let state = folder["last.optimizer-3.safetensors"]
    let file = try Safetensors(at: state)
    var metadata = file.metadata
    var entries = try file.names.map { SafetensorsEntry($0, try file.floats($0)) }
    change(&entries, &metadata)
    try Safetensors.write(entries, metadata: metadata, to: state)
    let before = trainer.slotBits
    #expect(throws: CheckpointError.damaged(file: state, field: field)) {
      try Checkpoint.restore(trainer, from: folder.path)
    }
    #expect(
      trainer.differences(from: before) == [], "nothing is taken over from a damaged checkpoint")
    #expect(
      CheckpointError.damaged(file: "f", field: "step").description
        == "f: 'step' is missing or wrong; training cannot resume from this state")
  }
}
