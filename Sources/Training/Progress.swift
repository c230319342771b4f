/// How far training has come: with the slots, all that resuming needs.
public struct Progress: Hashable, Sendable {
  /// Steps that are done.
  public internal(set) var step = 0
  /// Epochs that are done and reported. After its last step, an epoch still lacks its report.
  public internal(set) var epoch = 0
  /// The batches' mean cross-entropies in nats, summed over the steps of the current epoch.
  package internal(set) var lossSum = 0.0
  /// The batches' shares of wrong samples, summed likewise.
  package internal(set) var errorSum = 0.0
  /// The start at a lower rate.
  package internal(set) var warmup: WarmupMonitor
  /// What the run has got over, in order; at most ``Fault/limit``. Their steps count as done, and for nothing
  /// else.
  public internal(set) var faults: [Fault] = []

  /// Before the first step.
  package init(_ warmup: Schedule.Warmup?) { self.warmup = WarmupMonitor(warmup) }

  /// As it was saved.
  package init(
    step: Int, epoch: Int, lossSum: Double, errorSum: Double, warmup: WarmupMonitor,
    faults: [Fault] = []
  ) {
    (self.step, self.epoch, self.faults) = (step, epoch, faults)
    (self.lossSum, self.errorSum, self.warmup) = (lossSum, errorSum, warmup)
  }

  /// Counts a step.
  ///
  /// - Returns: why the start at a lower rate has just ended, if it has.
  mutating func record(loss: Float, error: Float) -> WarmupEnd? {
    step += 1
    // The graph has skipped a step without a finite loss, and the epoch's mean does the same.
    if loss.isFinite { lossSum += Double(loss) }
    errorSum += Double(error)
    return warmup.record(error: error)
  }

  /// Counts a step that is left out.
  ///
  /// - Returns: as above.
  mutating func leaveOut() -> WarmupEnd? {
    step += 1
    return warmup.record(error: nil)
  }

  /// Why nothing of the next step is to be computed, if so.
  var knownFault: Fault? { faults.first { $0.step == step + 1 } }

  /// Counts an epoch.
  ///
  /// - Parameter first: the steps that were done before it.
  /// - Returns: the mean cross-entropy, and per cent of wrong samples.
  mutating func finishEpoch(after first: Int) -> (loss: Double, error: Double) {
    let leftOut = faults.count { $0.step > first && $0.step <= step }
    let count = max(1, step - first - leftOut)
    let means = (lossSum / Double(count), 100 * errorSum / Double(count))
    epoch += 1
    (lossSum, errorSum) = (0, 0)
    return means
  }
}

/// The order of the samples in each epoch, the current one kept.
struct EpochOrder {
  private let sampler: Sampler
  private var current: (epoch: Int, indices: [Int])?

  init(count: Int, seed: UInt64) { sampler = Sampler(count: count, seed: seed) }

  /// The order of an epoch.
  mutating func indices(epoch: Int) -> [Int] {
    if let current, current.epoch == epoch { return current.indices }
    let indices = sampler.order(epoch: epoch)
    current = (epoch, indices)
    return indices
  }
}
