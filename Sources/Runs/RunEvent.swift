import ResidualTraining

/// Something that has happened in a run.
public enum RunEvent: Sendable {
  /// A step of training.
  case step(StepReport)
  /// An epoch is over and evaluated.
  case epoch(EpochReport)
  /// The run can be resumed from this step on, whatever happens.
  case checkpoint(step: Int)
  /// Something that a user should know.
  case warning(RunWarning)
  /// All epochs are done; ``Run/finish(until:)`` comes next.
  case end
}

/// What is likely to be wrong with a run that goes on.
public enum RunWarning: Hashable, Sendable {
  /// The loss has stayed at that of guessing over the first tenth of the steps.
  case noLearning(step: Int, loss: Double)
  /// A checkpoint could not be written; the last one that could is that of a step.
  case notSaved(step: Int, reason: String, last: Int?)
  /// The run has gone back to a step, and will leave out the one at fault.
  case rolledBack(Fault, to: Int)
  /// The table of norms is not continued.
  case normsNotWritten(reason: String)

  /// The text, with the remedy.
  public var message: Message {
    switch self {
    case .noLearning(let step, let loss):
      "after \(step) steps the loss still is that of guessing, \((loss * 1000).rounded() / 1000): the "
        + "network does not learn; lower the learning rate (\(OptionName.learningRate)), or let it "
        + "rise more slowly (\(OptionName.warmupSteps))"
    case .notSaved(let step, let reason, let last):
      "step \(step) is not saved: \(reason); training goes on and tries again, "
        + (last.map { "the last checkpoint is that of step \($0)" } ?? "there is no checkpoint yet")
    case .rolledBack(let fault, let step):
      "\(fault.description): the run goes back to step \(step), and leaves step \(fault.step) out"
    case .normsNotWritten(let reason): "norms are no longer written: \(reason)"
    }
  }
}

/// A run that was asked to stop.
public struct RunStopped: Error, Hashable {
  /// The step that it can be resumed from; `nil` before the first step, where nothing is left behind.
  public let step: Int?
  /// Why the last steps are not saved, if they are not.
  public let problem: String?

  /// As a run says it.
  package init(step: Int?, problem: String?) { (self.step, self.problem) = (step, problem) }
}
