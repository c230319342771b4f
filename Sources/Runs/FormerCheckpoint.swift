import ResidualTraining

/// The state in a checkpoint of version 1: a file of its own, which the model names.
struct FormerCheckpoint {
  static let stateField = "optimizer_state"
  private let file: Safetensors

  /// Opens the state that belongs to a model; `nil` if it names none.
  ///
  /// - Throws: ``FileError``, `SafetensorsError`.
  init?(beside model: Safetensors) throws {
    guard let name = model.metadata["provenance." + Self.stateField], Self.isStateName(name) else {
      return nil
    }
    file = try Safetensors(at: AtomicFile.folder(of: model.file.name) + "/" + name)
  }

  // A name comes out of a file: it must stay in the folder.
  static func isStateName(_ name: String) -> Bool {
    name.hasPrefix("last.optimizer-") && name.hasSuffix(".safetensors") && !name.contains("/")
  }

  var step: Int? { file.metadata["step"].flatMap { Int($0) } }
  var reader: StateReader {
    StateReader(file: file, tensors: "", fields: "", warmupTensor: "trainer.warmup_errors")
  }
}
