import ResidualReference

extension ConformanceCase {
  /// Where values lie: all updates read the old state, and outputs keep their values.
  static let states: [ConformanceCase] = [
    .build("slots are exchanged") { graph in
      let (a, b) = (graph.state(slot("a")), graph.state(slot("b")))
      graph.bind("a", to: b)
      graph.bind("b", to: a)
    },
    .build("a slot's old value moves on while it is updated") { graph in
      let (a, x) = (graph.state(slot("a")), graph.input("x"))
      _ = graph.state(slot("b"))
      graph.bind(
        "a", to: graph.append(.movingAverage(.init(weight: 0.25)), [a, x], path: "average"))
      graph.bind("b", to: a)
    },
    .build("a slot is read after its update is computed") { graph in
      let (a, x) = (graph.state(slot("a")), graph.input("x"))
      let average = graph.append(
        .movingAverage(.init(weight: 0.25)), [a, x], path: "average")
      graph.bind("a", to: average)
      graph.output("later", graph.append(.add(.init()), [a, average], path: "later"))
    },
    .build("an update is also an output") { graph in
      let (a, x) = (graph.state(slot("a")), graph.input("x"))
      let average = graph.append(.movingAverage(.init(weight: 0.25)), [a, x], path: "average")
      graph.bind("a", to: average)
      graph.output("average", average)
      graph.output("again", average)
      graph.output("old", a)
    },
    .build("one update for two slots") { graph in
      let (a, x) = (graph.state(slot("a")), graph.input("x"))
      _ = graph.state(slot("b"))
      let average = graph.append(.movingAverage(.init(weight: 0.25)), [a, x], path: "average")
      graph.bind("b", to: average)
      graph.bind("a", to: average)
    },
    .build("an update of one slot goes to another") { graph in
      let (a, b, x) = (graph.state(slot("a")), graph.state(slot("b")), graph.input("x"))
      let average = graph.append(.movingAverage(.init(weight: 0.25)), [a, x], path: "average")
      graph.bind("b", to: average)
      graph.bind("a", to: graph.append(.add(.init()), [b, x], path: "sum"))
    },
    .build("a slot becomes an input, an input is an output") { graph in
      let x = graph.input("x")
      _ = graph.state(slot("a"))
      graph.bind("a", to: x)
      graph.output("x", x)
    },
    .build("parameter and velocity are updated by each other") { graph in
      let (w, v, g) = (graph.state(slot("w")), graph.state(slot("v")), graph.input("x"))
      let rate = graph.append(.constant(.init(0.1)), [], path: "rate")
      let momentum = graph.append(.constant(.init(0.9)), [], path: "momentum")
      let update = graph.append(
        .momentumUpdate(.init(weightDecay: 0.5)), [w, v, g, rate, momentum], path: "update")
      graph.bind("w", to: update)
      graph.bind("v", to: update.result(1))
      graph.output("old", w)
    },
    .build("a slot that nothing reads, an input that nothing reads") { graph in
      _ = graph.state(slot("a"))
      _ = graph.input("unused")
      graph.bind("a", to: graph.append(.relu(.init()), [graph.input("x")], path: "relu"))
    },
  ]

  private static func slot(_ name: String) -> StateSlot {
    StateSlot(name: name, shape: [5], role: .parameter, initialValue: .constant(0))
  }

  private static func build(_ name: String, _ body: (inout Graph) -> Void) -> ConformanceCase {
    var graph = Graph()
    body(&graph)
    return ConformanceCase(
      name: name, graph: graph, shapes: ["x": [5], "unused": [3]], bound: elementwise)
  }
}
