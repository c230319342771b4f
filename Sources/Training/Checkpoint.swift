import ResidualFormats
import ResidualInterchange

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a trainer needs, beside its model, to go on.
package struct TrainerState: Sendable, Equatable {
  /// Steps that are done.
  package var step: Int
  /// Epochs that are reported.
  package var epoch: Int
  /// The batches' mean cross-entropies in nats, summed over the steps of the current epoch.
  package var lossSum: Double
  /// The batches' shares of wrong samples, summed likewise.
  package var errorSum: Double
  /// The shares of wrong samples in the last ``Schedule/Warmup/window`` steps of the start at a
  /// lower rate; a ring, at first filled with 1.
  package var warmupErrors: [Float]
  /// Steps at the lower rate; the next one's place in the ring follows from it.
  package var warmupSteps: Int
  /// Whether the start at a lower rate is over, or there is none.
  package var isWarm: Bool
  /// The optimiser's slots by name.
  package var tensors: [String: Tensor<Float>]
}

/// A model file with the trainer's state beside it.
///
/// `last.safetensors` is a model like any other; it names the file of the state that belongs to it.
/// The state is written first and an old one removed last, so whatever moment the machine stops,
/// the model that is there has its state.
public enum Checkpoint {
  /// The model's file in the folder of a run.
  package static let modelName = "last.safetensors"
  static let stateField = "optimizer_state"
  private static let warmupTensor = "trainer.warmup_errors"

  /// Writes model and state into a folder.
  ///
  /// - Throws: ``FileError``.
  public static func write(
    _ trainer: Trainer<some Device>, in folder: String, provenance: [String: String] = [:]
  ) throws {
    let state = trainer.state
    let name = "last.optimizer-\(state.step).safetensors"
    var entries = state.tensors.map { SafetensorsEntry($0.key, $0.value) }
    entries.append(
      SafetensorsEntry(warmupTensor, Tensor([state.warmupErrors.count], state.warmupErrors)))
    let metadata = [
      "step": String(state.step), "epoch": String(state.epoch),
      "loss_sum": String(state.lossSum.bitPattern),
      "error_sum": String(state.errorSum.bitPattern), "warmup_steps": String(state.warmupSteps),
      "is_warm": String(state.isWarm),
    ]
    try Safetensors.write(entries, metadata: metadata, to: folder + "/" + name)
    let model = trainer.model(
      provenance: provenance.merging([stateField: name]) { $1 })
    let old = try? stateName(in: folder)
    try model.write(to: folder + "/" + modelName)
    if let old, old != name, isStateName(old) { unlink(folder + "/" + old) }
  }

  /// Removes the state when the run is over and the model final.
  package static func removeState(named name: String?, in folder: String) {
    if let name, isStateName(name) { unlink(folder + "/" + name) }
  }

  /// The name of the state that belongs to the model in a folder, `nil` where the run is over.
  ///
  /// - Throws: ``FileError``, `SafetensorsError`.
  package static func stateName(in folder: String) throws -> String? {
    try ModelFile.provenance(at: folder + "/" + modelName)[stateField]
  }

  // A name comes out of a file: it must stay in the folder.
  private static func isStateName(_ name: String) -> Bool {
    name.hasPrefix("last.optimizer-") && name.hasSuffix(".safetensors") && !name.contains("/")
  }

  /// Whether a folder has a run that can go on.
  public static func canRestore(from folder: String) -> Bool {
    (try? stateName(in: folder)) != nil
  }

  /// Takes up a run where its last checkpoint left it.
  ///
  /// - Throws: ``CheckpointError``, ``FileError``, `SafetensorsError`, ``ModelFileError``.
  public static func restore(_ trainer: Trainer<some Device>, from folder: String) throws {
    let path = folder + "/" + modelName
    let model = try ModelFile(at: path, network: trainer.network)
    guard model.classNames == trainer.classNames else {
      throw ModelFileError.otherNetwork(
        file: path, found: model.network.name, expected: trainer.network.name)
    }
    guard model.normalization == trainer.normalization else {
      throw CheckpointError.otherData(file: path)
    }
    guard let name = model.provenance[stateField], isStateName(name) else {
      throw CheckpointError.finished(file: path)
    }
    trainer.restore(model, try state(at: folder + "/" + name, for: trainer, model: path))
  }

  private static func state(at path: String, for trainer: Trainer<some Device>, model: String)
    throws
    -> TrainerState
  {
    let file = try Safetensors(at: path)
    func field<Value>(_ name: String, _ parse: (String) -> Value?) throws -> Value {
      guard let value = file.metadata[name].flatMap(parse) else {
        throw CheckpointError.damaged(file: path, field: name)
      }
      return value
    }
    func tensor(_ name: String, _ shape: Shape) throws -> Tensor<Float> {
      guard file[name]?.shape == shape else {
        throw CheckpointError.damaged(file: path, field: name)
      }
      return try file.floats(name)
    }
    let step = try field("step") { Int($0) }
    guard step >= 0, step <= trainer.recipe.schedule.steps else {
      throw CheckpointError.damaged(file: path, field: "step")
    }
    let epoch = try field("epoch") { Int($0) }
    guard (0...trainer.epochs).contains(epoch), step >= trainer.step(endingEpoch: epoch),
      step <= trainer.step(endingEpoch: epoch + 1)
    else { throw CheckpointError.damaged(file: path, field: "epoch") }
    var tensors: [String: Tensor<Float>] = [:]
    for slot in trainer.session.store.slots where slot.role == .optimizer {
      // A run begun on a device without loss scaling has none yet.
      let isScale = [LossScaling.scaleSlot, LossScaling.stepsSlot].contains(slot.name)
      if isScale, file[slot.name] == nil { continue }
      tensors[slot.name] = try tensor(slot.name, slot.shape)
    }
    return TrainerState(
      step: step, epoch: epoch,
      lossSum: try field("loss_sum") { UInt64($0).map(Double.init(bitPattern:)) },
      errorSum: try field("error_sum") { UInt64($0).map(Double.init(bitPattern:)) },
      warmupErrors: try tensor(warmupTensor, [Schedule.Warmup.window]).scalars,
      warmupSteps: try field("warmup_steps") {
        Int($0).flatMap { (0...step).contains($0) ? $0 : nil }
      },
      isWarm: try field("is_warm") { Bool($0) }, tensors: tensors)
  }
}

/// Why a run cannot be taken up again.
public enum CheckpointError: Error, Hashable, CustomStringConvertible {
  /// The model has no state: its run is over.
  case finished(file: String)
  /// A field or tensor of the state is missing, malformed or contradicts the recipe.
  case damaged(file: String, field: String)
  /// The training images have another mean than those the run was started with.
  case otherData(file: String)

  public var description: String {
    switch self {
    case .finished(let file):
      "\(file): this run is finished; to train on, start another one"
    case .damaged(let file, let field):
      "\(file): '\(field)' is missing or wrong; this is no state that training can go on from"
    case .otherData(let file):
      "\(file): the run's training images differ from these (their mean is another); "
        + "give the data that it was started with"
    }
  }
}
