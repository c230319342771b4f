import ResidualNetworks
import ResidualReference
import ResidualTestSupport
import Testing

/// What a training step does to the state.
@Suite struct UpdateTests {
  private func session() -> Session<ReferenceDevice> {
    Session(device: ReferenceDevice(), store: Store(realType: .float64))
  }

  private func parameter(_ name: String, trainable: Bool = true, decayed: Bool = true) -> StateSlot
  {
    StateSlot(
      name: name, shape: [4], role: .parameter, initialValue: .normal(standardDeviation: 1),
      trainable: trainable, decayed: decayed)
  }

  /// v ← m·v + lr·(g + λw), w ← w − v, for three steps with other rates and gradients each.
  @Test func momentum() throws {
    var graph = Graph()
    let slots = [
      parameter("a"), parameter("b", decayed: false), parameter("c"),
      parameter("frozen", trainable: false),
    ]
    var gradients: [String: Value] = [:]
    for slot in slots {
      _ = graph.state(slot)
      gradients[slot.name] = graph.input("gradient/" + slot.name)
    }
    graph.updateByMomentumSGD(gradients: gradients, weightDecay: 0.25) { $0 == "c" ? 0.5 : 1 }
    #expect(
      graph.bindings.map(\.slot).sorted()
        == ["a", "b", "c", "momentum/a", "momentum/b", "momentum/c"])
    #expect(graph.updatedParameters == ["a", "b", "c"])

