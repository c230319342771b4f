import ResidualNetworks
import ResidualReference
import Testing

/// Whole networks in training form: images to loss, through every kind of shortcut.
@Suite struct NetworkGradientTests {
  @Test(arguments: [
    ("cifar-resnet8", Shortcut.padding(.end)), ("cifar-resnet8", .padding(.both)),
    ("cifar-resnet8", .projection), ("cifar-resnet8", .projectionEverywhere),
    ("cifar-plain8", .padding(.end)),
  ])
  func gradientsOfAllParameters(name: String, shortcut: Shortcut) throws {
    let network = try NetworkCatalog.network(named: name, variant: .init(shortcut))
    var graph = network.graph(.training)
    let logits = try #require(graph.output(Network.logitsOutput))
    graph.output(
      "loss",
      graph.append(
        .softmaxCrossEntropy(.init()),
        [logits, graph.input("labels", .int32), graph.input("weights")], path: "loss"))
    let parameters = graph.slots.filter(\.trainable).map(\.name)
    let check = try GradientCheck(
      graph, parameters: parameters,
      inputs: [
        Network.imagesInput: numbers("images", [3, 8, 8, 3]), "weights": Tensor([3], [1, 1, 0.5]),
      ],
      labels: ["labels": [7, 0, 3]])
    // Small differences of the last layer would hide errors of those before it.
    check.session.store.write(numbers("fc", [10, 64]).scalars, to: "fc.weight")
    // The tolerances of PyTorch's `gradcheck`: rectifiers have kinks.
    check.run(limit: 5, absolute: 1e-5, relative: 1e-3)
  }
}
