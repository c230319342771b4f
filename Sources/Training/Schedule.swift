/// The learning rate at each step: a rate that is divided by ten at milestones, and how it begins.
public struct Schedule: Hashable, Sendable {
  /// How the rate begins.
  public enum Start: Hashable, Sendable {
    /// At its full height.
    case full
    /// Lower, until the network has begun to learn (section 4.2 of the paper).
    case low(Warmup)
    /// Rising in a line from 0: at step t, counted from 0, t + 1 of so many parts of the rate.
    case rising(steps: Int)
  }

  /// A start at a lower rate, until the network has begun to learn.
  ///
  /// The paper starts its 110-layer network at 0.01 "until the training error is below 80 %".
  public struct Warmup: Hashable, Sendable {
    /// The learning rate until then.
    public let rate: Float
    /// The share of wrong training samples, over ``window`` steps, below which the start ends.
    public let error: Float
    /// The last step at which it can end.
    public let limit: Int
    /// The steps over which the error is averaged.
    public static let window = 100

    /// - Parameters:
    ///   - rate: the lower learning rate.
    ///   - error: from 0 to 1.
    ///   - limit: steps.
    public init(rate: Float, error: Float, limit: Int) {
      (self.rate, self.error, self.limit) = (rate, error, limit)
    }
  }

  /// The steps of the paper's runs for CIFAR-10.
  public static let paperSteps = 64_000
  /// Images a step.
  public static let paperBatch = 128
  /// The same length in passes over its images; the length of runs on small sets.
  public static let paperEpochs = 164
  /// A set of fewer images is small.
  public static let smallSet = 5_000
  /// The steps from which the rate is 0.01 and 0.001.
  public static let paperMilestones = [32_000, 48_000]

  /// Steps of the whole run.
  public let steps: Int
  /// The learning rate before the first milestone.
  public let rate: Float
  /// Steps from which the rate is divided by ten, once for each.
  public let milestones: [Int]
  /// How the rate begins.
  public let start: Start

  /// - Parameter milestones: in any order; those beyond the last step change nothing.
  public init(steps: Int, rate: Float, milestones: [Int], start: Start = .full) {
    (self.steps, self.rate, self.milestones, self.start) = (steps, rate, milestones, start)
  }

  /// The start at a lower rate, if there is one.
  public var warmup: Warmup? { if case .low(let warmup) = start { warmup } else { nil } }
  /// The steps in which the rate rises from 0; 0 if it does not.
  public var risingSteps: Int { if case .rising(let steps) = start { steps } else { 0 } }

  /// The paper's milestones for another number of steps, in proportion.
  public static func milestones(for steps: Int) -> [Int] {
    paperMilestones.map { max(1, steps * ($0 / 1_000) / (paperSteps / 1_000)) }
  }

  /// The rate of a step, counted from 0.
  ///
  /// - Parameter isWarm: whether the start at a lower rate, if there is one, has ended.
  public func rate(at step: Int, isWarm: Bool) -> Float {
    if let warmup, !isWarm { return warmup.rate }
    // Divided in Double, so that 0.1 becomes the number nearest to 0.001.
    let full = milestones.reduce(Double(rate)) { step >= $1 ? $0 / 10 : $0 }
    return Float(step < risingSteps ? full * Double(step + 1) / Double(risingSteps) : full)
  }
}
