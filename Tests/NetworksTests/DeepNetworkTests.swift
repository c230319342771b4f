import ResidualNetworks
import ResidualReference
import ResidualTestSupport
import Testing

@Suite struct DeepNetworkTests {
  /// The deepest network of the paper, with its whole training step.
  @Test func resNet1202IsPlannedInLittleTime() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet1202")
    var steps = 0
    let time = try ContinuousClock().measure {
      var (graph, loss) = network.graphWithLoss()
      let gradients = graph.differentiate(
        loss, withRespectTo: graph.slots.filter(\.trainable).map(\.name))
      graph.updateByMomentumSGD(gradients: gradients, weightDecay: 1e-4)
      #expect(gradients.count == 1201 * 3 + 2 + 0)
      let plan = try ReferenceDevice().prepare(
        graph,
        inputs: [
          Network.imagesInput: network.imagesShape(batch: 128), "labels": [128], "weights": [128],
          "learningRate": .scalar, "momentum": .scalar,
        ])
      steps = plan.steps.count
    }
    print("ResNet-1202: \(steps) steps, built and planned in \(time)")
    #expect(steps > 10_000)
    #expect(time < .seconds(3))
  }
}
