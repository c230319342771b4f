import ResidualFigures
import ResidualRuns

/// A run as people and machines see it from outside.
struct RunReport: Encodable {
  let folder: String
  let state: String
  let reason: String?
  let network: String?
  let step: Int?, steps: Int?
  /// Per cent, and what it was measured on.
  let bestError: Double?, bestPart: String?
  let imagesPerSecond: Double?, secondsLeft: Double?
  /// By the epochs that are done.
  private let epochs: [Epoch]

  private struct Epoch: Encodable {
    let epoch: Int, step: Int
    let trainingError: Double
    let error: Double?
  }

  init(_ run: RunSummary) {
    (folder, state, reason) = (run.folder, run.state.rawValue, run.reason)
    (network, step, steps) = (run.network, run.step, run.steps)
    (bestError, bestPart) = (run.best?.error, run.best?.part)
    (imagesPerSecond, secondsLeft) = (run.imagesPerSecond, run.secondsLeft)
    epochs = run.rows.map {
      Epoch(
        epoch: $0.epoch, step: $0.step, trainingError: $0.trainingError, error: $0.evaluatedError)
    }
  }

  var bestText: String {
    bestError.map { "\(NumberFormat.fixed($0, decimals: 2)) % (\(bestPart ?? ""))" } ?? ""
  }

  /// The state in words, and the curves.
  func lines(on terminal: Terminal, width: Int) -> [String] {
    let share = step.flatMap { step in steps.map { Double(step) / Double(max(1, $0)) } }
    var lines = ["\(folder): \(state)" + (reason.map { ", \($0)" } ?? "")].map(\.onOneLine)
    let rate = imagesPerSecond.map { ", \(NumberFormat.fixed($0, decimals: 0)) images/s" } ?? ""
    let left = secondsLeft.map { ", \(ProgressLine.time($0)) left" } ?? ""
    lines.append(
      "\((network ?? "?").onOneLine): step \(step?.grouped ?? "?") of \(steps?.grouped ?? "?")"
        + (share.map { " (\(NumberFormat.fixed(100 * $0, decimals: 1)) %)" } ?? "") + rate + left)
    if !bestText.isEmpty { lines.append("best error \(bestText)") }
    return lines + curves(columns: min(width, 100), on: terminal)
  }

  /// Training and measured error against the step.
  func curves(columns: Int, on terminal: Terminal) -> [String] {
    let training = epochs.map { TextChart.Point(x: Double($0.step), y: $0.trainingError) }
    let measured = epochs.compactMap { epoch in
      epoch.error.map { TextChart.Point(x: Double(epoch.step), y: $0) }
    }
    let chart = TextChart(
      [.init(name: "training", points: training), .init(name: bestPart ?? "", points: measured)],
      columns: columns, rows: 8)
    let styles: [Terminal.Style] = [.yellow, .green]
    let lines = chart.lines { terminal.styled($0, styles[$1 % styles.count]) }
    guard !lines.isEmpty else { return [] }
    let legend =
      terminal.styled("training error", .yellow)
      + (measured.isEmpty ? "" : ", " + terminal.styled("\(bestPart ?? "") error", .green))
      + ", per cent by step"
    return lines + [legend]
  }
}
