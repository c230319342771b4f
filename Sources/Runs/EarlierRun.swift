import Foundation
import ResidualTraining

/// A run that is there already with the settings that a command gives, so that the same command may be
/// repeated.
public enum EarlierRun: Sendable {
  /// It can be resumed.
  case interrupted(ResumedRun)
  /// It was killed before its first checkpoint; its folder can be used again.
  case unbegun(folder: String)
  /// It is over.
  case finished(folder: String)

  /// Looks for the newest run with some settings.
  ///
  /// - Parameters:
  ///   - options: resolved, see ``RecipeOptions/resolved(on:)``.
  ///   - parent: the folder of run folders.
  ///   - name: that of the run's folder, without the number that may have been appended; `nil` for any.
  ///   - remarks: what was passed over, and why, a line each.
  /// - Returns: `nil` if there is none.
  /// - Throws: ``RunInUse`` if a process is working on it.
  public static func newest(
    _ options: RecipeOptions, in parent: String, named name: String?, remarks: inout [String]
  ) throws -> EarlierRun? {
    var hasOther = false
    for folder in ResumedRun.folders(in: parent) {
      guard name.map({ isFolder(folder, named: $0) }) ?? true else { continue }
      let config = folder + "/" + RunFolder.configName
      let there: RecipeOptions
      do { there = try RecipeFile.read(config) } catch let error as any Refusal {
        remarks.append("passed over \(error.description)")
        continue
      }
      let differences = RecipeOptions.settings.differences(there, options).filter {
        $0.option == .data || !RecipeOptions.freeSettings.contains($0.option)
      }
      guard differences.isEmpty else {
        if !hasOther {
          let names = differences.map(\.option.key).joined(separator: ", ")
          remarks.append("passed over \(folder): its settings are others (\(names))")
        }
        hasOther = true
        continue
      }
      if RunLock.isHeld(in: folder) { _ = try RunLock(of: folder) }
      do { return .interrupted(try ResumedRun(at: folder)) } catch CheckpointError.finished {
        return .finished(folder: folder)
      } catch CheckpointError.noCheckpoint {
        return .unbegun(folder: folder)
      } catch let error as any Refusal {
        remarks.append("passed over \(error.description)")
      }
    }
    return nil
  }

  /// Whether a folder has a name, or that name and a number.
  private static func isFolder(_ path: String, named name: String) -> Bool {
    guard let last = path.split(separator: "/").last, last.hasPrefix(name) else { return false }
    let rest = last.dropFirst(name.count)
    return rest.isEmpty || rest.first == "-" && Int(rest.dropFirst()).map { $0 > 1 } == true
  }
}

extension ResumedRun {
  /// The recipe with which the run goes on: its own, but for what changes no result.
  ///
  /// - Parameters:
  ///   - given: what a user asks for now; what is open is the run's.
  ///   - data: from where it is read now.
  /// - Throws: ``CheckpointError/otherSettings(folder:settings:)`` if it differs in anything else; what
  ///   resolving it throws.
  public func options(given: RecipeOptions, on data: Dataset) throws -> RecipeOptions {
    let free = RecipeOptions.settings.filter { RecipeOptions.freeSettings.contains($0.option) }
    let fixed = RecipeOptions.settings.filter { !RecipeOptions.freeSettings.contains($0.option) }
    let isGiven = fixed.contains { $0.isGiven(in: given) }
    if isGiven {
      // As the run's first command did, with what it has chosen for what is open.
      let merged = given.filled(from: options)
      let resolved = try (initial?.filling(merged) ?? merged).resolved(on: data).options
      let others = fixed.differences(resolved, options)
      guard others.isEmpty else {
        throw CheckpointError.otherSettings(
          folder: folder,
          settings: others.map {
            "\($0.option.key) \($0.text(options)?.plain ?? "none"), not \($0.text(resolved)?.plain ?? "none")"
          })
      }
    }
    return free.filling(RecipeOptions(), from: given).filled(from: options)
  }
}
