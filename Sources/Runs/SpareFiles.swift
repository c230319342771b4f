import Foundation
import ResidualTraining

/// What may be removed from a folder of runs without losing anything that is of use.
public struct SpareFiles: Sendable {
  /// A path, and why it is not needed.
  public struct Item: Hashable, Sendable {
    public let path: String
    public let reason: String
    public let byteCount: Int
  }
  /// The outermost paths.
  public let items: [Item]

  /// Looks at the runs in a folder. What a process works on is left out.
  ///
  /// - Parameter keepsFailed: whether failed runs stay.
  public init(in parent: String, keepsFailed: Bool = false) {
    var items: [Item] = []
    func add(_ path: String, _ reason: String) {
      items.append(Item(path: path, reason: reason, byteCount: Self.byteCount(of: path)))
    }
    for run in RunSummary.all(in: parent) {
      switch run.state {
      case .running, .stalled, .interrupted: break
      case .empty: add(run.folder, "a run without a checkpoint")
      case .failed: if !keepsFailed { add(run.folder, "a run that has failed") }
      case .finished:
        // Rungs of a ladder are there for good.
        let policy = run.options?.checkpoints ?? CheckpointOptions()
        for step in RunFolder.olderSteps(in: run.folder)
        where !policy.isRung(step, of: run.steps ?? 0) {
          add(
            run.folder + "/" + RunFolder.name(ofCheckpoint: step), "a checkpoint of a finished run")
        }
      }
      // What a process that was killed has left behind.
      guard ![.running, .stalled, .empty, .failed].contains(run.state) else { continue }
      let names = (try? FileManager.default.contentsOfDirectory(atPath: run.folder)) ?? []
      for name in names.sorted() where name.hasPrefix(AtomicFile.temporaryPrefix) {
        add(run.folder + "/" + name, "an unfinished file")
      }
    }
    self.items = items
  }

  /// Removes everything; what cannot be removed is left.
  ///
  /// - Returns: the paths that are still there.
  public func remove() -> [String] {
    items.map(\.path).filter { path in
      (try? FileManager.default.removeItem(atPath: path)) == nil
    }
  }

  private static func byteCount(of path: String) -> Int {
    let manager = FileManager.default
    func size(_ path: String) -> Int {
      (try? manager.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
    }
    guard let inside = manager.enumerator(atPath: path) else { return size(path) }
    var isFolder: ObjCBool = false
    guard manager.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      return size(path)
    }
    return inside.compactMap { $0 as? String }.reduce(0) { $0 + size(path + "/" + $1) }
  }
}
