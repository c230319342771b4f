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
      "Resume an interrupted run: its folder, or 'auto' for the latest one in --output.",
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

  /// The run that is to be resumed, if any.
  func resumed() throws -> ResumedRun? {
    try resume.map { try $0 == "auto" ? ResumedRun(latestIn: output) : ResumedRun(at: $0) }
  }
}
