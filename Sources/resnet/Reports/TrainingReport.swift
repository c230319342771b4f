import ResidualFigures
import ResidualRuns

/// An evaluation as reports give it.
struct EvaluationReport: Encodable {
  struct Class: Encodable {
    let name: String
    let images: Int, correct: Int
    /// Per cent.
    let accuracy: Double
  }
  let images: Int
  /// Per cent.
  let top1: Double, top5: Double
  /// Mean cross-entropy in nats.
  let loss: Double
  /// Those that there are images of.
  let classes: [Class]?

  init(_ evaluation: Evaluation, classes: [Class]? = nil) {
    self.classes = classes
    images = evaluation.images
    top1 = evaluation.top1
    top5 = evaluation.top5
    loss = evaluation.loss
  }
}

/// How many images of each class are classified as such.
struct ClassAccuracies {
  private let names: [String]
  private var images: [Int], correct: [Int]

  init(_ names: [String]) {
    self.names = names
    images = Array(repeating: 0, count: names.count)
    correct = images
  }

  mutating func record(truth: Int, prediction: Int) {
    images[truth] += 1
    if truth == prediction { correct[truth] += 1 }
  }

  /// The classes that there are images of.
  var reports: [EvaluationReport.Class] {
    names.indices.filter { images[$0] > 0 }.map {
      EvaluationReport.Class(
        name: names[$0], images: images[$0], correct: correct[$0],
        accuracy: 100 * Double(correct[$0]) / Double(images[$0]))
    }
  }

  /// A table of them; more than a hundred are for machines.
  var text: String {
    let reports = reports
    guard reports.count <= 100 else {
      return "accuracy of each of \(reports.count.grouped) classes: add --json"
    }
    var table = TextTable([
      .init("class"), .init("images", .right), .init("correct", .right), .init("accuracy", .right),
    ])
    for report in reports {
      table.append([
        report.name.onOneLine, report.images.grouped, report.correct.grouped,
        NumberFormat.fixed(report.accuracy, decimals: 2) + " %",
      ])
    }
    return table.text
  }
}

/// What a run came to, as a document for machines.
struct TrainingReport: Encodable {
  let network: String
  let steps: Int
  /// Of this process; of a run that was over, nothing is known of its time and memory.
  let seconds: Double?
  let batchNormalization: String
  let plannedMemoryBytes: Int?
  /// What a step computed again to save memory.
  let recompute: String?
  /// Of the last epoch, as the network saw the images; per cent.
  let trainingError: Double
  let validation: EvaluationReport?, test: EvaluationReport?
  /// The best network's, where validation images chose one.
  let bestTest: EvaluationReport?
  /// How many tensors came from the initial checkpoint, and those of it that were not taken over;
  /// where the run has begun with it.
  private(set) var loadedTensors: Int?, replacedTensors: [String]?
  /// What training has left as it was.
  private(set) var frozenTensors: [String]?
  let folder: String
  let model: String, best: String?
  let curves: String

  /// Of a run that has ended just now.
  init<D>(_ run: Run<D>, _ result: RunResult, seconds: Double) {
    let learner = run.learner
    self.init(
      result, seconds: seconds, memory: learner.memory.total,
      recompute: learner.recomputation.rawValue)
    let transfer = run.isResumed ? nil : learner.transfer
    (loadedTensors, replacedTensors) = (transfer?.loaded.count, transfer?.replaced)
    frozenTensors = learner.network.frozen.isEmpty ? nil : learner.network.frozen.sorted()
  }

  /// Of a run that was over.
  init(_ result: RunResult) { self.init(result, seconds: nil, memory: nil, recompute: nil) }

  private init(_ result: RunResult, seconds: Double?, memory: Int?, recompute: String?) {
    (network, steps) = (result.network, result.steps)
    (self.seconds, plannedMemoryBytes, self.recompute) = (seconds, memory, recompute)
    batchNormalization = result.statistics.rawValue
    trainingError = result.trainingError
    validation = result.validation.map { EvaluationReport($0) }
    test = result.test.map { EvaluationReport($0) }
    bestTest = result.bestTest.map { EvaluationReport($0) }
    folder = result.folder
    (model, best, curves) = (result.model, result.best, result.curves)
  }

  /// Prints the document, or tells what was learnt, where it is, and what to type next.
  ///
  /// - Parameter dataPath: where the data are; `nil` for the built-in set.
  func show(asDocument isDocument: Bool, dataPath: String?, on terminal: Terminal) throws {
    if isDocument { try JSONDocument.print(self) }
    func show(_ line: String) { if isDocument { terminal.note(line) } else { print(line) } }
    func fixed(_ number: Double, _ decimals: Int) -> String {
      NumberFormat.fixed(number, decimals: decimals)
    }
    if best == nil {
      terminal.note(
        "no best.safetensors: without validation images (--validation 5000) there is nothing to "
          + "choose it on; the test images only report")
    }
    let time = seconds.map { ", " + ProgressLine.time($0) } ?? ""
    if let test {
      show(
        "test accuracy \(fixed(test.top1, 2)) % on \(test.images.grouped) images (loss \(fixed(test.loss, 3))), "
          + "training error \(fixed(trainingError, 2)) %" + time)
    } else {
      show("training error \(fixed(trainingError, 2)) %; there are no test images")
    }
    if let best { show("best on the validation images: \(best)") }
    show("network: \(model)")
    show("curves:  \(curves)")
    let data = dataPath.map { " " + shellQuoted($0) } ?? ""
    let part = test == nil ? " --part training" : ""
    let arguments = shellQuoted(model) + data + part + " --confusion confusion.svg"
    show("next:    \(programName) evaluate \(arguments)")
  }
}
