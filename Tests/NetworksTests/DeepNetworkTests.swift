import ResidualNetworks
import ResidualReference
import ResidualTestSupport
import Testing

@Suite struct DeepNetworkTests {
  /// The deepest network of the paper, with its whole training step, and one of half its depth: what
  /// copies the graph for each layer would take four times the memory for twice the depth.
  @Test(.enabled(if: Allocation.isCounted, "allocations are not counted here"))
  func workGrowsWithTheDepth() throws {
    var steps = 0
    let growth = try Allocation.growth(of: 100) { blocks in
      let network = try NetworkCatalog.network(named: "cifar-resnet\(6 * blocks + 2)")
      var (graph, loss) = network.graphWithLoss()
      let gradients = graph.differentiate(
        loss, withRespectTo: graph.slots.filter(\.trainable).map(\.name))
      graph.updateByMomentumSGD(gradients: gradients, weightDecay: 1e-4)
      #expect(gradients.count == (6 * blocks + 1) * 3 + 2)
      let plan = try ReferenceDevice().prepare(
        graph,
        inputs: [
          Network.imagesInput: network.imagesShape(batch: 128), "labels": [128], "weights": [128],
          "learningRate": .scalar, "momentum": .scalar,
        ])
      steps = plan.steps.count
    }
    #expect(growth < 2.5)
    #expect(steps > 10_000)
  }
}
