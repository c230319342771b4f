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
  let seconds: Double
  let batchNormalization: String
  let plannedMemoryBytes: Int
  /// What a step computed again to save memory.
  let recompute: String
  /// Of the last epoch, as the network saw the images; per cent.
  let trainingError: Double
  let validation: EvaluationReport?, test: EvaluationReport?
  /// The best network's, where validation images chose one.
  let bestTest: EvaluationReport?
  /// How many tensors came from the initial checkpoint, and those of it that were not taken over;
  /// where the run has begun with it.
  let loadedTensors: Int?, replacedTensors: [String]?
  /// What training has left as it was.
  let frozenTensors: [String]?
  let folder: String
  let model: String, best: String?
  let curves: String

  init<D>(_ run: Run<D>, _ result: RunResult, seconds: Double) {
    let learner = run.learner
    network = learner.network.name
    steps = learner.progress.step
    self.seconds = seconds
    batchNormalization = result.statistics.rawValue
    plannedMemoryBytes = learner.memory.total
    recompute = learner.recomputation.rawValue
    trainingError = result.trainingError
    validation = result.validation.map { EvaluationReport($0) }
    test = result.test.map { EvaluationReport($0) }
    bestTest = result.bestTest.map { EvaluationReport($0) }
    let transfer = run.isResumed ? nil : learner.transfer
    (loadedTensors, replacedTensors) = (transfer?.loaded.count, transfer?.replaced)
    frozenTensors = learner.network.frozen.isEmpty ? nil : learner.network.frozen.sorted()
    folder = run.folder
    (model, best, curves) = (result.model, result.best, result.curves)
  }
}
