import ResidualCPU
import ResidualNetworks
import ResidualTraining
import Testing

/// Deep networks in little memory.
@Suite struct MemoryPlanTests {
  private let device: CPUDevice
  init() throws { device = try CPUDevice(threads: 2) }

  private func planned(
    _ network: Network, batch: Int, _ scope: RecomputationScope, limit: Int? = nil
  ) throws -> TrainingPlan<CPUDevice> {
    try TrainingPlan(
      network.trainingStep(weightDecay: 1e-4), inputs: network.stepShapes(batch: batch),
      device: device, recomputation: scope, memoryLimit: limit)
  }

  /// The figures that the deepest network of the paper is to be trained in.
  @Test(arguments: [
    (RecomputationScope.activations, 8.75), (.additions, 6), (.convolutions, 1.5),
  ])
  func deepestNetwork(scope: RecomputationScope, gibibytes: Double) throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet1202")
    let planned = try planned(network, batch: 128, scope)
    print("cifar-resnet1202, \(scope): \(planned.memory)")
    #expect(Double(planned.memory.total) < gibibytes * 0x1p30)
    #expect(Double(planned.plan.arenaByteCount) < 1.03 * Double(planned.plan.leastArenaByteCount))
  }

  /// A limit is made use of, and never broken.
  @Test(arguments: [1, 2, 4]) func convolutionsAreKeptWithinTheLimit(gibibytes: Int) throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet1202")
    let limit = gibibytes << 30
    let total = try planned(network, batch: 128, .convolutions, limit: limit).memory.total
    #expect(total <= limit && total > limit * 3 / 4)
  }

  @Test func memoryGrowsWithTheRootOfTheDepth() throws {
    func arena(_ depth: Int, _ scope: RecomputationScope) throws -> Double {
      let network = try NetworkCatalog.network(named: "cifar-resnet\(depth)")
      return Double(try planned(network, batch: 64, scope).plan.arenaByteCount)
    }
    #expect(try arena(602, .nothing) / arena(152, .nothing) > 3.5)
    #expect(try arena(602, .convolutions) / arena(152, .convolutions) < 2.5)
  }

  /// The same bits of every parameter and statistic after ten steps, whatever is repeated.
  @Test(arguments: ["cifar-resnet20", "cifar-plain20"], [Shortcut.padding(.end), .projection])
  func everyBitStays(name: String, shortcut: Shortcut) throws {
    let network = try NetworkCatalog.network(named: name, variant: .init(shortcut))
    let step = network.trainingStep(weightDecay: 1e-4)
    func results(_ graph: Graph) throws -> [String: [Float]] {
      let run = try TrainingRun(network, graph: graph, batch: 6, on: device)
      for number in 0..<10 {
        run.loaded.poison()
        run.loaded.write([Float](repeating: 1, count: 6), to: StepTensor.weights)
        run.loaded.write(0.1, to: StepTensor.learningRate)
        run.loaded.write(0.9, to: StepTensor.momentum)
        run.step(number)
      }
      return run.results
    }
    let expected = try results(step)
    for rewrite: Recomputation in [
      .nothing, .activations, .blockOutputs(every: 1), .blockOutputs(every: 4),
      .convolutions(every: 1), .convolutions(every: 3), .convolutions(every: 2, keeping: 4),
    ] {
      let repeated = try results(step.recomputing(rewrite).updatingEarly())
      #expect(repeated.differences(from: expected) == [], "\(name), \(rewrite)")
    }
  }

  @Test func updatesStayInPlace() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet20")
    let plan = try planned(network, batch: 8, .additions).plan
    #expect(!plan.steps.contains { "\($0.work)".hasPrefix("Copy(") })
  }

  @Test func refusal() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet56")
    func refusal(_ scope: RecomputationScope, _ limit: Int) -> MemoryLimitError? {
      #expect(throws: MemoryLimitError.self) {
        try planned(network, batch: 128, scope, limit: limit)
      }
    }
    let needed = try planned(network, batch: 128, .convolutions).memory.total
    let first = try #require(refusal(.additions, needed + 1))
    #expect(first.recomputed == needed)
    #expect(
      first.description.contains(
        "`memoryLimit` allows \(ByteSize.text(needed + 1)); use `recomputation`"))
    let second = try #require(refusal(.convolutions, needed / 2))
    #expect((1..<64).contains(second.fittingBatch))
    #expect(second.description.contains("use `batchSize` \(second.fittingBatch), or raise"))
    // The batch that it names fits.
    _ = try planned(network, batch: second.fittingBatch, .convolutions, limit: needed / 2)
    let third = try #require(refusal(.convolutions, 1_000_000))
    #expect(third.fittingBatch == 0 && third.description.hasSuffix("use a higher limit"))
    #expect(third.planned.total == needed)
  }
}
