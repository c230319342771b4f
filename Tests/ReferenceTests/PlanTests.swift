import ResidualReference
import Testing

/// Where values lie: outputs keep their values, and bindings read the old state.
@Suite struct PlanTests {
  private func session() -> Session<ReferenceDevice> {
    Session(device: ReferenceDevice(), store: Store(realType: .float64))
  }
  private func slot(_ name: String, _ value: Float) -> StateSlot {
    StateSlot(name: name, shape: [2], role: .statistic, initialValue: .constant(value))
  }

  @Test func aValueUnderTwoNames() throws {
    var graph = Graph()
    let y = graph.append(.relu(.init()), [graph.input("x")], path: "y")
    graph.output("first", y)
    graph.output("second", y)
    let plan = try session().load(graph, inputs: ["x": [2]])
    plan.write([-1.0, 3], to: "x")
    plan.poison()
    plan.run()
    #expect(plan.readDouble("first") == [0, 3] && plan.readDouble("second") == [0, 3])
  }

  @Test func anInputAsAnOutputKeepsTheRunsValue() throws {
    var graph = Graph()
    graph.output("y", graph.input("x"))
    let plan = try session().load(graph, inputs: ["x": [2]])
    plan.write([1.0, 2], to: "x")
    plan.run()
    plan.write([8.0, 9], to: "x")
    #expect(plan.readDouble("y") == [1, 2])
  }

  @Test func aSlotAsAnOutputIsItsOldValue() throws {
    var graph = Graph()
    let old = graph.state(slot("s", 3))
    graph.output("old", old)
    let new = graph.append(.add(.init()), [old, old], path: "new")
    graph.bind("s", to: new)
    graph.output("new", new)
    let session = session()
    let plan = try session.load(graph, inputs: [:])
    plan.poison()
    plan.run()
    #expect(plan.readDouble("old") == [3, 3] && plan.readDouble("new") == [6, 6])
    #expect(session.store.readDouble("s") == [6, 6])
  }

  @Test func slotsAreExchanged() throws {
    var graph = Graph()
    let (a, b, c) = (
      graph.state(slot("a", 1)), graph.state(slot("b", 2)), graph.state(slot("c", 3))
    )
    graph.bind("a", to: b)
    graph.bind("b", to: a)
    graph.bind("c", to: c)
    let session = session()
    let plan = try session.load(graph, inputs: [:])
    plan.run()
    #expect(session.store.readDouble("a") == [2, 2] && session.store.readDouble("b") == [1, 1])
    #expect(session.store.readDouble("c") == [3, 3])
  }

  @Test func allUpdatesReadTheOldState() throws {
    // a ← a + b, b ← a + x, c ← a, d ← x, whatever the order of nodes.
    var graph = Graph()
    let (a, b) = (graph.state(slot("a", 1)), graph.state(slot("b", 10)))
    let x = graph.input("x")
    _ = graph.state(slot("c", 0))
    _ = graph.state(slot("d", 0))
    graph.bind("a", to: graph.append(.add(.init()), [a, b], path: "sum"))
    graph.bind("c", to: a)
    graph.bind("d", to: x)
    let new = graph.append(.add(.init()), [a, x], path: "other")
    graph.bind("b", to: new)
    let session = session()
    let plan = try session.load(graph, inputs: ["x": [2]])
    plan.write([100.0, 200], to: "x")
    plan.poison()
    plan.run()
    let values = ["a", "b", "c", "d"].map { session.store.readDouble($0) }
    #expect(values == [[11, 11], [101, 201], [1, 1], [100, 200]])
  }

  @Test func bindingsMustFit() throws {
    var graph = Graph()
    _ = graph.state(slot("s", 0))
    graph.bind("s", to: graph.input("x"))
    let error = #expect(throws: ShapeError.self) {
      try session().load(graph, inputs: ["x": [3]])
    }
    #expect(error?.description == "slot 's' of [2] is bound to a value of [3]")
  }

  @Test func inputsThatNothingReadsCanBeWritten() throws {
    var graph = Graph()
    graph.output("y", graph.append(.relu(.init()), [graph.input("x")], path: "y"))
    _ = graph.input("unused")
    let plan = try session().load(graph, inputs: ["x": [1], "unused": [3]])
    plan.write([1.0, 2, 3], to: "unused")
    plan.write([5.0], to: "x")
    plan.run()
    #expect(plan.readDouble("y") == [5])
  }

  /// An operand that is needed for its shape alone does not keep its memory.
  @Test func shapesDoNotKeepMemory() throws {
    var graph = Graph()
    let x = graph.input("x")
    let large = graph.append(.relu(.init()), [x], path: "large")
    let pooled = graph.append(.globalAveragePooling(.init()), [large], path: "pooled")
    var value = pooled
    for index in 0..<3 {
      value = graph.append(.add(.init()), [value, pooled], path: "add\(index)")
    }
    let spread = graph.append(
      .globalAveragePoolingGradient(.init()), [value, large], path: "spread")
    graph.output("y", graph.append(.globalAveragePooling(.init()), [spread], path: "y"))
    let plan = try session().load(graph, inputs: ["x": [1, 32, 32, 4]])
    plan.write([Double](repeating: 2, count: 4096), to: "x")
    plan.poison()
    plan.run()
    // `spread` fits into the place of `large`; only a few small vectors lie beside it.
    #expect(plan.plan.arenaByteCount < 4096 * 8 + 1024)
    #expect(plan.readDouble("y").map { abs($0 - 8 / 1024.0) < 1e-15 } == [true, true, true, true])
  }
}
