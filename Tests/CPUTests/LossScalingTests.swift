import ResidualCPU
import ResidualTraining
import Testing

/// Loss scaling as part of a step: it changes nothing where numbers are finite, and skips a step where
/// they are not.
@Suite struct LossScalingTests {
  private func run(lossScaling: Bool) throws -> TrainingRun<CPUDevice> {
    let network = try NetworkCatalog.network(named: "cifar-resnet8")
    return try TrainingRun(
      network, graph: network.trainingStep(weightDecay: 1e-4, lossScaling: lossScaling), batch: 8,
      on: CPUDevice(threads: 2))
  }

  @Test func scaledStepsAreEqual() throws {
    let (plain, scaled) = (try run(lossScaling: false), try run(lossScaling: true))
    for number in 0..<20 {
      plain.step(number)
      scaled.step(number)
    }
    var results = scaled.results
    #expect(results.removeValue(forKey: "slot lossScale") ?? [] == [0x1p15])
    #expect(results.removeValue(forKey: "slot lossScaleSteps") ?? [] == [20])
    let expected = plain.results
    #expect(Set(results.keys) == Set(expected.keys))
    for (name, values) in expected {
      // Scales are powers of two: only numbers that are flushed to zero can differ.
      #expect(relativeDistance(results[name] ?? [], values) < 1e-6, "\(name)")
    }
  }

  @Test func aStepThatIsNotFiniteIsSkipped() throws {
    let run = try run(lossScaling: true)
    run.step(0)
    let store = run.session.store
    let slots = store.slots.filter { $0.role != .statistic && !$0.name.hasPrefix("lossScale") }
    let before = slots.map { store.read($0.name) }
    // The gradient of a sample of infinite weight is ∞ / ∞; the activations are as ever.
    run.loaded.write([Float](repeating: .infinity, count: 8), to: StepTensor.weights)
    run.step(1)
    #expect(slots.map { store.read($0.name) } == before)
    #expect(store.read(LossScaling.scaleSlot) == Tensor([], [0x1p14]))
    #expect(store.read(LossScaling.stepsSlot) == Tensor([], [0]))

    run.loaded.write([Float](repeating: 1, count: 8), to: StepTensor.weights)
    run.step(2)
    #expect(run.loaded.scalar(StepTensor.loss).isFinite)
    #expect(zip(slots, before).allSatisfy { store.read($0.name) != $1 })
    #expect(store.read(LossScaling.scaleSlot) == Tensor([], [0x1p14]))
  }

  /// The scale and all parameters are updated in place, and no update comes before all gradients.
  @Test func updatesWaitAndStayInPlace() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8")
    let graph = network.trainingStep(weightDecay: 1e-4, lossScaling: true)
    let early = graph.updatingEarly()
    let norm = try #require(early.nodes.firstIndex { $0.operation.name == "gradientNorm" })
    #expect(early.nodes[..<norm].allSatisfy { $0.operation.name != "momentumUpdate" })
    let plan = try CPUDevice(threads: 1).prepare(early, inputs: network.stepShapes(batch: 8))
    #expect(!plan.steps.contains { String(describing: type(of: $0.work)) == "Copy" })
    // What is repeated does not depend on it.
    func repeated(_ graph: Graph) -> Int {
      graph.recomputing(.convolutions(every: 1)).nodes.count { $0.path.hasPrefix("repeated/") }
    }
    #expect(repeated(graph) > 0)
    #expect(repeated(graph) == repeated(network.trainingStep(weightDecay: 1e-4)))
  }
}
