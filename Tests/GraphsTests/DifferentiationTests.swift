import ResidualGraphs
import Testing

@Suite struct DifferentiationTests {
  private func slot(_ name: String, _ shape: Shape) -> StateSlot {
    StateSlot(name: name, shape: shape, role: .parameter, initialValue: .constant(0))
  }

  /// A linear classifier, node for node.
  @Test func classifier() {
    var graph = Graph()
    let (x, w, b) = (graph.input("x"), graph.state(slot("w", [3, 4])), graph.state(slot("b", [3])))
    let product = graph.append(
      .matrixProduct(.init(transposesRight: true)), [x, w], path: "product")
    let logits = graph.append(.addBias(.init()), [product, b], path: "fc")
    let loss = graph.append(
      .softmaxCrossEntropy(.init()),
      [logits, graph.input("labels", .int32), graph.input("weights")], path: "loss")
    let gradients = graph.differentiate(loss, withRespectTo: ["w", "b", "missing"])
    #expect(
      graph.description == """
        %0 = input()  x
        %1 = state()  w
        %2 = state()  b
        %3 = matrixProduct(%0, %1)  product
        %4 = addBias(%3, %2)  fc
        %5 = input()  labels
        %6 = input()  weights
        %7 = softmaxCrossEntropy(%4, %5, %6)  loss
        %8 = constant()  gradient/loss.seed
        %9 = softmaxCrossEntropyGradient(%8, %7.1, %5, %6)  gradient/loss
        %10 = channelSum(%9)  gradient/fc.bias
        %11 = matrixProduct(%9, %1)  gradient/product.left
        %12 = matrixProduct(%9, %0)  gradient/product.right
        """)
    #expect(gradients == ["w": Value(node: 12), "b": Value(node: 10)])
  }

  /// What the loss does not depend on has no gradient, and nodes beside the path none either.
  @Test func independentSlotsHaveNoGradient() {
    var graph = Graph()
    let (a, b) = (graph.state(slot("a", [2, 2])), graph.state(slot("b", [2, 2])))
    let unrelated = graph.append(.correctCount(.init(top: 1)), [b, b, b], path: "count")
    graph.output("count", unrelated)
    let loss = graph.append(
      .softmaxCrossEntropy(.init()), [a, graph.input("labels", .int32), graph.input("weights")],
      path: "loss")
    let gradients = graph.differentiate(loss, withRespectTo: ["a", "b"])
    #expect(Set(gradients.keys) == ["a"])
  }

  /// Contributions to one value are added in the order in which they arise.
  @Test func contributionsAreAdded() {
    var graph = Graph()
    let a = graph.state(slot("a", [2, 2]))
    let sum = graph.append(.add(.init()), [a, a], path: "sum")
    let more = graph.append(.add(.init()), [sum, a], path: "more")
    let loss = graph.append(
      .softmaxCrossEntropy(.init()), [more, graph.input("labels", .int32), graph.input("weights")],
      path: "loss")
    let gradients = graph.differentiate(loss, withRespectTo: ["a"])
    #expect(
      graph.description.split(separator: "\n").suffix(2) == [
        "%8 = add(%7, %7)  gradient/a.sum", "%9 = add(%8, %7)  gradient/a.sum#2",
      ])
    #expect(gradients["a"] == Value(node: 9))
  }

  /// Gradients only join the graph: what was there before stays as it was.
  @Test func nodesBeforeStay() {
    var graph = Graph()
    let a = graph.state(slot("a", [2, 2]))
    let loss = graph.append(
      .softmaxCrossEntropy(.init()), [a, graph.input("labels", .int32), graph.input("weights")],
      path: "loss")
    let before = graph.description
    _ = graph.differentiate(loss, withRespectTo: ["a"])
    #expect(graph.description.hasPrefix(before))
    #expect(graph.outputs.isEmpty && graph.bindings.isEmpty)
  }

  @Test func operationsWithoutARuleTrap() async {
    await #expect(processExitsWith: .failure) {
      var graph = Graph()
      let a = graph.state(
        StateSlot(name: "a", shape: [2, 2], role: .parameter, initialValue: .constant(0)))
      let count = graph.append(.correctCount(.init(top: 1)), [a, a, a], path: "count")
      _ = graph.differentiate(count, withRespectTo: ["a"])
    }
  }
}