    let session = session()
    var shapes = Dictionary(
      uniqueKeysWithValues: slots.map { ("gradient/" + $0.name, [4] as Shape) })
    shapes["learningRate"] = .scalar
    shapes["momentum"] = .scalar
    let plan = try session.load(graph, inputs: shapes)
    let frozen = session.store.readDouble("frozen")
    var expected = Dictionary(
      uniqueKeysWithValues: ["a", "b", "c"].map {
        ($0, (w: session.store.readDouble($0), v: [Double](repeating: 0, count: 4)))
      })
    for (step, rate) in [0.5, 0.25, 0.125].enumerated() {
      let momentum = 0.75
      plan.write([rate], to: "learningRate")
      plan.write([momentum], to: "momentum")
      for slot in slots {
        plan.write(numbers("\(slot.name)\(step)", [4]).scalars, to: "gradient/" + slot.name)
      }
      plan.run()
      var squares: [Double] = []
      for (name, decay, scale) in [("a", 0.25, 1), ("b", 0, 1), ("c", 0.25, 0.5)] {
        guard var (w, v) = expected[name] else { continue }
        let before = w
        let g = numbers("\(name)\(step)", [4]).scalars
        for i in 0..<4 {
          v[i] = momentum * v[i] + rate * scale * (g[i] + decay * w[i])
          w[i] -= v[i]
        }
        expected[name] = (w, v)
        expectClose(session.store.readDouble(name), w)
        expectClose(session.store.readDouble("momentum/" + name), v)
        squares += [square(g), square(before), square(v)]
      }
      expectClose(plan.readDouble(Graph.squaresOutput), squares)
      #expect(session.store.readDouble("frozen") == frozen)
    }
  }

  /// What keeps numbers that are not finite out of the state, and large gradients small.
  private func guarded(
    maximumNorm: Double? = nil, lossScaling: LossScaling? = nil, skipsFaults: Bool = false
  ) throws -> LoadedUpdate {
    var graph = Graph()
    for name in ["a", "b"] { _ = graph.state(parameter(name)) }
    let statistic = StateSlot(
      name: "mean", shape: [4], role: .statistic, initialValue: .constant(0))
    let mean = graph.append(
      .movingAverage(.init(weight: 0.25)), [graph.state(statistic), graph.input("new")],
      path: "average")
    graph.bind("mean", to: mean)
    graph.updateByMomentumSGD(
      of: graph.input("loss"), gradients: ["a": graph.input("ga"), "b": graph.input("gb")],
      weightDecay: 0.5, lossScaling: lossScaling, maximumNorm: maximumNorm.map { Float($0) },
      skipsFaults: skipsFaults)
    #expect(graph.violation() == nil)
    let scalars: [String: Shape] = ["loss": [], "learningRate": [], "momentum": []]
    let session = session()
    return LoadedUpdate(
      session: session,
      plan: try session.load(
        graph, inputs: scalars.merging(["new": [4], "ga": [4], "gb": [4]]) { $1 }))
  }

  private struct LoadedUpdate {
    let session: Session<ReferenceDevice>
    let plan: LoadedPlan<ReferenceDevice>

    /// Runs a step at rate 0.5 without momentum, and returns the change of each slot.
    func changes(loss: Double = 1, _ a: [Double], _ b: [Double]) -> [String: [Double]] {
      let inputs = [
        "loss": [loss], "learningRate": [0.5], "momentum": [0], "new": [1, 2, 3, 4], "ga": a,
        "gb": b,
      ]
      for (name, values) in inputs { plan.write(values, to: name) }
      func state() -> [String: [Double]] {
        Dictionary(
          uniqueKeysWithValues: session.store.slots.map {
            ($0.name, session.store.readDouble($0.name))
          })
      }
      let before = state()
      plan.poison()
      plan.run()
      return state().merging(before) { zip($0, $1).map { $0 - $1 } }
    }
  }

  /// A gradient is scaled down if the norm of all together is too large, as a loop in Double has it.
  @Test(arguments: [0.5, 3, 5, 5.1, 100])
  func clipping(maximum: Double) throws {
    for scale in [1, 8.0] {
      let update = try guarded(
        maximumNorm: maximum,
        lossScaling: scale == 1 ? nil : LossScaling(initialScale: Float(scale)))
      let (a, b) = ([1.0, -2, 0, 2], [0.0, 4, 0, 0])
      let (w, u) = (update.session.store.readDouble("a"), update.session.store.readDouble("b"))
      // The norm is 5.
      let factor = min(1, maximum / (5 + 1e-6))
      let changes = update.changes(a.map { $0 * scale }, b.map { $0 * scale })
      expectClose(
        changes["a"] ?? [], zip(a, w).map { -0.5 * (factor * $0 + 0.5 * $1) }, within: 1e-7)
      expectClose(
        changes["b"] ?? [], zip(b, u).map { -0.5 * (factor * $0 + 0.5 * $1) }, within: 1e-7)
      // Squares are those of the gradient before it is clipped.
      let squares = update.plan.readDouble(Graph.squaresOutput)
      expectClose([squares[0], squares[3]], [9, 16])
      expectClose([squares[1], squares[4]], [square(w), square(u)])
    }
  }

  /// What a loss or a gradient that is not finite leaves as it is.
  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func faults(number: Double) throws {
    let (good, bad) = ([1.0, -2, 0, 2], [0.0, number, 0, 0])
    func changed(_ update: LoadedUpdate, loss: Double = 1, _ gradient: [Double]) -> Set<String> {
      Set(
        update.changes(loss: loss, good, gradient).filter { !$0.value.allSatisfy { $0 == 0 } }
          .keys)
    }
    let all: Set = ["a", "b", "momentum/a", "momentum/b", "mean"]
    for (update, isSkipped) in [
      (try guarded(), false), (try guarded(maximumNorm: 1), false),
      (try guarded(skipsFaults: true), true),
    ] {
      #expect(changed(update, good) == all)
      #expect(changed(update, loss: number, good) == (isSkipped ? [] : ["mean"]))
      #expect(update.plan.readDouble(Graph.squaresOutput)[5] == 0)
      #expect(update.plan.readDouble(Graph.squaresOutput)[3] == 9)
    }
    #expect(changed(try guarded(), bad) == all)
    #expect(changed(try guarded(maximumNorm: 1), bad) == ["mean"])
    let skipping = try guarded(skipsFaults: true)
    #expect(changed(skipping, bad) == [])
    let squares = skipping.plan.readDouble(Graph.squaresOutput)
    #expect(squares[0] == 9 && !squares[3].isFinite && squares[5] == 0)
    #expect(changed(skipping, good) == all)
  }

  private func square(_ numbers: [Double]) -> Double { numbers.reduce(0) { $0 + $1 * $1 } }

  /// Running statistics take a tenth of the batch's mean and of its unbiased variance.
  @Test func movingAverages() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8")
    var graph = network.graph(.training)
    let convolution = try #require(
      graph.nodes.firstIndex { $0.path == "conv1" })
    graph.output("conv1", Value(node: convolution))
    let session = session()
    let plan = try session.load(graph, inputs: [Network.imagesInput: [2, 3, 5, 3]])
    let mean = numbers("mean", [16]).scalars
    let variance = numbers("variance", [16]).scalars.map { 2 + $0 }
    session.store.write(mean, to: "bn1.running_mean")
    session.store.write(variance, to: "bn1.running_var")
    plan.write(numbers("images", [2, 3, 5, 3]).scalars, to: Network.imagesInput)
    plan.run()
    let activations = plan.readDouble("conv1")
    let weight = Double(Float(0.1))
    var (newMean, newVariance): ([Double], [Double]) = ([], [])
    for c in 0..<16 {
      let channel = stride(from: c, to: activations.count, by: 16).map { activations[$0] }
      let batchMean = channel.reduce(0, +) / 30
      let unbiased = channel.reduce(0) { $0 + ($1 - batchMean) * ($1 - batchMean) } / 29
      newMean.append((1 - weight) * mean[c] + weight * batchMean)
      newVariance.append((1 - weight) * variance[c] + weight * unbiased)
    }
    expectClose(session.store.readDouble("bn1.running_mean"), newMean)
    expectClose(session.store.readDouble("bn1.running_var"), newVariance)
  }

  /// A step is a function of state and inputs: from the same state it gives the same bits, and
  /// evaluation changes nothing.
  @Test func purity() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8", variant: .init(.projection))
    var (graph, loss) = network.graphWithLoss()
    graph.updateByMomentumSGD(
      gradients: graph.differentiate(
        loss, withRespectTo: graph.slots.filter(\.trainable).map(\.name)), weightDecay: 1e-4)
    let session = session()
    let shapes: [String: Shape] = [
      Network.imagesInput: [2, 8, 8, 3], "labels": [2], "weights": [2], "learningRate": .scalar,
      "momentum": .scalar,
    ]
    let step = try session.load(graph, inputs: shapes)
    let evaluation = try session.load(
      network.graph(.inference), inputs: [Network.imagesInput: [2, 8, 8, 3]])
    let statistics = try session.load(
      network.graph(.statistics), inputs: [Network.imagesInput: [2, 8, 8, 3]])
    for plan in [step, evaluation, statistics] {
      plan.write(numbers("images", [2, 8, 8, 3]).scalars, to: Network.imagesInput)
    }
    step.write([3, 8] as [Int32], to: "labels")
    step.write([1.0, 1.0], to: "weights")
    step.write(0.1, to: "learningRate")
    step.write(0.9, to: "momentum")

    func state() -> [String: [Double]] {
      Dictionary(
        uniqueKeysWithValues: session.store.slots.map {
          ($0.name, session.store.readDouble($0.name))
        })
    }
    let before = state()
    step.run()
    let (loss1, after) = (step.readDouble("loss"), state())
    for slot in session.store.slots where slot.role != .optimizer {
      #expect(before[slot.name] != after[slot.name], "\(slot.name) has not changed")
    }
    evaluation.run()
    statistics.run()
    #expect(state() == after, "evaluation changes nothing")
    for (name, values) in before { session.store.write(values, to: name) }
    step.poison()
    step.run()
    #expect(step.readDouble("loss") == loss1)
    #expect(state() == after)
  }

  private func expectClose(
    _ values: [Double], _ expected: [Double], within bound: Double = 1e-13,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(values.count == expected.count, sourceLocation: location)
    for (value, expected) in zip(values, expected) {
      #expect(abs(value - expected) <= bound * max(1, abs(expected)), sourceLocation: location)
    }
  }
}
