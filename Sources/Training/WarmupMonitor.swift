/// Decides when the start at a lower rate ends.
package struct WarmupMonitor: Hashable, Sendable {
  private let warmup: Schedule.Warmup?
  /// The wrong shares of the last steps; a ring.
  package private(set) var errors: [Float]
  /// Steps that are recorded.
  package private(set) var steps = 0
  /// Whether the start is over, or there is none.
  package private(set) var isWarm: Bool

  /// - Parameter warmup: `nil` for no start at a lower rate, which is over at once.
  package init(_ warmup: Schedule.Warmup?) {
    self.warmup = warmup
    isWarm = warmup == nil
    errors = [Float](repeating: 1, count: Schedule.Warmup.window)
  }

  /// The state of an interrupted run.
  package init(_ warmup: Schedule.Warmup?, errors: [Float], steps: Int, isWarm: Bool) {
    precondition(errors.count == Schedule.Warmup.window, "\(errors.count) errors")
    (self.warmup, self.errors, self.steps, self.isWarm) = (warmup, errors, steps, isWarm)
  }

  /// Records one step's share of wrong samples; that of a step that is left out is `nil`.
  ///
  /// - Returns: the reason, if the start ends with this step.
  package mutating func record(error: Float?) -> WarmupEnd? {
    guard let warmup, !isWarm else { return nil }
    if let error { errors[steps % errors.count] = error }
    steps += 1
    let mean = errors.reduce(0, +) / Float(errors.count)
    let end: WarmupEnd? =
      if steps >= errors.count, mean < warmup.error {
        .errorBelow(mean)
      } else if steps
        >= warmup.limit
      { .limitReached } else { nil }
    isWarm = end != nil
    return end
  }
}

/// Why the start at a lower rate has ended.
public enum WarmupEnd: Hashable, Sendable {
  /// The mean share of wrong samples over the window, now below the threshold.
  case errorBelow(Float)
  /// The steps allowed were over first.
  case limitReached
}
