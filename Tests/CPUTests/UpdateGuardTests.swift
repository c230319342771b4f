import ResidualCPU
import ResidualNetworks
import ResidualTraining
import Testing

/// Norms, clipping and steps that are left out, as parts of a step.
@Suite struct UpdateGuardTests {
  /// Ways to guard updates: not at all beyond the loss, clipped, with steps skipped, both.
  struct Guard: CustomTestStringConvertible, Sendable {
    let maximumNorm: Float?, skipsFaults: Bool
    var testDescription: String { "norm \(maximumNorm ?? .infinity), skips: \(skipsFaults)" }
    static let all = [nil, 0.5].flatMap { norm in
      [false, true].map { Guard(maximumNorm: norm, skipsFaults: $0) }
    }
  }

  private func step(_ network: Network, _ guarding: Guard) -> Graph {
    network.trainingStep(
      weightDecay: 1e-4, maximumNorm: guarding.maximumNorm, skipsFaults: guarding.skipsFaults)
  }

  private func run(_ guarding: Guard, threads: Int) throws -> TrainingRun<CPUDevice> {
    let network = try NetworkCatalog.network(named: "cifar-resnet20")
    return try TrainingRun(
      network, graph: step(network, guarding).updatingEarly(), batch: 8,
      on: CPUDevice(threads: threads))
  }

  @Test(arguments: Guard.all) func bitsDoNotDependOnThreads(guarding: Guard) throws {
    func results(threads: Int) throws -> [String: [Float]] {
      let run = try run(guarding, threads: threads)
      for number in 0..<3 { run.step(number) }
      return run.results
    }
    let expected = try results(threads: 1)
    #expect(expected.values.allSatisfy { $0.allSatisfy(\.isFinite) })
    for threads in [2, 3, 4] {
      #expect(try results(threads: threads).differences(from: expected) == [], "\(threads) threads")
    }
  }

  /// Where nothing needs the norm of all gradients, updates do not wait; all happen in place.
  @Test(arguments: Guard.all) func updatesAreEarlyAndInPlace(guarding: Guard) throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8")
    let early = step(network, guarding).updatingEarly()
    let updates = early.nodes.indices.filter { early.nodes[$0].operation.name == "momentumUpdate" }
    let last = try #require(early.nodes.lastIndex { $0.pass == .backward })
    let waits = guarding.maximumNorm != nil || guarding.skipsFaults
    #expect(updates.contains { $0 < last } == !waits)
    let plan = try CPUDevice(threads: 1).prepare(early, inputs: network.stepShapes(batch: 8))
    #expect(!plan.steps.contains { String(describing: type(of: $0.work)) == "Copy" })
  }

  /// Guards change no bit of a step that needs none.
  @Test func guardsOfGoodStepsChangeNothing() throws {
    let runs = try [nil, 1e6].map { (norm: Float?) in
      try run(.init(maximumNorm: norm, skipsFaults: norm != nil), threads: 2)
    }
    for run in runs { for number in 0..<3 { run.step(number) } }
    #expect(runs[1].results.differences(from: runs[0].results) == [])
  }

  /// The squares are those that loops in Double make of the slots before and after the first step.
  @Test(arguments: Guard.all) func norms(guarding: Guard) throws {
    let run = try run(guarding, threads: 2)
    let network = try NetworkCatalog.network(named: "cifar-resnet20")
    let names = step(network, guarding).updatedParameters
    #expect(names.count == 59 && Set(names).count == 59)
    let store = run.session.store
    let before = names.map { store.readDouble($0) }
    run.step(0)
    let squares = run.loaded.readDouble(Graph.squaresOutput)
    // From a velocity of 0: v′ = rate · (clip · g + decay · w).
    let gradients = zip(names, before).map { name, weights in
      zip(store.readDouble("momentum/" + name), weights).map { $0 / 0.1 - 1e-4 * $1 }
    }
    func square(_ numbers: [Double]) -> Double { numbers.reduce(0) { $0 + $1 * $1 } }
    let norm = stride(from: 0, to: squares.count, by: 3).reduce(0) { $0 + squares[$1] }
      .squareRoot()
    let clip = min(1, Double(guarding.maximumNorm ?? .infinity) / (norm + 1e-6))
    #expect(guarding.maximumNorm == nil ? clip == 1 : clip < 0.9)
    for (index, name) in names.enumerated() {
      let velocity = store.readDouble("momentum/" + name)
      for (found, expected) in [
        (squares[3 * index] * clip * clip, square(gradients[index])),
        (squares[3 * index + 1], square(before[index])),
        (squares[3 * index + 2], square(velocity)),
      ] {
        #expect(abs(found - expected) <= 2e-5 * expected + 1e-12, "\(name)")
      }
    }
  }

  /// A loss that is not finite changes running statistics only, and those only where it is not skipped.
  @Test(arguments: Guard.all) func faultsKeepTheState(guarding: Guard) throws {
    let run = try run(guarding, threads: 2)
    run.step(0)
    let store = run.session.store
    func values(_ isKept: (StateSlot) -> Bool) -> [Tensor<Float>] {
      store.slots.filter(isKept).map { store.read($0.name) }
    }
    let learned = values { $0.role != .statistic }
    let statistics = values { $0.role == .statistic }
    // The loss of a sample of infinite weight is ∞ / ∞; the activations are as ever.
    run.loaded.write([Float](repeating: .infinity, count: 8), to: StepTensor.weights)
    run.step(1)
    #expect(!run.loaded.scalar(StepTensor.loss).isFinite)
    #expect(values { $0.role != .statistic } == learned)
    #expect((values { $0.role == .statistic } == statistics) == guarding.skipsFaults)
  }
}
