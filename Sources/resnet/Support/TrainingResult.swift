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
  let plannedMemoryBytes: Int
  /// What a step computed again to save memory.
  let recompute: String
  /// Of the last epoch, as the network saw the images; per cent.
  let trainingError: Double
  let validation: EvaluationReport?
  let test: EvaluationReport?
  /// The best network's, where validation images chose one.
  let bestTest: EvaluationReport?
  /// How many tensors came from the initial checkpoint, and those of it that were not taken over;
  /// where the run has begun with it.
  let loadedTensors: Int?, replacedTensors: [String]?
  /// What training has left as it was.
  let frozenTensors: [String]?
  let folder: String
  let model: String
  let best: String?

  /// Computes the final statistics, evaluates, and writes the final networks.
  init<D: CommandDevice>(
    finishing trainer: Trainer<D>, after lastEpoch: MetricsRow, in folder: String,
    provenance: [String: String], log: inout TrainingLog<D>
  ) throws {
    log.finishTraining()
    let isExact = trainer.usesExactStatistics
    let statistics: ModelFile.Statistics = isExact ? .exact : .moving
    func finish(_ name: String) throws -> (path: String, test: EvaluationReport?) {
      let path = folder + "/" + name
      let file = try ModelFile(at: path)
      trainer.use(file)
      if isExact { try trainer.computeExactStatistics { _ in try Interruption.check() } }
      let test = try trainer.evaluateTest().map(EvaluationReport.init)
      try OutputError.wrap {
        try trainer.model(
          provenance: provenance,
          step: file.provenance[ModelFile.stepField].flatMap { Int($0) }
        ).write(to: path)
      }
      return (path, test)
    }

    // The best network first: an interruption before the end leaves the last checkpoint complete.
    if trainer.hasValidation {
      let (path, test) = try finish(RunFolder.bestName)
      (best, bestTest) = (path, test)
    } else {
      (best, bestTest) = (nil, nil)
    }
    let state = try Checkpoint.stateName(in: folder)
    (model, test) = try finish(Checkpoint.modelName)
    Checkpoint.removeState(named: state, in: folder)
    validation = try trainer.evaluateValidation().map(EvaluationReport.init)
    trainingError = lastEpoch.trainingError
    network = trainer.network.name
    steps = trainer.step
    plannedMemoryBytes = trainer.memory.total
    recompute = trainer.recomputation.rawValue
    batchNormalization = statistics.rawValue
    seconds = (ContinuousClock.now - log.begin) / .seconds(1)
    let transfer = log.isResumed ? nil : trainer.transfer
    loadedTensors = transfer?.loaded.count
    replacedTensors = transfer?.replaced
    let frozen = trainer.network.frozen.sorted()
    frozenTensors = frozen.isEmpty ? nil : frozen
    self.folder = folder
  }
}
