import Foundation
import ResidualTraining

/// An interrupted run, before it goes on: what it was asked for, what it began with, and where it is.
public struct ResumedRun: Sendable {
  /// The run's folder.
  public let folder: String
  /// Its recipe. Where the data are, and what changes no result, may be changed.
  public var options: RecipeOptions
  /// The model that a learner must be given, where the run began with one: its own.
  public let initial: InitialModel?
  /// What its device needs for the same bits; see ``Device/record``.
  public let device: String?
  /// Checkpoints that could not be read and were passed over, and why, a line each.
  public let remarks: [String]
  /// The newest checkpoint that is whole.
  package let checkpoint: Checkpoint

  /// Opens a run.
  ///
  /// - Parameter path: the run's folder, or its `last.safetensors`.
  /// - Throws: ``CheckpointError``, ``RecipeFileError``, ``FileError``, ``ModelFileError``,
  ///   `SafetensorsError`.
  public init(at path: String) throws {
    let isModel = path.split(separator: "/").last.map(String.init) == RunFolder.lastName
    folder = isModel ? AtomicFile.folder(of: path) : path
    let manager = FileManager.default
    guard manager.fileExists(atPath: folder + "/" + RunFolder.configName) else {
      throw CheckpointError.noRun(folder: folder)
    }
    (checkpoint, remarks) = try Self.newestCheckpoint(in: folder)
    options = try RecipeFile.read(folder + "/" + RunFolder.configName)
    let record = folder + "/" + RunFolder.deviceName
    device =
      manager.fileExists(atPath: record)
      ? try {
        let file = try FileBytes(at: record)
        return file.text(in: 0..<file.count) ?? ""
      }()
      : nil
    if options.initialCheckpoint == nil {
      initial = nil
    } else {
      // It needs only its own model, not the file that it began with.
      let initial = InitialModel(try checkpoint.readModel(), file: checkpoint.path)
      options.definition = initial.model.network.definition
      self.initial = initial
    }
  }

  /// Opens the run in a folder of runs whose checkpoint is the newest.
  ///
  /// - Throws: as the other.
  public init(latestIn parent: String) throws {
    guard let latest = Self.folders(in: parent).first(where: { (try? ResumedRun(at: $0)) != nil })
    else { throw CheckpointError.nothingToResume(folder: parent) }
    try self.init(at: latest)
  }

  /// The folders of runs in a folder, that with the newest checkpoint first.
  static func folders(in parent: String) -> [String] {
    let manager = FileManager.default
    let names = (try? manager.contentsOfDirectory(atPath: parent)) ?? []
    func date(_ path: String) -> Date? {
      (try? manager.attributesOfItem(atPath: path))?[.modificationDate] as? Date
    }
    return names.compactMap { name -> (folder: String, date: Date)? in
      let folder = "\(parent)/\(name)"
      guard let began = date(folder + "/" + RunFolder.configName) else { return nil }
      return (folder, date(folder + "/" + RunFolder.lastName) ?? began)
    }.sorted { ($0.date, $0.folder) > ($1.date, $1.folder) }.map(\.folder)
  }

  /// The newest checkpoint in a folder that is whole.
  ///
  /// - Throws: ``CheckpointError``; where no checkpoint can be read, what was wrong with the newest one.
  private static func newestCheckpoint(in folder: String) throws -> (Checkpoint, [String]) {
    var remarks: [String] = []
    var first: (any Error)?
    let names =
      [RunFolder.lastName] + RunFolder.olderSteps(in: folder).map(RunFolder.name(ofCheckpoint:))
    for name in names {
      let path = folder + "/" + name
      do {
        guard let checkpoint = try Checkpoint(at: path) else {
          throw CheckpointError.finished(file: path)
        }
        return (checkpoint, remarks)
      } catch CheckpointError.finished where name == RunFolder.lastName {
        throw CheckpointError.finished(file: path)
      } catch let error as any Refusal {
        if (error as? FileError)?.problem == .missing, name == RunFolder.lastName { continue }
        first = first ?? error
        remarks.append("passed over \(error.description)")
      }
    }
    throw first ?? CheckpointError.noCheckpoint(folder: folder)
  }
}
