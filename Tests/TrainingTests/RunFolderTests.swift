import Foundation
import ResidualRuns
import ResidualTestSupport
import Synchronization
import Testing

@Suite struct RunFolderTests {
  private static func row(_ epoch: Int, error: Double? = 50) throws -> MetricsRow {
    let evaluation = error.map { "test,1.25,\($0),99.0" } ?? ",,,"
    return try #require(MetricsRow(line: "\(epoch),\(4 * epoch),0.1,1.5,62.5,\(evaluation)"))
  }
  private static func options(seed: Int) -> RecipeOptions {
    var options = RecipeOptions()
    options.seed = UInt64(seed)
    return options
  }

  @Test func foldersAreNeverOverwritten() throws {
    let parent = try TemporaryFolder()
    let paths = try (1...3).map { number -> String in
      try RunFolder(in: parent["runs/deep"], named: "run", Self.options(seed: number)).path
    }
    #expect(paths == ["run", "run-2", "run-3"].map { parent["runs/deep/" + $0] })
    for number in 1...3 {
      let name = number == 1 ? "run" : "run-\(number)"
      #expect(try parent.text("runs/deep/\(name)/config.yaml") == "seed: \(number)\n")
    }
    // A file of that name is not touched either.
    try "mine".write(toFile: parent["file"], atomically: false, encoding: .utf8)
    let beside = try RunFolder(in: parent.path, named: "file", RecipeOptions())
    #expect(beside.path == parent["file-2"])
    #expect(try parent.text("file") == "mine")
  }

