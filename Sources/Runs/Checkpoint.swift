import ResidualTraining

/// A checkpoint's file, open: a model like any other, and beside it what resuming its run needs. See
/// Guides/Runs.md for the format.
package struct Checkpoint {
  /// The format that this version writes.
  static let version = 2
  static let warmupTensor = ModelFile.trainingPrefix + "warmup_errors"

  /// The fields of the header that a model lacks.
  enum Field: String {
    case version, step, epoch, metrics, recipe, arithmetic, faults
    case lossSum = "loss_sum", errorSum = "error_sum"
    case warmupSteps = "warmup_steps", isWarm = "is_warm"

    static let prefix = "training."
    var name: String { Self.prefix + rawValue }
  }

  /// What tensors of the model are read from.
  private let model: Safetensors
  /// What the training's are read from: the same file, or in version 1 another one.
  private let state: FormerCheckpoint?

  /// The path as it was given.
  package var path: String { model.file.name }

  /// Opens a file, and checks that every bit of it is as it was written.
  ///
  /// - Returns: `nil` for a model without a state: that of a run that is over, or of none.
  /// - Throws: ``CheckpointError``, ``FileError``, `SafetensorsError`.
  package init?(at path: String) throws {
    // Copied, so that another program that shortens the file cannot end this one.
    model = try Safetensors(FileBytes(at: path))
    state = try FormerCheckpoint(beside: model)
    guard state == nil else { return }
    let isCheckpoint =
      CheckpointDigests.areThere(in: model.metadata)
      || model.metadata.keys.contains { $0.hasPrefix(Field.prefix) }
      || model.names.contains { $0.hasPrefix(ModelFile.trainingPrefix) }
    guard isCheckpoint else { return nil }
    if let section = try CheckpointDigests.damage(of: model) {
      throw CheckpointError.torn(file: path, section: section)
    }
    guard let version = text(.version).flatMap({ Int($0) }), version > 0 else {
      throw CheckpointError.damaged(file: path, field: Field.version.name)
    }
    guard version <= Self.version else {
      throw CheckpointError.newerVersion(file: path, version: version)
    }
  }

  /// The step that it was written after; `nil` if the file does not say.
  package var step: Int? {
    state == nil ? text(.step).flatMap { Int($0) } : state?.step
  }
  /// The recipe's text; `nil` in version 1.
  package var recipe: String? { text(.recipe) }
  /// See ``Device/arithmetic``; `nil` in version 1.
  package var arithmetic: String? { text(.arithmetic) }
  /// The epochs that were done; `nil` in version 1, whose table is a file of its own.
  package var rows: [MetricsRow]? { text(.metrics).map { MetricsRow.rows(of: $0) } }

  /// The model in it.
  ///
  /// - Throws: ``ModelFileError``, `SafetensorsError`.
  package func readModel(network: Network? = nil) throws -> ModelFile {
    try ModelFile(model, network: network)
  }

  /// Checks that a device gives the bits that the run began with.
  ///
  /// - Throws: ``CheckpointError/otherBits(file:found:here:)``.
  func check(on device: some Device) throws(CheckpointError) {
    let version = model.metadata["provenance.version"]
    if state == nil, let version, version != Version.current {
      throw .otherBits(
        file: path, found: "version \(version) of this program", here: "version \(Version.current)")
    }
    guard let arithmetic, arithmetic != device.arithmetic else { return }
    throw .otherBits(file: path, found: arithmetic, here: device.arithmetic)
  }

  private func text(_ field: Field) -> String? { model.metadata[field.name] }

  /// Brings a learner to where the checkpoint's run was. Where that is refused, the learner stays as it is.
  ///
  /// - Throws: ``CheckpointError``, `SafetensorsError`, ``ModelFileError``.
  package func restore(_ learner: Learner<some Device>) throws {
    let model = try readModel(network: learner.network)
    guard model.classNames == learner.classNames else {
      throw ModelFileError.otherNetwork(
        file: path, found: model.network.name, expected: learner.network.name)
    }
    guard model.preparation == learner.preparation else {
      throw CheckpointError.otherData(file: path)
    }
    let reader =
      state?.reader
      ?? StateReader(
        file: self.model, tensors: ModelFile.trainingPrefix, fields: Field.prefix,
        warmupTensor: Self.warmupTensor)
    learner.restore(
      model, try reader.progress(of: learner), optimizer: try reader.optimizer(of: learner))
  }
}

/// Reads what a checkpoint keeps of training.
struct StateReader {
  let file: Safetensors
  /// Begin the names of tensors, and of fields.
  let tensors: String, fields: String
  /// The wrong shares of the last steps.
  let warmupTensor: String

  private func damaged(_ name: String) -> CheckpointError {
    .damaged(file: file.file.name, field: name)
  }

  func progress(of learner: Learner<some Device>) throws -> Progress {
    func field<Value>(_ field: Checkpoint.Field, _ parse: (String) -> Value?) throws -> Value {
      guard let value = file.metadata[fields + field.rawValue].flatMap(parse) else {
        throw damaged(fields + field.rawValue)
      }
      return value
    }
    func number(_ name: Checkpoint.Field, _ range: ClosedRange<Int>) throws -> Int {
      try field(name) { Int($0).flatMap { range.contains($0) ? $0 : nil } }
    }
    let step = try number(.step, 0...learner.recipe.schedule.steps)
    let epoch = try number(.epoch, 0...learner.epochs)
    guard step >= learner.step(endingEpoch: epoch), step <= learner.step(endingEpoch: epoch + 1)
    else { throw damaged(fields + Checkpoint.Field.epoch.rawValue) }
    return Progress(
      step: step, epoch: epoch,
      lossSum: try field(.lossSum) { UInt64($0).map(Double.init(bitPattern:)) },
      errorSum: try field(.errorSum) { UInt64($0).map(Double.init(bitPattern:)) },
      warmup: WarmupMonitor(
        learner.recipe.schedule.warmup,
        errors: try tensor(warmupTensor, [Schedule.Warmup.window]).scalars,
        steps: try number(.warmupSteps, 0...step), isWarm: try field(.isWarm) { Bool($0) }),
      faults: try faults())
  }

  /// What the run has got over; nothing where the file does not say.
  private func faults() throws -> [Fault] {
    let name = fields + Checkpoint.Field.faults.rawValue
    guard let text = file.metadata[name] else { return [] }
    guard let faults = FaultList.faults(in: text) else { throw damaged(name) }
    return faults
  }

  func optimizer(of learner: Learner<some Device>) throws -> [String: Tensor<Float>] {
    var found: [String: Tensor<Float>] = [:]
    for slot in learner.session.store.slots where slot.role == .optimizer {
      let name = tensors + slot.name
      // A run begun on a device without loss scaling has none yet.
      let isScale = [LossScaling.scaleSlot, LossScaling.stepsSlot].contains(slot.name)
      if isScale, file[name] == nil { continue }
      found[slot.name] = try tensor(name, slot.shape)
    }
    return found
  }

  private func tensor(_ name: String, _ shape: Shape) throws -> Tensor<Float> {
    guard file[name]?.shape == shape else { throw damaged(name) }
    return try file.floats(name)
  }
}
