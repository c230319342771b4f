import ResidualCPU
import ResidualNetworks
import ResidualReference
import ResidualTraining
import Testing

/// Reading values by their path, where several nodes share a step.
@Suite struct TapTests {
  private static let network = RegionTests.network

  /// The outputs of a run, those of a step with its slots.
  private func results<D: Device>(_ graph: Graph, on device: D, steps: Int) throws
    -> [String: [Float]]
  {
    let run = try TrainingRun(Self.network, graph: graph, batch: 4, on: device)
    for step in 0..<steps { run.step(step) }
    return run.results
  }

  @Test(arguments: InstructionSet.available)
  func blocksAndConvolutionsOfAStep(instructionSet: InstructionSet) throws {
    let graph = RegionTests.graph
    let taps = ["conv1", "relu", "block.conv1", "block.conv2", "block.relu", "fc"].flatMap {
      $0 == "fc" ? [Tap($0)] : [Tap($0), Tap($0, .statistics)]
    }
    let device = try CPUDevice(threads: 2, instructionSet: instructionSet)
    let before = try results(graph, on: device, steps: 3)
    let after = try results(try graph.tapping(taps), on: device, steps: 3)
    #expect(after.filter { !$0.key.hasPrefix("tap/") }.differences(from: before) == [])
    let oracle = try results(try graph.tapping(taps), on: ReferenceDevice(), steps: 3)
    for name in after.keys where name.hasPrefix("tap/") {
      #expect(
        relativeDistance(try #require(after[name]), try #require(oracle[name])) < 2e-4, "\(name)")
    }
  }

  /// In inference every value can be read: which nodes share a step changes no bit.
  @Test func everyValueOfInference() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8")
    let graph = network.evaluationStep()
    let taps = graph.nodes.filter { $0.operation.elementType.isFloatingPoint }.map { Tap($0.path) }
    func outputs<D: Device>(_ graph: Graph, on device: D) throws -> [String: [Float]] {
      let session = Session(device: device, store: Store(realType: device.realType))
      let plan = try session.load(graph, inputs: network.stepShapes(batch: 3), seed: 3)
      plan.write(
        Draw.numbers(network.imagesShape(batch: 3).count, seed: 1), to: StepTensor.images)
      plan.write(Draw.labels(3, below: network.classes, seed: 1), to: StepTensor.labels)
      plan.write([Float](repeating: 1, count: 3), to: StepTensor.weights)
      plan.run()
      return Dictionary(
        uniqueKeysWithValues: plan.plan.outputs.keys.map { ($0, plan.read($0).scalars) })
    }
    let device = try CPUDevice(threads: 2)
    let before = try outputs(graph, on: device)
    let after = try outputs(try graph.tapping(taps), on: device)
    #expect(after.count == before.count + taps.count)
    #expect(after.filter { !$0.key.hasPrefix("tap/") }.differences(from: before) == [])
    let oracle = try outputs(try graph.tapping(taps), on: ReferenceDevice())
    for tap in taps {
      let (own, exact) = (try #require(after[tap.output]), try #require(oracle[tap.output]))
      #expect(relativeDistance(own, exact) < 1e-5, "\(tap.path)")
    }
  }
}
