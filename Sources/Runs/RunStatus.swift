import Foundation
import ResidualTraining

/// What a process says of the run that it works on, in `status.json`.
public struct RunStatus: Hashable, Codable, Sendable {
  /// What the run is doing, or how it has ended.
  public enum State: String, Hashable, Codable, Sendable {
    case running, interrupted, failed
  }
  /// As the process said last.
  public var state: State
  /// The network's name.
  public var network: String
  /// Steps that are done, and all of them.
  public var step: Int, steps: Int
  /// Mean cross-entropy of the last batch in nats; `nil` before the first step, or where it is no number.
  public var loss: Double?
  /// Images a second since the status before this one; `nil` for the first one.
  public var imagesPerSecond: Double?
  /// Seconds until the last step at that rate.
  public var secondsLeft: Double?
  /// When this was written, in seconds since 1970.
  public var time: Double
  /// Why the run has failed.
  public var reason: String?

  static let name = "status.json"

  /// Reads the status of a run; `nil` if there is none that can be read.
  public init?(in folder: String) {
    guard let file = try? FileBytes(at: folder + "/" + Self.name, access: .copied),
      file.count <= 64 << 10,
      let status = try? file.withUnsafeBytes({ bytes in
        try JSONDecoder().decode(RunStatus.self, from: Data(bytes))
      })
    else { return nil }
    self = status
  }

  init(_ state: State, network: String, step: Int, steps: Int, loss: Float? = nil) {
    (self.state, self.network, self.step, self.steps) = (state, network, step, steps)
    self.loss = loss.flatMap { $0.isFinite ? Double($0) : nil }
    time = Date().timeIntervalSince1970
  }

  /// Writes the status. A failure is no matter: the run does not depend on it.
  func write(to folder: RunFolder) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(self) else { return }
    folder.note(String(decoding: data, as: UTF8.self) + "\n", to: Self.name)
  }
}

/// Says every few seconds how far a run has come.
struct StatusReporter {
  private static let interval = Duration.seconds(2)
  private let clock = ContinuousClock()
  private let network: String
  private let steps: Int, batchSize: Int
  private var last: (time: ContinuousClock.Instant, step: Int)?

  init(_ learner: Learner<some Device>) {
    network = learner.network.name
    (steps, batchSize) = (learner.recipe.schedule.steps, learner.recipe.batchSize)
  }

  /// Writes a status if the last one is some seconds old.
  mutating func report(step: Int, loss: Float?, to folder: RunFolder) {
    let now = clock.now
    if let last, now - last.time < Self.interval { return }
    var status = RunStatus(.running, network: network, step: step, steps: steps, loss: loss)
    if let last, step > last.step {
      let perStep = (now - last.time) / .seconds(1) / Double(step - last.step)
      status.imagesPerSecond = Double(batchSize) / perStep
      status.secondsLeft = perStep * Double(steps - step)
    }
    last = (now, step)
    status.write(to: folder)
  }

  /// Writes how the run has ended.
  func end(_ state: RunStatus.State, step: Int, reason: String? = nil, to folder: RunFolder) {
    var status = RunStatus(state, network: network, step: step, steps: steps)
    status.reason = reason
    status.write(to: folder)
  }
}
