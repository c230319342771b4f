import ResidualCPU
import ResidualNetworks
import ResidualReference
import ResidualTraining
import Testing

/// What is measured is what a plan computes.
@Suite struct MeasurementTests {
  private let network: Network
  private let graph: Graph
  private let shapes: [String: Shape]

  init() throws {
    network = try NetworkCatalog.network(named: "cifar-resnet20")
    graph = network.trainingStep(weightDecay: 1e-4)
    shapes = network.stepShapes(batch: 4)
  }

  @Test func layersOfATrainingStep() throws {
    let layers = try graph.convolutionLayers(inputs: shapes)
    let groups = ConvolutionGroup.groups(of: layers)
    #expect(
      groups.map { "\($0.path) \($0.extents.text)" } == [
        "conv1 32×32 3→16 3×3", "layer1.0.conv1 32×32 16→16 3×3",
        "layer2.0.conv1 32×32 16→32 3×3/2", "layer2.0.conv2 16×16 32→32 3×3",
        "layer3.0.conv1 16×16 32→64 3×3/2", "layer3.0.conv2 8×8 64→64 3×3",
        "fc.product 1×1 64→10 1×1",
      ])
    // The images need no gradient.
    #expect(groups[0].counts == [.output: 1, .filterGradient: 1])
    #expect(groups[1].counts == [.output: 6, .inputGradient: 6, .filterGradient: 6])
    #expect(groups[6].counts == [.output: 1, .inputGradient: 1, .filterGradient: 1])
    // The forward pass costs what the network's summary says.
    let forward = layers.filter { $0.direction == .output }.reduce(0) {
      $0 + $1.extents.multiplyAdds
    }
    let summary = try NetworkSummary(network)
    #expect(forward == 4 * summary.multiplyAdds)
  }

  @Test(arguments: ConvolutionDirection.allCases, InstructionSet.available)
  func everyAlgorithmThatAppliesIsTimed(
    direction: ConvolutionDirection, instructionSet: InstructionSet
  ) throws {
    let device = try CPUDevice(threads: 2, instructionSet: instructionSet)
    let groups = ConvolutionGroup.groups(
      of: try graph.convolutionLayers(inputs: shapes))
    for (group, count) in [(1, 2), (2, 1), (6, 1)] {
      let timing = try device.time(
        direction, groups[group].extents, packsFilter: true, budget: .zero)
      #expect(timing.seconds.count == count)
      #expect(timing.seconds.values.allSatisfy { $0 > 0 })
      #expect(timing.secondsOfChoice > 0)
      #expect((timing.rival != nil) == (count > 1))
    }
    let peak = try device.measuredPeakOfAllThreads()
    #expect(peak > 0 && peak.isFinite)
  }

  @Test func profileCoversEveryStep() throws {
    func check<D: Device>(_ device: D, _ profile: (Plan<D.Step>, StepTimes) -> Profile) throws {
      let run = try TrainingRun(network, batch: 4, on: device)
      let times = StepTimes(of: run.loaded.plan)
      run.loaded.run(times: times)
      run.loaded.run()
      run.loaded.run(times: times)
      #expect(times.runs == 2)
      let profile = profile(run.loaded.plan, times)
      for groups in [profile.kinds, profile.layers] {
        #expect(groups.reduce(0) { $0 + $1.steps } == run.loaded.plan.steps.count)
        #expect(groups.reduce(0) { $0 + $1.bytes } == run.loaded.plan.stepByteCounts.reduce(0, +))
        #expect(abs(groups.reduce(0) { $0 + $1.seconds } - profile.seconds) < 1e-9)
        #expect(groups.map(\.seconds) == groups.map(\.seconds).sorted(by: >))
      }
      #expect(profile.seconds > 0)
    }
    try check(CPUDevice(threads: 1)) { Profile($0, $1) }
    try check(ReferenceDevice()) { Profile($0, $1) { _ in ("step", "layer") } }
  }

  @Test func layersOfSteps() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8")
    let graph = network.trainingStep(weightDecay: 1e-4).recomputing(.activations)
    let plan = try CPUDevice(threads: 1).prepare(graph, inputs: network.stepShapes(batch: 2))
    let layers = Dictionary(plan.steps.map { ($0.path, $0.layer) }) { first, _ in first }
    let convolution = "layer1.0.conv1"
    #expect(layers[convolution] == convolution)
    #expect(layers["gradient/\(convolution).input"] == convolution)
    #expect(layers["gradient/layer1.0.bn1.sums"] == "layer1.0.bn1")
    #expect(layers["update/\(convolution).weight"] == "update/\(convolution).weight")
    let repeated = graph.nodes.filter { $0.pass == .repeated }
    #expect(!repeated.isEmpty && repeated.allSatisfy { $0.path == "repeated/" + $0.layer })
  }
}
