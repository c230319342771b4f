import Foundation
import ResidualFigures
import ResidualTraining

/// The folder of one training run: what was asked for, how it went, what came out.
///
/// | file | content |
/// |---|---|
/// | `config.yaml` | the recipe, fully resolved |
/// | `metrics.csv` | a row an epoch; the same for equal runs |
/// | `timings.csv` | seconds and images a second, apart, because they never repeat |
/// | `curves.svg` | training and test error |
/// | `last.safetensors` | the newest checkpoint; when the run is over, the network at the end |
/// | `best.safetensors` | the best on the validation images, if there are any |
/// | `checkpoint-N.safetensors` | older checkpoints, by their step |
/// | `result.json` | what the run came to, when it is over |
/// | `device.json` | what a device needs for the same bits when the run is resumed, if anything |
/// | `status.json` | how far the run has come, every few seconds, for other programs |
/// | `run.lock` | there while a process works on the run |
///
/// Every file is written whole or not at all, and one thread at a time writes.
package final class RunFolder: Sendable {
  /// The files of a run.
  package static let configName = "config.yaml", curvesName = "curves.svg"
  package static let lastName = "last.safetensors", bestName = "best.safetensors"
  package static let metricsName = "metrics.csv", timingsName = "timings.csv"
  package static let deviceName = "device.json", resultName = "result.json"

  /// Where the folder is, with the number that was appended to its name, if any.
  package let path: String
  private let lock: LockHolder
  private let calls: SystemCalls

  /// Keeps the lock for as long as the folder is in use.
  private final class LockHolder: Sendable {
    let lock: RunLock
    init(_ lock: consuming RunLock) { self.lock = lock }
  }

  /// Makes a new folder; an existing one is never touched: a number is appended to the name. Where it
  /// cannot be filled, nothing is left.
  ///
  /// - Parameters:
  ///   - parent: made where it is missing.
  /// - Throws: ``FileError``.
  package init(
    in parent: String, named name: String, _ options: RecipeOptions, calls: SystemCalls = .real
  ) throws {
    let made = try Self.makeFolder(parent, calls)
    var path = parent + "/" + name
    var number = 1
    do {
      while calls.makeFolder(path) != 0 {
        guard errno == EEXIST else { throw Self.folderError(path) }
        number += 1
        path = parent + "/" + name + "-\(number)"
      }
      do {
        lock = LockHolder(try RunLock(of: path))
        try AtomicFile.write(
          RecipeFile.text(options), to: path + "/" + Self.configName, calls: calls)
      } catch {
        try? FileManager.default.removeItem(atPath: path)
        throw error
      }
    } catch {
      for folder in made.reversed() { rmdir(folder) }
      throw error
    }
    (self.path, self.calls) = (path, calls)
  }

  /// Opens the folder of an interrupted run.
  ///
  /// - Throws: ``RunInUse``, ``FileError``.
  package init(reopening path: String, calls: SystemCalls = .real) throws {
    lock = LockHolder(try RunLock(of: path))
    (self.path, self.calls) = (path, calls)
  }

  /// The path of one of the run's files.
  package func file(_ name: String) -> String { path + "/" + name }

  /// Removes the folder of a run that has done nothing.
  package func discard() { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a text whole or not at all.
  ///
  /// - Throws: ``FileError``.
  package func write(_ text: String, to name: String) throws {
    try AtomicFile.write(text, to: file(name), calls: calls)
  }

  /// Writes a text that need not outlive a crash of the machine; a failure is no matter.
  func note(_ text: String, to name: String) {
    guard var file = try? AtomicFile(at: file(name)) else { return }
    guard (try? file.append(text)) != nil else { return }
    try? file.commit(isDurable: false)
  }

  // MARK: Checkpoints

  /// Writes a checkpoint and what belongs to it. Whatever moment the machine stops, the newest checkpoint
  /// that was durable before is still there.
  ///
  /// - Throws: ``FileError``, `SafetensorsError`.
  package func save(
    _ save: PendingSave, title: String, policy: CheckpointOptions, schedule: Schedule
  ) throws {
    // The best network first: a run that is resumed from an older checkpoint finds it again.
    if let best = save.best { try write(best, to: Self.bestName) }
    if let timings = save.timings {
      try write(MetricsRow.table(save.snapshot.rows), to: Self.metricsName)
      try write(
        ([["epoch", "seconds", "images_per_second"]] + timings).map(CSVWriter.line).joined(),
        to: Self.timingsName)
      try write(
        curves(save.snapshot.rows, title: title, drops: schedule.milestones), to: Self.curvesName)
    }
    let last = file(Self.lastName)
    try save.snapshot.write(to: last, calls: calls) {
      keepOld(last, before: save.snapshot.progress.step)
    }
    prune(policy, steps: schedule.steps)
  }

  /// Writes a model that is no checkpoint.
  ///
  /// - Throws: ``FileError``, `SafetensorsError`.
  func write(_ model: ModelFile, to name: String) throws {
    var file = try AtomicFile(at: file(name), calls: calls)
    try Safetensors.write(model.entries, metadata: model.metadata, into: &file)
    try file.commit()
  }

  /// Gives the checkpoint that is about to be replaced a second name.
  func keepOld(_ last: String, before step: Int) {
    guard let old = Self.step(ofCheckpointAt: last), old != step else { return }
    let older = file(Self.name(ofCheckpoint: old))
    // What is there has been passed over.
    unlink(older)
    // Some file systems have no links; there the old one is renamed, and for a moment it alone is there.
    if link(last, older) != 0 { _ = calls.rename(last, older) }
  }

  /// Removes older checkpoints but for those that are to be kept.
  private func prune(_ policy: CheckpointOptions, steps: Int) {
    let spare = Self.olderSteps(in: path).filter { !policy.isRung($0, of: steps) }
    for step in spare.dropFirst(policy.kept ?? 1) { unlink(file(Self.name(ofCheckpoint: step))) }
  }

  /// Removes what only resuming needs, when the final network is there.
  func clear(_ policy: CheckpointOptions, steps: Int) {
    for step in Self.olderSteps(in: path) where !policy.isRung(step, of: steps) {
      unlink(file(Self.name(ofCheckpoint: step)))
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where FormerCheckpoint.isStateName(name) { unlink(file(name)) }
  }

  static func name(ofCheckpoint step: Int) -> String { "checkpoint-\(step).safetensors" }

  /// The steps of the older checkpoints in a folder, the newest first.
  static func olderSteps(in folder: String) -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.compactMap { name -> Int? in
      guard name.hasPrefix("checkpoint-"), name.hasSuffix(".safetensors"),
        let step = Int(name.dropFirst(11).dropLast(12)), Self.name(ofCheckpoint: step) == name
      else { return nil }
      return step
    }.sorted(by: >)
  }

  /// The step of a checkpoint, of which no tensor is read.
  private static func step(ofCheckpointAt path: String) -> Int? {
    (try? Safetensors(at: path))?.metadata[Checkpoint.Field.step.name].flatMap { Int($0) }
  }

  // MARK: Tables

  /// The epochs of a run whose checkpoint does not have them, up to a step.
  ///
  /// - Throws: ``FileError``.
  func formerRows(upTo step: Int) throws -> [MetricsRow] {
    let file = try FileBytes(at: file(Self.metricsName))
    let text = file.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    return MetricsRow.rows(of: text).filter { $0.step <= step }
  }

  /// The rows of `timings.csv` for so many epochs.
  package func timings(epochs: Int) -> [[String]] {
    guard let file = try? FileBytes(at: file(Self.timingsName)) else { return [] }
    let text = file.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    let rows = text.split(separator: "\n").dropFirst().map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return rows.filter { row in row.count == 3 && Int(row[0]).map { $0 <= epochs } == true }
  }

  /// The curves of all epochs.
  ///
  /// - Parameter drops: the steps at which the rate falls.
  private func curves(_ rows: [MetricsRow], title: String, drops: [Int]) -> String {
    var series = [
      LineChart.Series(
        name: "training", points: rows.map { .init(x: Double($0.step), y: $0.trainingError) },
        isDashed: true)
    ]
    let evaluated = rows.compactMap { row in
      row.evaluatedError.map { LineChart.Point(x: Double(row.step), y: $0) }
    }
    if !evaluated.isEmpty {
      series.append(.init(name: rows[0].evaluatedPart, points: evaluated, isBold: true))
    }
    let end = rows.last?.step ?? 0
    return LineChart(
      title: title, xTitle: "step", yTitle: "error (%)", series: series,
      markers: drops.filter { $0 < end }.map { .init(x: Double($0), label: "rate ÷ 10") }
    ).svg
  }

  // MARK: Making

  /// The default name: the network and the time.
  package static func name(for network: Network, at date: Date = Date()) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyyMMdd-HHmmss"
    return network.name + "-" + formatter.string(from: date)
  }

  /// Makes a folder and those above it.
  ///
  /// - Returns: what was made, the outermost first.
  private static func makeFolder(_ path: String, _ calls: SystemCalls) throws(FileError) -> [String]
  {
    var partial = path.hasPrefix("/") ? "" : "."
    var made: [String] = []
    for part in path.split(separator: "/") {
      partial += "/" + part
      if calls.makeFolder(partial) == 0 {
        made.append(partial)
      } else if errno != EEXIST {
        let error = folderError(path)
        for folder in made.reversed() { rmdir(folder) }
        throw error
      }
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw FileError(writing: path, .system(operation: "making a folder", code: ENOTDIR))
    }
    return made
  }

  private static func folderError(_ path: String) -> FileError {
    FileError(
      writing: path, FileProblem(code: errno, operation: "making a folder", folder: path))
  }
}
