import ArgumentParser
import ResidualRuns

/// Where a run's folder is, and how it is reported.
struct RunFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp("The folder for run folders.", valueName: "folder"), completion: .directory)
  var output = "runs"
  @Option(help: ArgumentHelp("The run folder's name.", valueName: "name"))
  var experiment: String?
  @Option(
    help: ArgumentHelp(
      "Resume an interrupted run: its folder, or 'auto' for the newest one in --output with the same "
        + "settings; where there is none, a new one begins.",
      valueName: "auto|folder"), completion: .directory)
  var resume: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Steps between two lines if there is no terminal.", valueName: "n"))
  var logInterval = 50

  func validate() throws {
    guard logInterval >= 1 else {
      throw UsageError("--log-interval \(logInterval) is out of range: at least 1")
    }
    guard let experiment else { return }
    // Names must not lead elsewhere.
    guard !experiment.isEmpty, experiment.utf8.count <= 200, ![".", ".."].contains(experiment),
      !experiment.contains(where: { $0 == "/" || $0.isNewline })
    else {
      throw UsageError(
        "--experiment '\(experiment.prefix(80))' is no folder's name; the place is said with --output"
      )
    }
  }

  /// Whether a run with the same settings is to be looked for.
  var isAutomatic: Bool { resume == "auto" }

  /// The run whose folder is named, if one is.
  func resumed() throws -> ResumedRun? {
    guard !isAutomatic else { return nil }
    return try resume.map { try ResumedRun(at: $0) }
  }

  /// The newest run with the settings that a command gives.
  ///
  /// - Parameter options: resolved.
  func earlier(_ options: RecipeOptions, tell terminal: Terminal) throws -> EarlierRun? {
    var remarks: [String] = []
    defer { for remark in remarks { terminal.note(remark.onOneLine) } }
    let found = try EarlierRun.newest(options, in: output, named: experiment, remarks: &remarks)
    if found == nil { remarks.append("no run in \(output) has these settings: a new one begins") }
    return found
  }
}
