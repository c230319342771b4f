import Foundation
import ResidualNetworks

/// Notices a run that does not begin to learn: over the first tenth of its steps the loss comes to that of
/// guessing, the logarithm of the number of classes, and stays there.
package struct StallMonitor: Hashable, Sendable {
  /// The loss of a network that guesses, with its auxiliary classifiers, in nats.
  package let guessing: Double
  /// The third and the last quarter of the first tenth, whose means are both compared.
  private let quarter: Int
  private var third = 0.0, last = 0.0

  package init(_ network: Network, steps: Int) {
    guessing =
      log(Double(network.classes))
      * (1 + Double(Network.auxiliaryWeight) * Double(max(0, network.heads.count - 1)))
    quarter = steps / 40
  }

  /// Takes in the loss of a step, counted from 1.
  ///
  /// - Returns: whether this is the last of them, and the run has not begun to learn.
  package mutating func record(step: Int, loss: Float) -> Bool {
    // A step that was left out has none, and makes a mean too small to object to.
    let loss = loss.isFinite ? Double(loss) : 0
    if step > 2 * quarter, step <= 3 * quarter { third += loss }
    if step > 3 * quarter, step <= 4 * quarter { last += loss }
    // Fewer steps say little.
    guard step == 4 * quarter, quarter >= 5 else { return false }
    func stays(_ sum: Double) -> Bool { abs(sum / Double(quarter) / guessing - 1) < 0.01 }
    return stays(third) && stays(last)
  }
}
