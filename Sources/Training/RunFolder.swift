import ResidualFigures
import ResidualFormats

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

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
package struct RunFolder: ~Copyable {
  /// The files of a run, beside ``Checkpoint/modelName``.
  package static let configName = "config.yaml", curvesName = "curves.svg"
  /// There only where the run has validation images.
  package static let bestName = "best.safetensors"
  static let metricsName = "metrics.csv", timingsName = "timings.csv"

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
  ///   - config: the text of `config.yaml`.
  /// - Throws: ``FileError``.
  package init(in parent: String, named name: String, config: String) throws {
    try Self.makeFolder(parent)
    var path = parent + "/" + name
    var number = 1
    while mkdir(path, 0o777) != 0 {
      guard errno == EEXIST else { throw Self.folderError(path) }
      number += 1
      path = parent + "/" + name + "-\(number)"
    }
    try AtomicFile.write(config, to: path + "/" + Self.configName)
    try self.init(at: path, rows: [])
  }

  /// Opens the folder of an interrupted run, and forgets epochs after the step that it goes on from.
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

  /// How long an epoch took.
  package struct Timing: Hashable, Sendable {
    /// Wall-clock time, evaluation included.
    package let seconds: Double
    /// Images that were trained on, without those evaluated.
    package let images: Int
    /// - Parameter images: those that were trained on.
    package init(seconds: Double, images: Int) { (self.seconds, self.images) = (seconds, images) }
    /// `images / seconds`.
    package var imagesPerSecond: Double { Double(images) / seconds }
  }

  /// Records an epoch.
  ///
  /// - Returns: whether its error is the smallest so far.
  /// - Throws: ``FileError``.
  package mutating func record(_ row: MetricsRow, _ timing: Timing) throws -> Bool {
    // Compared as they are written, so that a run that was taken up again decides alike.
    let earlier = rows.compactMap(\.writtenError)
    let isBest = row.writtenError.map { error in earlier.allSatisfy { error < $0 } } ?? false
    rows.append(row)
    try metrics.append(row.fields)
    // The checkpoint that follows is durable, and a run goes on from both.
    try metrics.flush()
    try timings.append([
      String(row.epoch), text(timing.seconds, 3), text(timing.imagesPerSecond, 1),
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

  private static func makeFolder(_ path: String) throws(FileError) {
    var partial = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      partial += "/" + part
      if mkdir(partial, 0o777) != 0, errno != EEXIST { throw folderError(path) }
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw FileError(path, .system(operation: "making a folder", code: ENOTDIR))
    }
  }

  private static func folderError(_ path: String) -> FileError {
    switch errno {
    case EACCES, EPERM: FileError(path, .notPermitted)
    case EROFS: FileError(path, .readOnlyFileSystem)
    case ENOSPC, EDQUOT: FileError(path, .diskFull)
    case let code: FileError(path, .system(operation: "making a folder", code: code))
    }
  }
}

/// One row of `metrics.csv`.
package struct MetricsRow: Hashable, Sendable {
  static let columns = [
    "epoch", "step", "learning_rate", "train_loss", "train_error", "part", "loss", "error", "top5",
  ]

  /// Counted from 1.
  package let epoch: Int
  /// Steps that are done.
  package let step: Int
  /// That of the epoch's last step.
  package let learningRate: Float
  /// Mean cross-entropy in nats during the epoch, as the network saw the images.
  package let trainingLoss: Double
  /// Per cent of wrong samples, likewise.
  package let trainingError: Double
  /// `validation` or `test`, or nothing where the epoch was not evaluated.
  package let evaluatedPart: String
  /// Mean cross-entropy in nats; this and what follows is `nil` where the epoch was not evaluated.
  package let evaluatedLoss: Double?
  /// Per cent of the images whose class is not predicted.
  package let evaluatedError: Double?
  /// Per cent of the images whose class is among the first five.
  package let top5: Double?

  /// The row of an epoch.
  ///
  /// - Parameter part: what it was evaluated on: `validation` or `test`.
  package init(_ report: EpochReport, part: String) {
    epoch = report.epoch
    step = report.step
    learningRate = report.learningRate
    trainingLoss = report.trainingLoss
    trainingError = report.trainingError
    evaluatedPart = report.evaluation == nil ? "" : part
    evaluatedLoss = report.evaluation?.loss
    evaluatedError = report.evaluation?.error
    top5 = report.evaluation?.top5
  }

  /// A row as ``fields`` wrote it; `nil` for anything else, such as a line that a crash cut off.
  package init?(line: String) {
    let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard fields.count == Self.columns.count, let epoch = Int(fields[0]), let step = Int(fields[1]),
      let rate = Float(fields[2]), let loss = Double(fields[3]), let error = Double(fields[4])
    else { return nil }
    (self.epoch, self.step, learningRate) = (epoch, step, rate)
    (trainingLoss, trainingError, evaluatedPart) = (loss, error, fields[5])
    (evaluatedLoss, evaluatedError, top5) = (
      Double(fields[6]), Double(fields[7]), Double(fields[8])
    )
  }

  /// The error with the decimals that the table keeps.
  var writtenError: Double? { evaluatedError.flatMap { Double(text($0, 4)) } }

  var fields: [String] {
    func optional(_ number: Double?, _ decimals: Int) -> String {
      number.map { text($0, decimals) } ?? ""
    }
    return [
      String(epoch), String(step), "\(learningRate)", text(trainingLoss, 6),
      text(trainingError, 4), evaluatedPart, optional(evaluatedLoss, 6),
      optional(evaluatedError, 4), optional(top5, 4),
    ]
  }
}

private func text(_ number: Double, _ decimals: Int) -> String {
  NumberFormat.fixed(number, decimals: decimals)
}
