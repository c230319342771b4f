import ResidualCPU
import ResidualTraining

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

/// What a run came to.
struct TrainingResult: Encodable {
  let network: String
  let steps: Int
  let seconds: Double
  let batchNormalization: String
  /// On the training images in the plain view.
  let training: EvaluationReport
  let validation: EvaluationReport?
  let test: EvaluationReport?
  /// The best network's, where validation images chose one.
  let bestTest: EvaluationReport?
  let folder: String
  let model: String
  let best: String?

  /// Computes the final statistics, evaluates, and writes the final networks.
  init(
    finishing trainer: Trainer<CPUDevice>, in folder: String, provenance: [String: String],
    log: inout TrainingLog
  ) throws {
    log.finishTraining()
    let isExact = trainer.recipe.usesExactStatistics
    let statistics: ModelFile.Statistics = isExact ? .exact : .moving
    let clock = ContinuousClock()
    func finish(writing name: String) throws -> (test: EvaluationReport?, path: String) {
      if isExact { try trainer.computeExactStatistics { _ in try Interruption.check() } }
      let path = folder + "/" + name
      try OutputError.wrap {
        try trainer.model(statistics: statistics, provenance: provenance).write(to: path)
      }
      return (try trainer.evaluateTest().map(EvaluationReport.init), path)
    }

    let lastPath = folder + "/" + Checkpoint.modelName
    let state = Checkpoint.stateName(of: try ModelFile(at: lastPath))
    (test, model) = try finish(writing: Checkpoint.modelName)
    Checkpoint.removeState(named: state, in: folder)
    training = EvaluationReport(try trainer.evaluateTraining())
    validation = try trainer.evaluateValidation().map(EvaluationReport.init)
    if trainer.hasValidation {
      trainer.use(try ModelFile(at: folder + "/" + RunFolder.bestName))
      let (test, path) = try finish(writing: RunFolder.bestName)
      (bestTest, best) = (test, path)
    } else {
      (bestTest, best) = (nil, nil)
    }
    network = trainer.network.name
    steps = trainer.step
    batchNormalization = statistics.rawValue
    seconds = (clock.now - log.begin) / .seconds(1)
    self.folder = folder
  }
}
