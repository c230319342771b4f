import ResidualGraphs
import Testing

@Suite struct GraphTests {
  private static let slot = StateSlot(
    name: "w", shape: [2, 1, 3, 3], role: .parameter, initialValue: .constant(0))

  /// A convolution with one output, something unused, and a binding.
  private func example() -> Graph {
    var graph = Graph()
    let (x, w) = (graph.input("x"), graph.state(Self.slot))
    let unusedInput = graph.input("unused")
    graph.append(.relu(.init()), [unusedInput], path: "unused.relu")
    let convolution = graph.append(.convolution(.init(padding: 1)), [x, w], path: "conv")
    let statistics = graph.append(.channelStatistics(.init()), [convolution], path: "statistics")
    graph.output("mean", statistics.result(1))
    graph.bind("w", to: graph.append(.add(.init()), [w, w], path: "twice"))
    return graph
  }

  @Test func description() {
    #expect(
      example().description == """
        %0 = input()  x
        %1 = state()  w
        %2 = input()  unused
        %3 = relu(%2)  unused.relu
        %4 = convolution(%0, %1)  conv
        %5 = channelStatistics(%4)  statistics
        %6 = add(%1, %1)  twice
        output mean = %5.1
        w ← %6
        """)
  }

  @Test func pruningKeepsWhatOutputsAndBindingsNeed() {
    #expect(
      example().pruned().description == """
        %0 = input()  x
        %1 = state()  w
        %2 = convolution(%0, %1)  conv
        %3 = channelStatistics(%2)  statistics
        %4 = add(%1, %1)  twice
        output mean = %3.1
        w ← %4
        """)
    #expect(example().pruned().inputs.map(\.name) == ["x"])
    #expect(example().pruned().slots == [Self.slot])
    #expect(example().pruned().pruned().description == example().pruned().description)
  }

  /// A slot that is only written must still be declared.
  @Test func pruningKeepsSlotsThatNothingReads() {
    var graph = Graph()
    let slot = StateSlot(
      name: "last", shape: .scalar, role: .statistic, initialValue: .constant(0))
    _ = graph.state(slot)
    graph.bind("last", to: graph.input("x"))
    #expect(graph.pruned().slots == [slot])
    #expect(graph.pruned().bindings.map(\.slot) == ["last"])
  }

  @Test func askingTwiceGivesTheSameValue() {
    var graph = Graph()
    #expect(graph.input("x") == graph.input("x"))
    #expect(graph.state(Self.slot) == graph.state(Self.slot))
    #expect(graph.nodes.count == 2 && graph.slots.count == 1)
    #expect(graph.value(ofSlot: "w") == Value(node: 1) && graph.value(ofSlot: "v") == nil)
    #expect(graph.value(ofInput: "x") == Value(node: 0))
    #expect(graph.output("none") == nil)
  }

  @Test func uses() {
    let uses = example().uses()
    #expect(uses[1].map { [$0.node, $0.operand] } == [[4, 1], [6, 0], [6, 1]])
    #expect(uses[5].isEmpty)
  }

  @Test func oneGraphServesAnySize() throws {
    for side in [1, 8, 31] {
      let shapes = try example().shapes(inputs: ["x": [5, side, side + 1, 1], "unused": []])
      #expect(shapes[4] == [[5, side, side + 1, 2]])
      #expect(shapes[5] == [.scalar, [2], [2]])
    }
  }

  @Test func mistakesTrap() async {
    await #expect(processExitsWith: .failure) {
      var graph = Graph()
      graph.append(.relu(.init()), [Value(node: 0)], path: "relu")
    }
    await #expect(processExitsWith: .failure) {
      var graph = Graph()
      let x = graph.input("x")
      graph.append(.relu(.init()), [x.result(1)], path: "relu")
    }
    await #expect(processExitsWith: .failure) {
      var graph = Graph()
      graph.output("y", graph.input("x"))
      graph.output("y", graph.input("x"))
    }
    await #expect(processExitsWith: .failure) {
      var graph = Graph()
      graph.bind("w", to: graph.input("x"))
    }
  }
}
