import ResidualTraining

/// Why a run cannot be resumed.
public enum CheckpointError: Refusal, Hashable {
  /// A folder that is none of a run's.
  case noRun(folder: String)
  /// A run without any checkpoint that can be read.
  case noCheckpoint(folder: String)
  /// A folder without any interrupted run.
  case nothingToResume(folder: String)
  /// The model has no state: its run is over.
  case finished(file: String)
  /// A section of the file is not what its digest says.
  case torn(file: String, section: String)
  /// A field or tensor of the state is missing, malformed or contradicts the recipe.
  case damaged(file: String, field: String)
  /// A later version of the format.
  case newerVersion(file: String, version: Int)
  /// The training images have another mean than those the run was started with.
  case otherData(file: String)
  /// The run was begun by another version of the program, or on a device of other bits.
  case otherBits(file: String, found: String, here: String)
  /// Settings that differ from those of the run.
  case otherSettings(folder: String, settings: [String])

  public var kind: RefusalKind { .input }
  public var description: String { message.description }
  public var message: Message {
    switch self {
    case .noRun(let folder):
      "\(folder): this is no run folder, it has no \(RunFolder.configName); check \(OptionName.resume)"
    case .noCheckpoint(let folder):
      "\(folder): the run has no checkpoint that can be read; start it again: train -c "
        + "\(folder)/\(RunFolder.configName)"
    case .nothingToResume(let folder):
      "\(folder): no interrupted run in it; name one with \(OptionName.resume) FOLDER"
    case .finished(let file):
      "\(file): this run is finished; to train on, start another one"
    case .torn(let file, let section):
      "\(file): the file is damaged, its \(section) is not what its digest says; an older checkpoint "
        + "or a copy may be whole"
    case .damaged(let file, let field):
      "\(file): '\(field)' is missing or wrong; training cannot resume from this state"
    case .newerVersion(let file, let version):
      "\(file): checkpoints of version \(version) are newer than \(Checkpoint.version); update this program"
    case .otherData(let file):
      "\(file): the run's training images differ from these (their mean is another); "
        + "give the data that it was started with"
    case .otherBits(let file, let found, let here):
      "\(file): the run computes with \(Printable(found)), and here it would be \(here), which gives "
        + "other bits; resume it where it began"
    case .otherSettings(let folder, let settings):
      "\(folder): the run has other settings: \(settings.joined(separator: ", ")); leave them out, or start "
        + "another run"
    }
  }
}

extension OptionName {
  /// The run to resume.
  static let resume = OptionName("resume", key: "resume")
}

/// A folder that another process writes.
public struct RunInUse: Refusal, Hashable {
  /// The run's folder.
  public let folder: String
  /// What its lock says of the process.
  public let holder: String

  public var kind: RefusalKind { .output }
  public var description: String {
    "\(folder): \(holder.isEmpty ? "another process" : holder) is working on this run; wait for its end, or "
      + "stop it"
  }
}
