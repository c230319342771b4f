import ResidualRuns

/// An evaluation as reports give it.
struct EvaluationReport: Encodable {
  let images: Int
  /// Per cent.
  let top1: Double, top5: Double
  /// Mean cross-entropy in nats.
  let loss: Double

  init(_ evaluation: Evaluation) {
    images = evaluation.images
    top1 = evaluation.top1
    top5 = evaluation.top5
    loss = evaluation.loss
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
    validation = result.validation.map(EvaluationReport.init)
    test = result.test.map(EvaluationReport.init)
    bestTest = result.bestTest.map(EvaluationReport.init)
    let transfer = run.isResumed ? nil : learner.transfer
    (loadedTensors, replacedTensors) = (transfer?.loaded.count, transfer?.replaced)
    frozenTensors = learner.network.frozen.isEmpty ? nil : learner.network.frozen.sorted()
    folder = run.folder
    (model, best, curves) = (result.model, result.best, result.curves)
  }
}
