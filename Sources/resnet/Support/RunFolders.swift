import Foundation
import ResidualTraining

/// Names and places of run folders.
enum RunFolders {
  /// The default name: the network and the time.
  static func name(for recipe: Recipe, at date: Date = Date()) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyyMMdd-HHmmss"
    return recipe.model + "-" + formatter.string(from: date)
  }

  /// Refuses names that would lead elsewhere.
  ///
  /// - Throws: ``UsageError``.
  static func checkName(_ name: String) throws {
    guard !name.isEmpty, name.utf8.count <= 200, name != ".", name != "..", !name.contains("/"),
      !name.contains(where: \.isNewline)
    else {
      throw UsageError(
        "--experiment '\(name.prefix(80))' is no folder's name; the place is said with --output")
    }
  }

  /// The folder of a run that can go on.
  ///
  /// - Parameter choice: a run's folder or its `last.safetensors`, or `auto` for the latest in
  ///   `parent`.
  static func interrupted(_ choice: String, in parent: String) throws -> String {
    let manager = FileManager.default
    guard choice == "auto" else {
      var folder = choice
      if (choice as NSString).lastPathComponent == Checkpoint.modelName {
        folder = (choice as NSString).deletingLastPathComponent
        if folder.isEmpty { folder = "." }
      }
      guard manager.fileExists(atPath: folder + "/" + RunFolder.configName) else {
        throw InputError(
          "\(folder): this is no run folder, it has no \(RunFolder.configName); check --resume")
      }
      guard manager.fileExists(atPath: folder + "/" + Checkpoint.modelName) else {
        throw InputError(
          "\(folder): the run stopped before its first checkpoint; start it again with "
            + "'\(programName) train -c \(shellQuoted(folder + "/" + RunFolder.configName))'")
      }
      let model = folder + "/" + Checkpoint.modelName
      guard try Checkpoint.stateName(in: folder) != nil else {
        throw CheckpointError.finished(file: model)
      }
      return folder
    }
    let folders = (try? manager.contentsOfDirectory(atPath: parent)) ?? []
    let candidates = folders.compactMap { name -> (folder: String, date: Date)? in
      let model = "\(parent)/\(name)/\(Checkpoint.modelName)"
      guard let attributes = try? manager.attributesOfItem(atPath: model),
        let date = attributes[.modificationDate] as? Date,
        Checkpoint.canRestore(from: "\(parent)/\(name)")
      else { return nil }
      return ("\(parent)/\(name)", date)
    }
    guard let latest = candidates.max(by: { $0.date < $1.date }) else {
      throw InputError("\(parent): no interrupted run in it; name one with --resume FOLDER")
    }
    return latest.folder
  }
}
