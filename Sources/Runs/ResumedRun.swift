import Foundation
import ResidualTraining

/// An interrupted run, before it goes on: what it was asked for, and what it began with.
public struct ResumedRun: Sendable {
  /// The run's folder.
  public let folder: String
  /// Its recipe. Where the data are, and what changes no result, may be changed.
  public var options: RecipeOptions
  /// The model that a learner must be given, where the run began with one: its own.
  public let initial: InitialModel?
  /// What its device needs for the same bits; see ``Device/record``.
  public let device: String?

  /// Opens a run.
  ///
  /// - Parameter path: the run's folder, or its `last.safetensors`.
  /// - Throws: ``CheckpointError``, ``RecipeFileError``, ``FileError``, ``ModelFileError``,
  ///   `SafetensorsError`.
  public init(at path: String) throws {
    folder = try RunFolder.interrupted(at: path)
    options = try RecipeFile.read(folder + "/" + RunFolder.configName)
    let record = folder + "/" + RunFolder.deviceName
    device =
      FileManager.default.fileExists(atPath: record)
      ? try {
        let file = try FileBytes(at: record)
        return file.text(in: 0..<file.count) ?? ""
      }()
      : nil
    if options.initialCheckpoint == nil {
      initial = nil
    } else {
      // It needs only its own model, not the file that it began with.
      let path = folder + "/" + Checkpoint.modelName
      let initial = InitialModel(try ModelFile(at: path), file: path)
      options.definition = initial.model.network.definition
      self.initial = initial
    }
  }

  /// Opens the run in a folder of runs whose checkpoint is the newest.
  ///
  /// - Throws: as the other.
  public init(latestIn parent: String) throws {
    try self.init(at: RunFolder.latestInterrupted(in: parent))
  }
}
