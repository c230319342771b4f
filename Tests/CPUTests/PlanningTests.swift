import ResidualCPU
import ResidualNetworks
import ResidualTestSupport
import ResidualTraining
import Testing

@Suite struct PlanningTests {
  private let device: CPUDevice
  init() throws { device = try CPUDevice(threads: 1) }

  private func plan(_ name: String, batch: Int) throws -> Plan<CPUStep> {
    let network = try NetworkCatalog.network(named: name)
    return try device.prepare(
      network.trainingStep(weightDecay: 1e-4), inputs: network.stepShapes(batch: batch))
  }

  /// The deepest network of the paper, and one of half its depth: what copies the graph or the plan
  /// for each layer would take four times the memory for twice the depth. `scripts/check planning`
  /// prints the times.
  @Test(.enabled(if: Allocation.isCounted, "allocations are not counted here"))
  func planningGrowsWithTheDepth() throws {
    var steps = 0
    let growth = try Allocation.growth(of: 100) { blocks in
      steps = try plan("cifar-resnet\(6 * blocks + 2)", batch: 128).steps.count
    }
    #expect(growth < 2.5)
    #expect(steps > 10_000)
  }

  /// What the backward pass reads must be kept: each convolution's result and each block's. The rest
  /// of the arena serves one layer after another.
  @Test func arenaHoldsLittleMoreThanConvolutionAndBlockOutputs() throws {
    let batch = 128
    let stages = zip(CIFARResNet.widths, [32, 16, 8]).map { $0 * $1 * $1 }
    let numbersOfAnImage = (7 + 4) * stages[0] + (6 + 3) * stages[1] + (6 + 3) * stages[2]
    let activations = batch * numbersOfAnImage * MemoryLayout<Float>.size
    let arena = try plan("cifar-resnet20", batch: batch).arenaByteCount
    print("cifar-resnet20: \(arena) bytes of arena, \(activations) of them activations")
    #expect(arena >= activations)
    #expect(arena <= activations * 6 / 5)
    let half = try plan("cifar-resnet20", batch: batch / 2).arenaByteCount
    #expect(Double(half) / Double(arena) < 0.55)
  }
}
