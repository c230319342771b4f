/// What one step of training did.
public struct StepReport: Sendable {
  /// Steps that are done, this one included.
  public let step: Int
  /// Mean cross-entropy of the batch in nats, before the update; NaN if nothing was computed.
  public let loss: Float
  /// The share of wrong samples in the batch, as the network saw them; likewise.
  public let error: Float
  /// The L2 norm of the gradient of all parameters, before it is clipped; likewise.
  public let gradientNorm: Float
  /// The L2 norm of all parameters that are trained, before the update; likewise.
  public let weightNorm: Float
  /// Why the start at a lower rate has just ended, if it has.
  public let warmupEnd: WarmupEnd?
  /// Why the step is left out, if it is.
  public let fault: Fault?
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
