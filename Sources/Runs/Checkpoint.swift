import ResidualPlatform
import ResidualTraining

/// A model file with the training's state beside it.
///
/// `last.safetensors` is a model like any other; it names the file of the state that belongs to it.
/// The state is written first and an old one removed last, so whatever moment the machine stops,
/// the model that is there has its state.
package enum Checkpoint {
  /// The model's file in the folder of a run.
  package static let modelName = "last.safetensors"
  static let stateField = "optimizer_state"
  private static let warmupTensor = "trainer.warmup_errors"

  /// Writes model and state into a folder.
  ///
  /// - Throws: ``FileError``.
  package static func write(
    _ learner: Learner<some Device>, in folder: String, provenance: [String: String] = [:]
  ) throws {
    let progress = learner.progress
    let name = "last.optimizer-\(progress.step).safetensors"
    var entries = learner.optimizerState.map { SafetensorsEntry($0.key, $0.value) }
    let errors = progress.warmup.errors
    entries.append(SafetensorsEntry(warmupTensor, Tensor([errors.count], errors)))
    let metadata = [
      "step": String(progress.step), "epoch": String(progress.epoch),
      "loss_sum": String(progress.lossSum.bitPattern),
      "error_sum": String(progress.errorSum.bitPattern),
      "warmup_steps": String(progress.warmup.steps), "is_warm": String(progress.warmup.isWarm),
    ]
    try Safetensors.write(entries, metadata: metadata, to: folder + "/" + name)
    let model = learner.model(provenance: provenance.merging([stateField: name]) { $1 })
    let old = try? stateName(in: folder)
    try model.write(to: folder + "/" + modelName)
    if let old, old != name, isStateName(old) { unlink(folder + "/" + old) }
  }

  /// Removes the state when the run is over and the model final.
  package static func removeState(named name: String?, in folder: String) {
    if let name, isStateName(name) { unlink(folder + "/" + name) }
  }

  /// The name of the state that belongs to the model in a folder, `nil` if the run is over.
  ///
  /// - Throws: ``FileError``, `SafetensorsError`.
  package static func stateName(in folder: String) throws -> String? {
    try ModelFile.provenance(at: folder + "/" + modelName)[stateField]
  }

  // A name comes out of a file: it must stay in the folder.
  private static func isStateName(_ name: String) -> Bool {
    name.hasPrefix("last.optimizer-") && name.hasSuffix(".safetensors") && !name.contains("/")
  }

  /// Brings a learner to where the last checkpoint of a run left it.
  ///
  /// - Throws: ``CheckpointError``, ``FileError``, `SafetensorsError`, ``ModelFileError``.
  package static func restore(_ learner: Learner<some Device>, from folder: String) throws {
    let path = folder + "/" + modelName
    let model = try ModelFile(at: path, network: learner.network)
    guard model.classNames == learner.classNames else {
      throw ModelFileError.otherNetwork(
        file: path, found: model.network.name, expected: learner.network.name)
    }
    guard model.preparation == learner.preparation else {
      throw CheckpointError.otherData(file: path)
    }
    guard let name = model.provenance[stateField], isStateName(name) else {
      throw CheckpointError.finished(file: path)
    }
    let file = try Safetensors(at: folder + "/" + name)
    learner.restore(
      model, try progress(in: file, for: learner), optimizer: try optimizer(in: file, for: learner))
  }

  private static func damaged(_ file: Safetensors, _ field: String) -> CheckpointError {
    .damaged(file: file.file.name, field: field)
  }

  private static func progress(in file: Safetensors, for learner: Learner<some Device>) throws
    -> Progress
  {
    func field<Value>(_ name: String, _ parse: (String) -> Value?) throws -> Value {
      guard let value = file.metadata[name].flatMap(parse) else { throw damaged(file, name) }
      return value
    }
    func number(_ name: String, _ range: ClosedRange<Int>) throws -> Int {
      try field(name) { Int($0).flatMap { range.contains($0) ? $0 : nil } }
    }
    let step = try number("step", 0...learner.recipe.schedule.steps)
    let epoch = try number("epoch", 0...learner.epochs)
    guard step >= learner.step(endingEpoch: epoch), step <= learner.step(endingEpoch: epoch + 1)
    else { throw damaged(file, "epoch") }
    return Progress(
      step: step, epoch: epoch,
      lossSum: try field("loss_sum") { UInt64($0).map(Double.init(bitPattern:)) },
      errorSum: try field("error_sum") { UInt64($0).map(Double.init(bitPattern:)) },
      warmup: WarmupMonitor(
        learner.recipe.schedule.warmup,
        errors: try tensor(warmupTensor, [Schedule.Warmup.window], in: file).scalars,
        steps: try number("warmup_steps", 0...step), isWarm: try field("is_warm") { Bool($0) }))
  }

  private static func optimizer(in file: Safetensors, for learner: Learner<some Device>) throws
    -> [String: Tensor<Float>]
  {
    var tensors: [String: Tensor<Float>] = [:]
    for slot in learner.session.store.slots where slot.role == .optimizer {
      // A run begun on a device without loss scaling has none yet.
      let isScale = [LossScaling.scaleSlot, LossScaling.stepsSlot].contains(slot.name)
      if isScale, file[slot.name] == nil { continue }
      tensors[slot.name] = try tensor(slot.name, slot.shape, in: file)
    }
    return tensors
  }

  private static func tensor(_ name: String, _ shape: Shape, in file: Safetensors) throws
    -> Tensor<Float>
  {
    guard file[name]?.shape == shape else { throw damaged(file, name) }
    return try file.floats(name)
  }
}

/// Why a run cannot be resumed.
public enum CheckpointError: Refusal, Hashable {
  /// A folder that is none of a run's.
  case noRun(folder: String)
  /// A run that stopped before its first checkpoint.
  case noCheckpoint(folder: String)
  /// A folder without any interrupted run.
  case nothingToResume(folder: String)
  /// The model has no state: its run is over.
  case finished(file: String)
  /// A field or tensor of the state is missing, malformed or contradicts the recipe.
  case damaged(file: String, field: String)
  /// The training images have another mean than those the run was started with.
  case otherData(file: String)

  public var kind: RefusalKind { .input }
  public var description: String { message.description }
  public var message: Message {
    switch self {
    case .noRun(let folder):
      "\(folder): this is no run folder, it has no \(RunFolder.configName); check \(OptionName.resume)"
    case .noCheckpoint(let folder):
      "\(folder): the run stopped before its first checkpoint; start it again: train -c "
        + "\(folder)/\(RunFolder.configName)"
    case .nothingToResume(let folder):
      "\(folder): no interrupted run in it; name one with \(OptionName.resume) FOLDER"
    case .finished(let file):
      "\(file): this run is finished; to train on, start another one"
    case .damaged(let file, let field):
      "\(file): '\(field)' is missing or wrong; training cannot resume from this state"
    case .otherData(let file):
      "\(file): the run's training images differ from these (their mean is another); "
        + "give the data that it was started with"
    }
  }
}

extension OptionName {
  /// The run to resume.
  static let resume = OptionName("resume", key: "resume")
}
