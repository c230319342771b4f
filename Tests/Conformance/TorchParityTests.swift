import ResidualCPU
import ResidualGraphTestSupport
import ResidualNetworks
import ResidualReference
import Testing

/// A whole training step against PyTorch in double precision.
@Suite struct TorchParityTests {
  /// In double precision: nothing but rounding.
  private static let exact = 1e-9

  @Test(arguments: [
    ("resnet8-A-end", "cifar-resnet8", Shortcut.padding(.end)),
    ("resnet8-A-both", "cifar-resnet8", .padding(.both)),
    ("resnet8-B", "cifar-resnet8", .projection),
    ("resnet8-C", "cifar-resnet8", .projectionEverywhere),
    ("plain8", "cifar-plain8", .padding(.end)),
  ])
  func cifar(file: String, name: String, shortcut: Shortcut) throws {
    let network = try NetworkCatalog.network(named: name, shortcut: shortcut)
    try compare(file, network, side: 8, updates: true, on: ReferenceDevice()) { _ in Self.exact }
  }

  @Test(arguments: ["resnet18", "plain18"])
  func imageNetInDoublePrecision(name: String) throws {
    let network = try NetworkCatalog.network(named: name, classes: 10)
    try compare(name, network, side: 64, updates: false, on: ReferenceDevice()) { _ in
      Self.exact
    }
  }

  /// In single precision: a thousandth, or sixteen times PyTorch's own error where that is more.
  @Test(
    arguments: [
      ("resnet18", "resnet18", nil, nil), ("resnet18-A", "resnet18", .padding(.end), nil),
      ("plain18", "plain18", nil, nil), ("resnet50", "resnet50", nil, nil),
      ("resnet50-1x1", "resnet50", nil, .first1x1),
    ] as [(String, String, Shortcut?, StridePlacement?)])
  func imageNet(
    file: String, name: String, shortcut: Shortcut?, stridePlacement: StridePlacement?
  ) throws {
    let network = try NetworkCatalog.network(
      named: name, shortcut: shortcut, stridePlacement: stridePlacement, classes: 10)
    let instructionSet = try #require(InstructionSet.available.last)
    let device = try CPUDevice(threads: 2, instructionSet: instructionSet)
    try compare(file, network, side: 64, updates: false, on: device) {
      max(1e-3, 16 * ($0?.singlePrecisionError ?? 0))
    }
  }

  /// - Parameters:
  ///   - updates: whether the update is computed and compared, too.
  ///   - bound: the largest error of a tensor, relative to its norm; of loss and logits for `nil`,
  ///     relative to the largest logit.
  private func compare(
    _ file: String, _ network: Network, side: Int, updates: Bool, on device: some Device,
    bound: (NetworkFixture.Summary?) -> Double
  ) throws {
    let fixture = try NetworkFixture(file)
    var (graph, loss) = network.graphWithLoss()
    let parameters = graph.slots.filter(\.trainable).map(\.name)
    let gradients = graph.differentiate(loss, withRespectTo: parameters)
    for (name, gradient) in gradients { graph.output("gradient/" + name, gradient) }
    if updates { graph.updateByMomentumSGD(gradients: gradients, weightDecay: 1e-4) }

    let session = Session(device: device, store: Store(realType: device.realType))
    let scalars: [String: Shape] =
      updates ? ["learningRate": .scalar, "momentum": .scalar] : [:]
    let plan = try session.load(
      graph,
      inputs: scalars.merging([
        Network.imagesInput: [2, side, side, 3], "labels": [2], "weights": [2],
      ]) { $1 })
    let rate = 0.1
    for slot in session.store.slots {
      session.store.write(
        NetworkFixture.initialValue(
          slot, rate: rate, isDeep: network.depth >= 18), to: slot.name)
    }
    plan.write(NetworkFixture.draw("images", 2 * side * side * 3), to: Network.imagesInput)
    plan.write([7, 2] as [Int32], to: "labels")
    plan.write([1.0, 1.0], to: "weights")
    if updates {
      plan.write([rate], to: "learningRate")
      plan.write([0.9], to: "momentum")
    }
    plan.poison()
    plan.run()

    let largest = fixture.logits.map(abs).max() ?? 0
    expect([plan.readDouble("loss")[0]], [fixture.loss], within: bound(nil) * largest, "loss")
    expect(
      plan.readDouble(Network.logitsOutput), fixture.logits, within: bound(nil) * largest, "logits")
    #expect(Set(fixture.gradients.keys) == Set(parameters))
    for (name, summary) in fixture.gradients {
      expect(
        plan.readDouble("gradient/" + name), summary, name, bound(summary),
        "the gradient of \(name)")
    }
    let slots = session.store.slots.filter { $0.role == .statistic || updates && $0.trainable }
    #expect(Set(fixture.slots.keys) == Set(slots.map(\.name)))
    for (name, summary) in fixture.slots {
      expect(session.store.readDouble(name), summary, name, bound(summary), name)
    }
  }

  private func expect(
    _ values: [Double], _ summary: NetworkFixture.Summary, _ name: String, _ bound: Double,
    _ what: String
  ) {
    let norm = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let random = NetworkFixture.draw("projection/" + name, values.count)
    let projection = zip(values, random).reduce(0) { $0 + $1.0 * $1.1 }
    let distance = max(1, (values.count + summary.sample.count - 1) / summary.sample.count)
    let sample = stride(from: 0, to: values.count, by: distance).map { values[$0] }
    expect(
      [norm, projection] + sample, [summary.norm, summary.projection] + summary.sample,
      within: bound * summary.norm, what)
  }

  private func expect(
    _ values: [Double], _ expected: [Double], within bound: Double, _ what: String
  ) {
    #expect(values.count == expected.count, "\(what)")
    let wrong = zip(values, expected).filter { !(abs($0 - $1) <= bound) }
    #expect(wrong.isEmpty, "\(what) beside PyTorch's: \(wrong.prefix(3))")
  }
}
