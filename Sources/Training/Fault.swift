/// A number of a training step that is not finite: the first one that is found on the way from the images to
/// the updates.
public struct Fault: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Where a number can be at fault, in the order in which they are looked at.
  public enum Quantity: String, Hashable, Sendable, Codable, CaseIterable {
    /// The images as the network sees them.
    case images
    /// A parameter before the step.
    case weight
    /// What a layer makes of images and parameters that are finite.
    case output
    /// The loss of logits that are finite.
    case loss
    /// The gradient of a parameter, with a loss that is finite.
    case gradient
    /// The change of a parameter whose gradient is finite: the learning rate is too high.
    case update
  }

  /// What a number is that is not finite.
  public enum Value: String, Hashable, Sendable, Codable {
    /// No number.
    case nan = "NaN"
    /// ∞ or −∞.
    case infinite

    /// - Parameter number: that is not finite.
    init(_ number: Float) { self = number.isNaN ? .nan : .infinite }
  }

  /// Counted from 1.
  public let step: Int
  /// What is not finite.
  public let quantity: Quantity
  /// The layer's path: the first in the order of the forward pass whose weights, output or update are not
  /// finite, or the last one whose gradient is not, where the backward pass fails first. `nil` for the images
  /// and the loss.
  public let layer: String?
  /// Of the loss, or of the layer's sum of squares.
  public let value: Value
  /// What a run does about faults.
  public let response: FaultResponse

  /// Faults that a run gets over; the next one ends it.
  public static let limit = 10

  package init(
    step: Int, quantity: Quantity, layer: String?, value: Value, response: FaultResponse
  ) {
    (self.step, self.quantity, self.layer) = (step, quantity, layer)
    (self.value, self.response) = (value, response)
  }

  /// What was found, without a remedy.
  public var description: String {
    let value = value == .nan ? "NaN" : "infinite"
    let layer = layer ?? ""
    let what =
      switch quantity {
      case .images: "the images are \(value)"
      case .weight: "a weight of \(layer) is \(value)"
      case .output: "the output of \(layer) is \(value)"
      case .loss: "the loss is \(value)"
      case .gradient: "the gradient of \(layer) is \(value)"
      case .update: "the update of \(layer) is \(value)"
      }
    return "in step \(step) \(what)"
  }
}

/// What a run does about a ``Fault``.
public enum FaultResponse: String, Hashable, Sendable, Codable, CaseIterable, SettingValue {
  /// It ends.
  case stop
  /// It leaves out the update.
  case skip
  /// It goes back to its last checkpoint, and leaves out the step when it comes by again.
  case rollback
}

/// Training has come to numbers that are not finite.
public struct Divergence: Refusal, Hashable {
  /// The first of them.
  public let fault: Fault
  /// The rate of the step.
  public let learningRate: Float
  /// Faults before this one, which the run got over.
  public let earlierFaults: Int

  /// Whether a run that rolls back may do so: not if the rate is too high, nor after ``Fault/limit`` faults.
  public var allowsRollback: Bool {
    fault.response == .rollback && fault.quantity != .update && earlierFaults < Fault.limit
  }
  /// Steps that are done, the one that failed included.
  public var step: Int { fault.step }
  public var kind: RefusalKind { .diverged }
  public var description: String { message.description }
  public var message: Message {
    let what =
      fault.quantity == .update
      ? "\(fault.description) at a learning rate of \(learningRate)" : fault.description
    let faults =
      earlierFaults > 0 ? ", with \(earlierFaults.counted("step")) before it left out" : ""
    let remedy: Message =
      switch fault.quantity {
      case .images: "check how images are prepared: their mean and deviation"
      default:
        "training has diverged; lower the learning rate (\(OptionName.learningRate)), or let it rise "
          + "more slowly (\(OptionName.warmupSteps))"
      }
    return "\(what)\(faults): \(remedy)"
  }
}
