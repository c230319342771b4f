import ResidualReference
import Testing

@Suite struct SessionTests {
  private static let counter = StateSlot(
    name: "counter", shape: [3], role: .statistic, initialValue: .constant(1))

  /// counter ← counter + x; sum = counter + x.
  private func counting() -> Graph {
    var graph = Graph()
    let sum = graph.append(
      .add(.init()), [graph.state(Self.counter), graph.input("x")], path: "sum")
    graph.output("sum", sum)
    graph.bind("counter", to: sum)
    return graph
  }

  private func session() -> Session<ReferenceDevice> {
    Session(device: ReferenceDevice(), store: Store(realType: .float64))
  }

  @Test func stateLastsFromRunToRun() throws {
    let session = session()
    let plan = try session.load(counting(), inputs: ["x": [3]])
    plan.write([1.0, 2.0, 3.0], to: "x")
    plan.run()
    #expect(plan.readDouble("sum") == [2, 3, 4])
    plan.run()
    #expect(plan.readDouble("sum") == [3, 5, 7])
    #expect(session.store.readDouble("counter") == [3, 5, 7])
    #expect(plan.read("sum") == Tensor([3], [3, 5, 7]))
  }

  @Test func plansShareTheStoreAndTheArena() throws {
    let session = session()
    let small = try session.load(counting(), inputs: ["x": [3]])
    // A chain of additions, so that the arena must grow after the first plan has been loaded.
    var graph = Graph()
    var value = graph.input("y")
    for index in 0..<5 {
      value = graph.append(.add(.init()), [value, value], path: "double\(index)")
    }
    graph.output("y32", value)
    let large = try session.load(graph, inputs: ["y": [1000]])
    #expect(large.plan.arenaByteCount > small.plan.arenaByteCount)

    small.write([1.0, 1, 1], to: "x")
    large.write([Double](repeating: 3, count: 1000), to: "y")
    for _ in 0..<2 {
      small.run()
      large.run()
    }
    #expect(large.readDouble("y32") == [Double](repeating: 96, count: 1000))
    #expect(small.readDouble("sum") == [3, 3, 3])
    let again = try session.load(counting(), inputs: ["x": [3]])
    again.write([0.0, 0, 0], to: "x")
    again.run()
    #expect(again.readDouble("sum") == [3, 3, 3], "a new plan works on the same state")
  }

  @Test func scalarsAndLabels() throws {
    var graph = Graph()
    let sum = graph.append(.add(.init()), [graph.input("a"), graph.input("b")], path: "sum")
    graph.output("sum", sum)
    graph.output("labels", graph.input("labels", .int32))
    let plan = try session().load(graph, inputs: ["a": .scalar, "b": .scalar, "labels": [2]])
    plan.write(0.5, to: "a")
    plan.write([0.25], to: "b")
    plan.write([7, 9] as [Int32], to: "labels")
    plan.withInput("labels", of: Int32.self) { #expect(Array($0) == [7, 9]) }
    plan.run()
    #expect(plan.scalar("sum") == 0.75)
  }

  @Test func poisonReachesWhatARunWrites() throws {
    let plan = try session().load(counting(), inputs: ["x": [3]])
    plan.write([1.0, 2, 3], to: "x")
    plan.run()
    plan.poison()
    #expect(plan.readDouble("sum").allSatisfy { $0.isNaN })
    plan.run()
    #expect(plan.readDouble("sum") == [3, 5, 7], "inputs and slots are not poisoned")
  }

  @Test func shapesThatDoNotFitThrow() throws {
    let error = #expect(throws: ShapeError.self) {
      try session().load(counting(), inputs: ["x": [4]])
    }
    #expect(error?.description == "sum: the second addend is [4], not [3]")
    let missing = #expect(throws: ShapeError.self) { try session().load(counting(), inputs: [:]) }
    #expect(missing?.description == "input 'x' has no shape")
  }

  @Test func mistakesTrap() async {
    await #expect(processExitsWith: .failure) {
      _ = Session(device: ReferenceDevice(), store: Store(realType: .float32))
    }
    await #expect(processExitsWith: .failure) {
      let session = Session(device: ReferenceDevice(), store: Store(realType: .float64))
      let plan = try session.load(SessionTests().counting(), inputs: ["x": [3]])
      plan.write([1.0], to: "x")
    }
  }
}
