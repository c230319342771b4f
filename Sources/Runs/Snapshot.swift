import ResidualTraining

/// A run between two steps, as a value: what a checkpoint keeps.
package struct Snapshot: Sendable {
  /// The network as it is, a model like any other.
  package let model: ModelFile
  /// The optimiser's slots by name.
  let optimizer: [String: Tensor<Float>]
  let progress: Progress
  /// The epochs that are done.
  let rows: [MetricsRow]
  /// What the run was asked for, as a file has it.
  let recipe: String
  /// See ``Device/arithmetic``.
  let arithmetic: String

  /// Copies the state of a learner.
  ///
  /// - Complexity: O(parameters).
  package init(
    of learner: Learner<some Device>, rows: [MetricsRow] = [], provenance: [String: String] = [:]
  ) {
    model = learner.model(provenance: provenance)
    optimizer = learner.optimizerState
    progress = learner.progress
    self.rows = rows
    recipe = RecipeFile.text(learner.recipe.options)
    arithmetic = learner.session.device.arithmetic
  }

  /// The tensors of the checkpoint's file: the model's, and the optimiser's under another prefix.
  package var entries: [SafetensorsEntry] {
    let errors = progress.warmup.errors
    return model.entries
      + optimizer.map { SafetensorsEntry(ModelFile.trainingPrefix + $0.key, $0.value) }
      + [SafetensorsEntry(Checkpoint.warmupTensor, Tensor([errors.count], errors))]
  }

  /// The texts of the file's header, without those of ``CheckpointDigests``.
  package var metadata: [String: String] {
    var fields: [Checkpoint.Field: String] = [
      .version: String(Checkpoint.version), .step: String(progress.step),
      .epoch: String(progress.epoch), .lossSum: String(progress.lossSum.bitPattern),
      .errorSum: String(progress.errorSum.bitPattern),
      .warmupSteps: String(progress.warmup.steps), .isWarm: String(progress.warmup.isWarm),
      .metrics: MetricsRow.table(rows), .recipe: recipe, .arithmetic: arithmetic,
    ]
    if !progress.faults.isEmpty { fields[.faults] = FaultList.text(progress.faults) }
    return model.metadata.merging(fields.map { ($0.key.name, $0.value) }) { $1 }
  }

  /// Writes the checkpoint whole or not at all.
  ///
  /// - Parameter keepOld: called when the new file is durable under a name of its own, before it takes the
  ///   place of the old one.
  /// - Throws: ``FileError``, `SafetensorsError`.
  package func write(
    to path: String, calls: SystemCalls = .real, keepOld: () throws -> Void = {}
  ) throws {
    let (entries, metadata) = (entries, metadata)
    let digests = try CheckpointDigests(of: entries, metadata)
    var file = try AtomicFile(at: path, calls: calls)
    try Safetensors.write(
      entries, metadata: metadata.merging(digests.fields) { $1 }, into: &file)
    try keepOld()
    try file.commit()
  }
}
