import ResidualNetworks
import ResidualReference
import ResidualTestSupport
import Testing

/// Every rewrite makes a graph of which ``Graph/violation(inputs:)`` finds nothing to say.
@Suite struct InvariantTests {
  private static func inputs(_ network: Network) -> [String: Shape] {
    var inputs = RecomputationTests.inputs(network, batch: 2)
    inputs[Network.dropoutKeyInput] = [2]
    return inputs
  }

  @Test(arguments: NetworkCatalog.names)
  func rewrites(name: String) throws {
    let network = try NetworkCatalog.network(named: name)
    let inputs = Self.inputs(network)
    func check(_ graph: Graph, _ inputs: [String: Shape], _ what: String) {
      #expect(graph.violation(inputs: inputs) == nil, "\(name), \(what)")
    }
    for form in [NetworkForm.training, .inference, .statistics] {
      let graph = network.graph(form)
      check(graph, inputs, "\(form)")
      #expect(!graph.nodes.contains { $0.path.contains("#") }, "layers tell their nodes apart")
    }
    check(try network.graph(.inference).fixed(inputs: inputs), inputs, "fixed sizes")

    for scaling in [nil, LossScaling()] {
      var (graph, loss) = network.graphWithLoss()
      check(graph, inputs, "loss")
      let seed = scaling.map { graph.scale(of: $0) }
      let gradients = graph.differentiate(
        loss, withRespectTo: graph.slots.filter(\.trainable).map(\.name), seed: seed)
      check(graph, inputs, "gradients")
      graph.updateByMomentumSGD(gradients: gradients, weightDecay: 1e-4, lossScaling: scaling)
      check(graph, inputs, "updates")
      let step = graph.pruned()
      check(step, inputs, "pruned")
      check(step.updatingEarly(), inputs, "early updates")
      check(step.updatingEarly(slack: 0), inputs, "earliest updates")

      let image = network.imagesShape(batch: 5)
      var assembled = inputs
      assembled[Graph.pixelsInput] = image
      assembled[Graph.samplesInput] = [2, 4]
      assembled[Graph.pixelMeanInput] = [3]
      assembled[Graph.pixelDeviationInput] = [3]
      check(step.assemblingImages(for: Network.imagesInput), assembled, "assembled images")

      for scope in RecomputationScope.allCases {
        let repeated = step.recomputing(try step.recomputation(scope, inputs: inputs))
        check(repeated, inputs, "\(scope)")
        check(repeated.updatingEarly(), inputs, "\(scope) with early updates")
      }
      let shapes = try step.shapes(inputs: inputs)
      let taps = stride(from: 5, to: step.nodes.count, by: 89).filter { shapes[$0][0].rank >= 2 }
        .map { Tap(step.nodes[$0].path, .statistics) }
      check(try step.tapping(taps), inputs, "taps")
    }
  }

  @Test func violationsAreFound() throws {
    var graph = Graph()
    let slot = StateSlot(name: "w", shape: [2], role: .parameter, initialValue: .constant(1))
    let (x, w) = (graph.input("x"), graph.state(slot))
    let sum = graph.append(.add(.init()), [x, w], path: "sum")
    #expect(graph.violation(inputs: ["x": [2]]) == nil)
    #expect(graph.violation(inputs: ["x": [3]])?.hasPrefix("sum: ") == true)

    var bound = graph
    bound.bind("w", to: bound.append(.concatenate(.init(axis: 0)), [sum, sum], path: "both"))
    #expect(bound.violation(inputs: ["x": [2]]) == "slot w is bound to a value of [4]")

    let gradient = graph.append(.scale(.init(1)), [sum], path: "gradient/sum", pass: .backward)
    #expect(graph.violation() == nil)
    graph.append(.relu(.init()), [gradient], path: "relu")
    #expect(graph.violation() == "relu: forward reads gradient/sum of backward")
  }

  @Test func pathsAreUnique() {
    var graph = Graph()
    let x = graph.input("x")
    let nodes = ["a", "a", "a#3", "a", "a#2", "x", "a"].map { path in
      graph.append(.relu(.init()), [x], path: path)
    }
    let paths = nodes.map { graph.nodes[$0.node].path }
    #expect(paths == ["a", "a#2", "a#3", "a#4", "a#2#2", "x#2", "a#5"])
    #expect(graph.nodes.dropFirst().map(\.layer) == ["a", "a", "a#3", "a", "a#2", "x", "a"])
    for (path, node) in zip(paths, nodes) { #expect(graph.value(at: path) == node) }
    #expect(graph.value(at: "b") == nil && graph.violation(inputs: ["x": [1]]) == nil)
  }

  /// Three contributions to a value's gradient: two sums.
  @Test func sumsOfGradients() throws {
    var graph = Graph()
    let slot = StateSlot(name: "w", shape: [], role: .parameter, initialValue: .constant(2))
    let w = graph.state(slot)
    let square = graph.append(.multiply(.init()), [w, w], path: "square")
    let cube = graph.append(.multiply(.init()), [square, w], path: "cube")
    let gradients = graph.differentiate(cube, withRespectTo: ["w"])
    #expect(graph.violation(inputs: [:]) == nil)
    #expect(
      graph.nodes.filter { $0.pass == .backward }.map(\.path) == [
        "gradient/cube.seed", "gradient/cube.first", "gradient/cube.second",
        "gradient/square.first",
        "gradient/square.second", "gradient/w.sum", "gradient/w.sum#2",
      ])
    #expect(
      graph.nodes.filter { $0.pass == .backward }.dropFirst().map(\.layer) == [
        "cube", "cube", "square", "square", "w", "w",
      ])
    graph.output("gradient", try #require(gradients["w"]))
    let session = Session(device: ReferenceDevice(), store: Store(realType: .float64))
    let plan = try session.load(graph, inputs: [:])
    plan.run()
    #expect(plan.readDouble("gradient") == [12])
  }
}