  /// What one save writes, and that each failure of a call leaves what was there before.
  @Test func whatAFolderHolds() throws {
    let parent = try TemporaryFolder()
    let run = try RunFolder(in: parent.path, named: "run", Self.options(seed: 1))
    let trainer = try RecipeOptions.tiny(steps: 12).trainer()
    let rows = [try Self.row(1, error: 40), try Self.row(2, error: nil)]
    let save = PendingSave(
      snapshot: Snapshot(of: trainer, rows: rows), best: trainer.model(),
      timings: [["1", "2.000", "32.0"], ["2", "2.000", "32.0"]])
    try run.save(
      save, title: "cifar-resnet20", policy: CheckpointOptions(),
      schedule: Schedule(steps: 12, rate: 0.1, milestones: [6, 100]))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run.path).sorted()
        == [
          "best.safetensors", "config.yaml", "curves.svg", "last.safetensors", "metrics.csv",
          "run.lock", "timings.csv",
        ])
    #expect(
      try parent.text("run/metrics.csv") == """
        epoch,step,learning_rate,train_loss,train_error,part,loss,error,top5
        1,4,0.1,1.500000,62.5000,test,1.250000,40.0000,99.0000
        2,8,0.1,1.500000,62.5000,,,,

        """)
    #expect(
      try parent.text("run/timings.csv") == """
        epoch,seconds,images_per_second
        1,2.000,32.0
        2,2.000,32.0

        """)
    #expect(run.timings(epochs: 1) == [["1", "2.000", "32.0"]])
    let curves = try parent.text("run/curves.svg")
    #expect(curves.contains("<svg") && curves.contains("cifar-resnet20"))
    #expect(curves.contains("rate ÷ 10"))
    let checkpoint = try #require(try Checkpoint(at: parent["run/last.safetensors"]))
    #expect(checkpoint.rows == rows)
  }

  /// A line that a crash cut off is no row.
  @Test func rowsOfATable() throws {
    let rows = try (1...3).map { try Self.row($0) }
    let table = MetricsRow.table(rows)
    #expect(MetricsRow.rows(of: table) == rows)
    #expect(MetricsRow.rows(of: table + "4,16,0.1,1.5") == rows)
    #expect(MetricsRow.rows(of: "") == [])
  }

  /// Each call that can fail fails once: the run's newest checkpoint stays readable, and nothing else is
  /// left.
  @Test(arguments: ["create", "write", "synchronize", "rename"])
  func failuresWhileSaving(call: String) throws {
    let parent = try TemporaryFolder()
    let options = RecipeOptions.tiny(steps: 100)
    let faults = FaultyCalls(call)
    let run = try RunFolder(in: parent.path, named: "run", options, calls: faults.calls)
    let trainer = try options.trainer(on: TinyData.dataset(1600))
    let policy = CheckpointOptions()
    let schedule = trainer.recipe.schedule
    func save() throws {
      try run.save(
        PendingSave(snapshot: Snapshot(of: trainer), best: trainer.model(), timings: []),
        title: "x", policy: policy, schedule: schedule)
    }
    try save()
    // How many such calls a save makes.
    faults.reset()
    _ = try trainer.step()
    try save()
    let count = faults.count
    #expect(count > 3)
    for failing in stride(from: 0, to: count, by: max(1, count / 20)) {
      let before = trainer.progress.step
      _ = try trainer.step()
      faults.reset(failingAt: failing)
      let error = #expect(throws: FileError.self) { try save() }
      #expect(error?.problem == .diskFull || error == nil)
      let checkpoint = try #require(try Checkpoint(at: parent["run/last.safetensors"]))
      // The last synchronisation is that of the folder: the new file is there already.
      #expect([before, before + 1].contains(checkpoint.step ?? -1), "\(call) \(failing)")
      let names = try parent.files(in: "run")
      #expect(!names.contains { $0.hasSuffix(".tmp") }, "\(names)")
      faults.reset()
      try save()
    }
  }

  /// Where a new run's folder cannot be filled, nothing is left.
  @Test(arguments: ["create", "write", "synchronize", "rename", "makeFolder"])
  func failuresWhileBeginning(call: String) throws {
    for failing in 0..<2 {
      let parent = try TemporaryFolder()
      let faults = FaultyCalls(call)
      faults.reset(failingAt: failing)
      do {
        _ = try RunFolder(
          in: parent["deep/runs"], named: "run", RecipeOptions(), calls: faults.calls)
        #expect(faults.count <= failing)
      } catch {
        #expect(error is FileError)
        #expect(try parent.names == [], "\(call) \(failing)")
      }
    }
  }

  @Test func impossibleFolders() throws {
    let parent = try TemporaryFolder()
    try "x".write(toFile: parent["file"], atomically: false, encoding: .utf8)
    for path in [parent["file"], parent["file/inside"]] {
      #expect(throws: FileError.self) { _ = try RunFolder(in: path, named: "run", RecipeOptions()) }
    }
    #expect(throws: FileError.self) {
      _ = try RunFolder(in: parent.path, named: "no/such/folder", RecipeOptions())
    }
    #expect(throws: FileError.self) { _ = try RunFolder(reopening: parent["none"]) }
    #expect(throws: FileError.self) {
      _ = try RunFolder(in: "/proc", named: "run", RecipeOptions())
    }
  }

  /// The superuser may write everywhere.
  @Test(.enabled(if: getuid() != 0, "the superuser may write into any folder"))
  func foldersWithoutPermission() throws {
    let parent = try TemporaryFolder()
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: parent.path)
    for path in [parent.path, parent["new"]] {
      #expect(throws: FileError.self) { _ = try RunFolder(in: path, named: "run", RecipeOptions()) }
    }
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: parent.path)
  }
}

/// System calls of which one kind fails at one call.
private final class FaultyCalls: Sendable {
  private let state = Mutex((count: 0, failing: -1))
  private let kind: String
  init(_ kind: String) { self.kind = kind }

  var count: Int { state.withLock(\.count) }
  func reset(failingAt failing: Int = -1) { state.withLock { $0 = (0, failing) } }

  /// Whether this call is to fail.
  private func fails(_ kind: String) -> Bool {
    guard kind == self.kind else { return false }
    let fails = state.withLock { state in
      state.count += 1
      return state.count - 1 == state.failing
    }
    if fails { errno = ENOSPC }
    return fails
  }

  var calls: SystemCalls {
    let real = SystemCalls.real
    return SystemCalls(
      create: { self.fails("create") ? -1 : real.create($0) },
      makeFolder: { self.fails("makeFolder") ? -1 : real.makeFolder($0) },
      write: { self.fails("write") ? -1 : real.write($0, $1, $2) },
      synchronize: { self.fails("synchronize") ? -1 : real.synchronize($0) },
      rename: { self.fails("rename") ? -1 : real.rename($0, $1) })
  }
}
