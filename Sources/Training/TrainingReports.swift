/// What one step of training did.
public struct StepReport: Sendable {
  /// Steps that are done, this one included.
  public let step: Int
  /// Mean cross-entropy of the batch in nats, before the update.
  public let loss: Float
  /// The share of wrong samples in the batch, as the network saw them.
  public let error: Float
  /// Why the start at a lower rate has just ended, if it has.
  public let warmupEnd: WarmupEnd?
}

/// What an epoch of training came to.
public struct EpochReport: Sendable {
  /// Counted from 1.
  public let epoch: Int
  /// Steps that are done.
  public let step: Int
  /// That of the epoch's last step.
  public let learningRate: Float
  /// Mean cross-entropy in nats during the epoch, as the network saw the samples.
  public let trainingLoss: Double
  /// Per cent of wrong samples, likewise.
  public let trainingError: Double
  /// What was evaluated; `nil` if there are neither validation nor test images.
  public let part: Dataset.Part?
  /// Of that part, with moving averages.
  public let evaluation: Evaluation?
  /// Whether this was the last epoch.
  public let isFinished: Bool
}

/// Training has come to a loss that is NaN or infinite.
public struct Divergence: Refusal {
  /// Steps that are done, the one that failed included.
  public let step: Int
  /// NaN or infinite.
  public let loss: Float
  public var kind: RefusalKind { .diverged }
  public var description: String { message.description }
  public var message: Message {
    "the loss is \(loss.isNaN ? "NaN" : "infinite") after step \(step): training has diverged; "
      + "lower the learning rate (\(OptionName.learningRate)), or let it rise more slowly "
      + "(\(OptionName.warmupSteps))"
  }
}
