import Foundation
import ResidualRuns
import ResidualTestSupport
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

  @Test func whatAFolderHolds() throws {
    let parent = try TemporaryFolder()
    var run = try RunFolder(in: parent.path, named: "run", Self.options(seed: 1))
    #expect(try run.record(try Self.row(1, error: 40), seconds: 2, images: 64))
    #expect(try run.record(try Self.row(2, error: nil), seconds: 2, images: 64) == false)
    try run.drawCurves(title: "cifar-resnet20", drops: [6, 100])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run.path).sorted()
        == ["config.yaml", "curves.svg", "metrics.csv", "timings.csv"])
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
    let curves = try parent.text("run/curves.svg")
    #expect(curves.contains("<svg") && curves.contains("cifar-resnet20"))
    #expect(curves.contains("rate ÷ 10"))
  }

  @Test func theBestIsTheFirstOfTheSmallest() throws {
    let parent = try TemporaryFolder()
    var run = try RunFolder(in: parent.path, named: "run", RecipeOptions())
    let errors: [Double?] = [nil, 50, 50, 60, 49.5, nil, 49.5, 0]
    let best = try errors.enumerated().map {
      try run.record(Self.row($0.offset + 1, error: $0.element), seconds: 2, images: 64)
    }
    #expect(best == [false, true, false, false, true, false, false, true])
  }

  /// An equal error is not better because the earlier one was read from a file.
  @Test func theBestIsTheSameAfterReopening() throws {
    let parent = try TemporaryFolder()
    let third = 100.0 / 3
    let twoThirds = 200.0 / 3
    for error in [third, twoThirds] {
      let name = "run\(Int(error))"
      var run = try RunFolder(in: parent.path, named: name, RecipeOptions())
      _ = try run.record(try Self.row(1, error: error), seconds: 2, images: 64)
      var again = try RunFolder(reopening: parent[name], at: 4)
      #expect(try again.record(try Self.row(2, error: error), seconds: 2, images: 64) == false)
    }
  }

  @Test func reopeningForgetsLaterEpochs() throws {
    let parent = try TemporaryFolder()
    var run = try RunFolder(in: parent.path, named: "run", RecipeOptions())
    for epoch in 1...3 { _ = try run.record(try Self.row(epoch), seconds: 2, images: 64) }
    let rows = run.rows
    let again = try RunFolder(reopening: run.path, at: 10)
    #expect(again.rows == Array(rows.prefix(2)))
    #expect(try parent.text("run/metrics.csv").split(separator: "\n").count == 3)

    // A row that a crash cut off is no row.
    let table = try parent.text("run/metrics.csv")
    try (table + "3,12,0.1,1.5").write(
      toFile: parent["run/metrics.csv"], atomically: false, encoding: .utf8)
    var third = try RunFolder(reopening: run.path, at: 12)
    #expect(third.rows == Array(rows.prefix(2)))
    _ = try third.record(rows[2], seconds: 2, images: 64)
    for (step, kept) in [(12, rows), (0, [])] {
      let last = try RunFolder(reopening: run.path, at: step)
      #expect(last.rows == kept)
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
    #expect(throws: FileError(parent["none/metrics.csv"], .missing)) {
      _ = try RunFolder(reopening: parent["none"], at: 1)
    }
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
