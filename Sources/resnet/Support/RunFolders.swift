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

  /// Refuses an output folder that cannot be written before anything else is done.
  static func checkWritable(_ folder: String) throws {
    var path = folder
    let manager = FileManager.default
    while !manager.fileExists(atPath: path) {
      let parent = (path as NSString).deletingLastPathComponent
      if parent == path || parent.isEmpty {
        path = "."
        break
      }
      path = parent
    }
    var isFolder: ObjCBool = false
    _ = manager.fileExists(atPath: path, isDirectory: &isFolder)
    guard isFolder.boolValue else {
      throw OutputError(description: "\(path): this is no folder; choose another --output")
    }
    guard manager.isWritableFile(atPath: path) else {
      throw OutputError(description: "\(path): the folder cannot be written; choose another --output")
    }
  }

  /// The folder of a run that can go on.
  ///
  /// - Parameter choice: a run's folder or its `last.safetensors`, or `auto` for the latest in
  ///   `parent`.
  static func interrupted(_ choice: String, in parent: String) throws -> String {
    let manager = FileManager.default
    guard choice == "auto" else {
      let folder =
        choice.hasSuffix("/" + Checkpoint.modelName)
        ? String(choice.dropLast(Checkpoint.modelName.count + 1)) : choice
      guard manager.fileExists(atPath: folder + "/" + RunFolder.configName) else {
        throw InputError("\(folder): no run folder (it has no \(RunFolder.configName)); check --resume")
      }
      guard manager.fileExists(atPath: folder + "/" + Checkpoint.modelName) else {
        throw InputError(
          "\(folder): the run stopped before its first checkpoint; start it again with "
            + "'resnet train -c \(folder)/\(RunFolder.configName)'")
      }
      return folder
    }
    let folders = (try? manager.contentsOfDirectory(atPath: parent)) ?? []
    let candidates = folders.compactMap { name -> (folder: String, date: Date)? in
      let model = "\(parent)/\(name)/\(Checkpoint.modelName)"
      guard let attributes = try? manager.attributesOfItem(atPath: model),
        let date = attributes[.modificationDate] as? Date,
        let file = try? ModelFile(at: model), Checkpoint.stateName(of: file) != nil
      else { return nil }
      return ("\(parent)/\(name)", date)
    }
    guard let latest = candidates.max(by: { $0.date < $1.date }) else {
      throw InputError("\(parent): no interrupted run in it; name one with --resume FOLDER")
    }
    return latest.folder
  }
}
