import ResidualFigures
import ResidualTraining

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
  /// Mean cross-entropy in nats; this and what follows is `nil` if the epoch was not evaluated.
  package let evaluatedLoss: Double?
  /// Per cent of the images whose class is not predicted.
  package let evaluatedError: Double?
  /// Per cent of the images whose class is among the first five.
  package let top5: Double?

  /// The row of an epoch.
  package init(_ report: EpochReport) {
    epoch = report.epoch
    step = report.step
    learningRate = report.learningRate
    trainingLoss = report.trainingLoss
    trainingError = report.trainingError
    evaluatedPart = report.part?.rawValue ?? ""
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

  /// The table of epochs.
  package static func table(_ rows: [MetricsRow]) -> String {
    ([columns] + rows.map(\.fields)).map(CSVWriter.line).joined()
  }

  /// The epochs of a table; lines that are none, such as one that a crash cut off, are left out.
  package static func rows(of table: String) -> [MetricsRow] {
    table.split(separator: "\n").dropFirst().compactMap { MetricsRow(line: String($0)) }
  }

  /// The row as it will be read back, so that a run that was resumed decides and says the same.
  var asWritten: MetricsRow { MetricsRow(line: fields.joined(separator: ",")) ?? self }

  var fields: [String] {
    [
      String(epoch), String(step), "\(learningRate)", Self.text(trainingLoss, 6),
      Self.text(trainingError, 4), evaluatedPart, Self.text(evaluatedLoss, 6),
      Self.text(evaluatedError, 4), Self.text(top5, 4),
    ]
  }

  /// The number as tables have it; nothing if there is none.
  static func text(_ number: Double?, _ decimals: Int) -> String {
    number.map { NumberFormat.fixed($0, decimals: decimals) } ?? ""
  }
}
