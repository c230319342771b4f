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

  /// One file, which every reader takes for a model, with a digest of each section.
  @Test func whatACheckpointHolds() throws {
    let folder = try TemporaryFolder()
    let path = folder["last.safetensors"]
    let trainer = try interrupted(after: 3)
    try Checkpoint.write(trainer, in: folder.path, provenance: ["data": "colours"])
    #expect(try folder.names == ["last.safetensors"])
    let model = try ModelFile(at: path)
    #expect(model.tensors == trainer.model().tensors)
    #expect(model.provenance == ["data": "colours", "step": "3"])
    let file = try Safetensors(at: path)
    #expect(file.names.contains("training/momentum/conv1.weight"))
    #expect(file.metadata.keys.filter { $0.hasPrefix("sha256.") }.count == 3)
    #expect(file.metadata["training.recipe"] == RecipeFile.text(trainer.recipe.options))
    let checkpoint = try #require(try Checkpoint(at: path))
    #expect(checkpoint.step == 3 && checkpoint.rows == [])
    // A model alone is none.
    try trainer.model().write(to: path)
    #expect(try Checkpoint(at: path) == nil)
  }

  /// The digests by another way: hashes of lines, from the file's bytes, by `sha256sum`.
  @Test func digestsAreThoseOfTheGuide() throws {
    let folder = try TemporaryFolder()
    try Checkpoint.write(try interrupted(after: 3), in: folder.path)
    let file = try Safetensors(at: folder["last.safetensors"])
    func hash(_ bytes: [UInt8]) throws -> String {
      try bytes.withUnsafeBufferPointer {
        try Data($0).write(to: URL(fileURLWithPath: folder["bytes"]))
      }
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["sha256sum", folder["bytes"]]
      let pipe = Pipe()
      process.standardOutput = pipe
      try process.run()
      let output = try #require(try pipe.fileHandleForReading.readToEnd())
      return String(decoding: output.prefix(64), as: UTF8.self)
    }
    for (section, isTraining) in [("model", false), ("training", true)] {
      var lines = ""
      for name in file.names.sorted() where name.hasPrefix("training/") == isTraining {
        let record = try #require(file[name])
        let bytes = file.file.withUnsafeBytes(in: record.range) { Array($0) }
        let extents = record.shape.extents.map(String.init).joined(separator: ",")
        lines += "\(name) F32 \(extents) \(try hash(bytes))\n"
      }
      #expect(try file.metadata["sha256.\(section)"] == hash(Array(lines.utf8)), "\(section)")
    }
  }

  /// Every byte of a small checkpoint, one bit each; and every length.
  @Test func everyDamageIsNoticed() throws {
    let folder = try TemporaryFolder()
    let path = folder["last.safetensors"]
    let trainer = try interrupted(after: 3)
    try Checkpoint.write(trainer, in: folder.path)
    let whole = try folder.data("last.safetensors")
    var source = RandomSource(RandomKey(seed: 3))
    func isNoticed(_ bytes: Data) throws -> Bool {
      try bytes.write(to: URL(fileURLWithPath: path))
      do {
        _ = try Checkpoint(at: path)
        return false
      } catch { return error is any Refusal }
    }
    let header = whole.withUnsafeBytes { Int($0.loadUnaligned(as: UInt64.self)) } + 8
    for number in 0..<300 {
      var bytes = whole
      // The header is small, and the rest is large: both in equal parts.
      let index = source.index(below: number % 2 == 0 ? header : bytes.count)
      bytes[index] ^= 1 << UInt8(source.index(below: 8))
      #expect(try isNoticed(bytes), "a bit of byte \(index)")
    }
    for length in stride(from: 0, to: whole.count, by: 4096) {
      #expect(try isNoticed(whole.prefix(length)), "\(length) bytes")
    }
    #expect(try isNoticed(whole + [0]))
    #expect(try isNoticed(whole) == false)
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
    try Checkpoint.write(trainer, in: folder.path)
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
  }

  @Test(arguments: [
    ("step", "x"), ("step", "-1"), ("step", "11"), ("epoch", "1"), ("epoch", "-1"),
    ("epoch", "9223372036854775807"), ("loss_sum", "1.5"), ("error_sum", ""),
    ("warmup_steps", "-1"), ("warmup_steps", "9223372036854775807"), ("is_warm", "yes"),
  ])
  func damagedFields(field: String, value: String) throws {
    try expectDamage("training." + field) { _, metadata in metadata["training." + field] = value }
    try expectDamage("training." + field) { _, metadata in metadata["training." + field] = nil }
  }

  @Test(arguments: ["training/warmup_errors", "training/momentum/conv1.weight"])
  func damagedTensors(name: String) throws {
    try expectDamage(name) { entries, _ in entries.removeAll { $0.name == name } }
    try expectDamage(name) { entries, _ in
      entries.removeAll { $0.name == name }
      entries.append(SafetensorsEntry(name, Tensor<Float>([3], [1, 2, 3])))
    }
  }

  /// Writes a checkpoint with other contents and the digests that belong to them, and expects the error
  /// that names the field: digests are no signature.
  private func expectDamage(
    _ field: String, _ change: (inout [SafetensorsEntry], inout [String: String]) -> Void
  ) throws {
    let folder = try TemporaryFolder()
    let trainer = try interrupted(after: 3)
    let path = folder["last.safetensors"]
    let snapshot = Snapshot(of: trainer)
    var (entries, metadata) = (snapshot.entries, snapshot.metadata)
    change(&entries, &metadata)
    let digests = try CheckpointDigests(of: entries, metadata)
    try Safetensors.write(
      entries, metadata: metadata.merging(digests.fields) { $1 }, to: path)
    let before = trainer.slotBits
    #expect(throws: CheckpointError.damaged(file: path, field: field)) {
      try Checkpoint.restore(trainer, from: folder.path)
    }
    #expect(
      trainer.differences(from: before) == [], "nothing is taken over from a damaged checkpoint")
    #expect(
      CheckpointError.damaged(file: "f", field: "step").description
        == "f: 'step' is missing or wrong; training cannot resume from this state")
  }

  @Test func laterVersionsAreRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder["last.safetensors"]
    let snapshot = Snapshot(of: try interrupted(after: 3))
    let metadata = snapshot.metadata.merging(["training.version": "3"]) { $1 }
    let digests = try CheckpointDigests(of: snapshot.entries, metadata)
    try Safetensors.write(
      snapshot.entries, metadata: metadata.merging(digests.fields) { $1 }, to: path)
    #expect(throws: CheckpointError.newerVersion(file: path, version: 3)) {
      try Checkpoint(at: path)
    }
  }
}
