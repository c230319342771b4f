import ResidualTraining

/// Says when the next checkpoint is due between the ends of epochs.
struct CheckpointClock {
  private let policy: CheckpointOptions
  private let clock = ContinuousClock()
  private var next: ContinuousClock.Instant?
  /// How long after a failure the next try comes, unless a checkpoint is due earlier.
  private static let patience = Duration.seconds(60)

  init(_ policy: CheckpointOptions) {
    self.policy = policy
    next = interval.map { clock.now + $0 }
  }

  private var interval: Duration? {
    policy.minutes.flatMap { $0 > 0 ? .seconds($0 * 60) : nil }
  }

  /// Whether the state after a step is to be saved.
  func isDue(after step: Int) -> Bool {
    if let steps = policy.steps, step % steps == 0 { return true }
    return next.map { clock.now >= $0 } ?? false
  }

  /// A checkpoint is on its way.
  mutating func noteSave() {
    next = interval.map { clock.now + $0 }
  }

  /// A checkpoint could not be written.
  mutating func noteFailure() {
    let retry = clock.now + Self.patience
    next = next.map { min($0, retry) } ?? retry
  }
}
