import Foundation
import ResidualTraining

/// What can be seen of a run from outside, whether a process works on it or not.
public struct RunSummary: Sendable {
  /// How a run stands.
  public enum State: String, Hashable, Sendable, CaseIterable {
    /// A process works on it.
    case running
    /// A process works on it, and has not come further for minutes.
    case stalled
    /// It can be resumed.
    case interrupted
    /// It has ended with an error.
    case failed
    /// It is over.
    case finished
    /// It has no checkpoint, and no process works on it.
    case empty
  }

  /// The run's folder.
  public let folder: String
  public let state: State
  /// Why it has failed.
  public let reason: String?
  /// The network's name; `nil` if nothing tells it.
  public let network: String?
  /// Steps that are done, and all of them.
  public let step: Int?, steps: Int?
  /// The smallest error of the epochs, in per cent, and what it was measured on.
  public let best: (error: Double, part: String)?
  /// Images a second: now, or in the last epoch.
  public let imagesPerSecond: Double?
  /// Until the last step; of a running run.
  public let secondsLeft: Double?
  /// What the run was asked for; `nil` if its file cannot be read.
  public let options: RecipeOptions?
  /// The epochs that are done.
  package let rows: [MetricsRow]
  /// When anything of it was last written.
  package let date: Date

  /// A process that has written nothing for so long is stalled.
  private static let patience: TimeInterval = 300

  /// Looks at a folder; `nil` if it is none of a run's.
  public init?(of folder: String, at now: Date = Date()) {
    let manager = FileManager.default
    func date(_ name: String) -> Date? {
      (try? manager.attributesOfItem(atPath: folder + "/" + name))?[.modificationDate] as? Date
    }
    let isLocked = RunLock.isHeld(in: folder)
    guard date(RunFolder.configName) != nil || isLocked || date(RunLock.name) != nil else {
      return nil
    }
    self.folder = folder
    options = try? RecipeFile.read(folder + "/" + RunFolder.configName)
    let status = RunStatus(in: folder)
    let table = try? FileBytes(at: folder + "/" + RunFolder.metricsName)
    rows = MetricsRow.rows(
      of: table.map { $0.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } } ?? "")
    let last = try? Safetensors(at: folder + "/" + RunFolder.lastName)
    let saved = last?.metadata[Checkpoint.Field.step.name].flatMap { Int($0) }
    let former = last?.metadata["provenance." + FormerCheckpoint.stateField] != nil
    let dates = [
      RunFolder.configName, RunFolder.lastName, RunFolder.metricsName, RunStatus.name,
    ].compactMap(date)
    self.date = dates.max() ?? .distantPast
    let isOld = now.timeIntervalSince(self.date) > Self.patience
    state =
      if isLocked {
        isOld ? .stalled : .running
      } else if last != nil, saved == nil, !former {
        .finished
      } else if status?.state == .failed {
        .failed
      } else if last != nil || !RunFolder.olderSteps(in: folder).isEmpty {
        .interrupted
      } else {
        .empty
      }
    reason = state == .failed ? status?.reason : nil
    network = options?.model ?? status?.network
    steps = options?.steps ?? status?.steps
    step = isLocked ? status?.step ?? saved : saved ?? (state == .finished ? steps : status?.step)
    best = rows.compactMap { row in row.evaluatedError.map { ($0, row.evaluatedPart) } }
      .min { $0.0 < $1.0 }
    let timings = (try? FileBytes(at: folder + "/" + RunFolder.timingsName)).map {
      $0.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
    let rate = timings?.split(separator: "\n").last?.split(separator: ",").last
    imagesPerSecond = (isLocked ? status?.imagesPerSecond : nil) ?? rate.flatMap { Double($0) }
    secondsLeft = state == .running ? status?.secondsLeft : nil
  }

  /// The runs in a folder, that which was written last first.
  public static func all(in parent: String, at now: Date = Date()) -> [RunSummary] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    return names.compactMap { RunSummary(of: parent + "/" + $0, at: now) }
      .sorted { ($0.date, $0.folder) > ($1.date, $1.folder) }
  }
}
