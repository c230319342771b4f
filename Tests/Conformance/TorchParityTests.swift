import ResidualNetworks
import ResidualReference
import Testing

/// A whole training step against PyTorch in double precision.
@Suite struct TorchParityTests {
  @Test(arguments: [
    ("resnet8-A-end", "cifar-resnet8", Shortcut.padding(.end)),
    ("resnet8-A-both", "cifar-resnet8", .padding(.both)),
    ("resnet8-B", "cifar-resnet8", .projection),
    ("resnet8-C", "cifar-resnet8", .projectionEverywhere),
    ("plain8", "cifar-plain8", .padding(.end)),
  ])
  func trainingStep(file: String, name: String, shortcut: Shortcut) throws {
    let fixture = try NetworkFixture(file)
    let network = try NetworkCatalog.network(named: name, shortcut: shortcut)
    var graph = network.graph(.training)
    let logits = try #require(graph.output(Network.logitsOutput))
    let loss = graph.append(
      .softmaxCrossEntropy(.init()),
      [logits, graph.input("labels", .int32), graph.input("weights")], path: "loss")
    graph.output("loss", loss)
    let parameters = graph.slots.filter(\.trainable).map(\.name)
    let gradients = graph.differentiate(loss, withRespectTo: parameters)
    for (name, gradient) in gradients { graph.output("gradient/" + name, gradient) }
    graph.updateByMomentumSGD(gradients: gradients, weightDecay: 1e-4)

    let session = Session(device: ReferenceDevice(), store: Store(realType: .float64))
    let plan = try session.load(
      graph,
      inputs: [
        Network.imagesInput: [2, 8, 8, 3], "labels": [2], "weights": [2], "learningRate": .scalar,
        "momentum": .scalar,
      ])
    let rate = 0.1
    for slot in session.store.slots {
      session.store.write(NetworkFixture.initialValue(slot, rate: rate), to: slot.name)
    }
    plan.write(NetworkFixture.draw("images", 2 * 8 * 8 * 3), to: Network.imagesInput)
    plan.write([7, 2] as [Int32], to: "labels")
    plan.write([1.0, 1.0], to: "weights")
    plan.write([rate], to: "learningRate")
    plan.write([0.9], to: "momentum")
    plan.poison()
    plan.run()

    expect([plan.readDouble("loss")[0]], [fixture.loss], scale: fixture.loss, "loss")
    let largest = fixture.logits.map(abs).max() ?? 0
    expect(plan.readDouble(Network.logitsOutput), fixture.logits, scale: largest, "logits")
    #expect(Set(fixture.gradients.keys) == Set(parameters))
    for (name, summary) in fixture.gradients {
      expect(plan.readDouble("gradient/" + name), summary, name, "the gradient of \(name)")
    }
    let slots = session.store.slots.filter { $0.role != .optimizer }.map(\.name)
    #expect(Set(fixture.slots.keys) == Set(slots))
    for (name, summary) in fixture.slots {
      expect(session.store.readDouble(name), summary, name, name)
    }
  }

  private func expect(
    _ values: [Double], _ summary: NetworkFixture.Summary, _ name: String, _ what: String
  ) {
    let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let random = NetworkFixture.draw("projection/" + name, values.count)
    let projection = zip(values, random).reduce(0) { $0 + $1.0 * $1.1 }
    let distance = max(1, (values.count + 5) / 6)
    let sample = stride(from: 0, to: values.count, by: distance).map { values[$0] }
    expect(
      [norm, projection] + sample, [summary.norm, summary.projection] + summary.sample,
      scale: summary.norm, what)
  }

  private func expect(_ values: [Double], _ expected: [Double], scale: Double, _ what: String) {
    #expect(values.count == expected.count, "\(what)")
    let wrong = zip(values, expected).filter { !(abs($0 - $1) <= 1e-9 * abs(scale)) }
    #expect(wrong.isEmpty, "\(what) beside PyTorch's: \(wrong.prefix(3))")
  }
}
