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
/// | `last.safetensors` | the network at the end, or where the run stopped |
/// | `best.safetensors` | the best on the validation images, if there are any |
/// | `device.json` | what a device needs for the same bits when the run is resumed, if anything |
package struct RunFolder: ~Copyable {
  /// The files of a run, beside ``Checkpoint/modelName``.
  package static let configName = "config.yaml", curvesName = "curves.svg"
  /// There only where the run has validation images.
  package static let bestName = "best.safetensors"
  static let metricsName = "metrics.csv", timingsName = "timings.csv"
  package static let deviceName = "device.json"

  /// Where the folder is, with the number that was appended to its name, if any.
  package let path: String
  /// The epochs that are recorded.
  package private(set) var rows: [MetricsRow] = []
  private var metrics: CSVWriter
  private var timings: CSVWriter

  /// Makes a new folder; an existing one is never touched: a number is appended to the name.
  ///
  /// - Parameters:
  ///   - parent: made where it is missing.
  /// - Throws: ``FileError``.
  package init(in parent: String, named name: String, _ options: RecipeOptions) throws {
    try Self.makeFolder(parent)
    var path = parent + "/" + name
    var number = 1
    while mkdir(path, 0o777) != 0 {
      guard errno == EEXIST else { throw Self.folderError(path) }
      number += 1
      path = parent + "/" + name + "-\(number)"
    }
    try AtomicFile.write(RecipeFile.text(options), to: path + "/" + Self.configName)
    try self.init(at: path, rows: [])
  }

  /// Opens the folder of an interrupted run, and forgets epochs after the step that it resumes from.
  ///
  /// - Throws: ``FileError``.
  package init(reopening path: String, at step: Int) throws {
    let name = path + "/" + Self.metricsName
    let file = try FileBytes(at: name)
    let text = file.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    let rows = text.split(separator: "\n").dropFirst().compactMap { MetricsRow(line: String($0)) }
      .filter { $0.step <= step }
    let lines = [CSVWriter.line(MetricsRow.columns)] + rows.map { CSVWriter.line($0.fields) }
    try AtomicFile.write(lines.joined(), to: name)
    try self.init(at: path, rows: rows)
  }

  private init(at path: String, rows: [MetricsRow]) throws {
    let metrics = try CSVWriter(
      at: path + "/" + Self.metricsName, columns: MetricsRow.columns, appending: true)
    let timings = try CSVWriter(
      at: path + "/" + Self.timingsName, columns: ["epoch", "seconds", "images_per_second"],
      appending: true)
    self.path = path
    self.rows = rows
    self.metrics = metrics
    self.timings = timings
  }

  /// Records an epoch.
  ///
  /// - Parameters:
  ///   - seconds: of wall-clock time, evaluation included.
  ///   - images: that were trained on, without those evaluated.
  /// - Returns: whether its error is the smallest so far.
  /// - Throws: ``FileError``.
  package mutating func record(_ row: MetricsRow, seconds: Double, images: Int) throws -> Bool {
    // Compared as they are written, so that a run that was resumed decides alike.
    let earlier = rows.compactMap(\.writtenError)
    let isBest = row.writtenError.map { error in earlier.allSatisfy { error < $0 } } ?? false
    rows.append(row)
    try metrics.append(row.fields)
    // The checkpoint that follows is durable, and a run resumes from both.
    try metrics.flush()
    try timings.append([
      String(row.epoch), MetricsRow.text(seconds, 3),
      MetricsRow.text(Double(images) / seconds, 1),
    ])
    return isBest
  }

  /// Draws the curves of all recorded epochs.
  ///
  /// - Parameter drops: the steps at which the rate falls.
  /// - Throws: ``FileError``.
  package borrowing func drawCurves(title: String, drops: [Int]) throws {
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
    let chart = LineChart(
      title: title, xTitle: "step", yTitle: "error (%)", series: series,
      markers: drops.filter { $0 < end }.map { .init(x: Double($0), label: "rate ÷ 10") })
    try AtomicFile.write(chart.svg, to: path + "/" + Self.curvesName)
  }

  // MARK: Finding

  /// The default name: the network and the time.
  package static func name(for network: Network, at date: Date = Date()) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyyMMdd-HHmmss"
    return network.name + "-" + formatter.string(from: date)
  }

  /// The folder of a run that can be resumed.
  ///
  /// - Parameter path: the folder, or its `last.safetensors`.
  /// - Throws: ``CheckpointError``, ``FileError``, `SafetensorsError`.
  package static func interrupted(at path: String) throws -> String {
    let isModel = path.split(separator: "/").last.map(String.init) == Checkpoint.modelName
    let folder = isModel ? AtomicFile.folder(of: path) : path
    let manager = FileManager.default
    guard manager.fileExists(atPath: folder + "/" + configName) else {
      throw CheckpointError.noRun(folder: folder)
    }
    guard manager.fileExists(atPath: folder + "/" + Checkpoint.modelName) else {
      throw CheckpointError.noCheckpoint(folder: folder)
    }
    guard try Checkpoint.stateName(in: folder) != nil else {
      throw CheckpointError.finished(file: folder + "/" + Checkpoint.modelName)
    }
    return folder
  }

  /// The interrupted run whose checkpoint is the newest.
  ///
  /// - Throws: ``CheckpointError/nothingToResume(folder:)``.
  package static func latestInterrupted(in parent: String) throws(CheckpointError) -> String {
    let manager = FileManager.default
    let names = (try? manager.contentsOfDirectory(atPath: parent)) ?? []
    let candidates = names.compactMap { name -> (folder: String, date: Date)? in
      let folder = "\(parent)/\(name)"
      let attributes = try? manager.attributesOfItem(atPath: folder + "/" + Checkpoint.modelName)
      guard let date = attributes?[.modificationDate] as? Date,
        (try? Checkpoint.stateName(in: folder)) != nil
      else { return nil }
      return (folder, date)
    }
    guard let latest = candidates.max(by: { $0.date < $1.date }) else {
      throw .nothingToResume(folder: parent)
    }
    return latest.folder
  }

  private static func makeFolder(_ path: String) throws(FileError) {
    var partial = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      partial += "/" + part
      if mkdir(partial, 0o777) != 0, errno != EEXIST { throw folderError(path) }
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw FileError(writing: path, .system(operation: "making a folder", code: ENOTDIR))
    }
  }

  private static func folderError(_ path: String) -> FileError {
    FileError(
      writing: path, FileProblem(code: errno, operation: "making a folder", folder: path))
  }
}
