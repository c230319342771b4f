extension Graph {
  /// Whether an output of this graph is computed as one of another is: by the same operations of the
  /// same inputs and slots, whatever their nodes' order and paths.
  ///
  /// - Complexity: O(nodes).
  package func computes(_ name: String, as other: Graph) -> Bool {
    struct Computation: Hashable {
      let operation: Operation
      let operands: [[Int]]
    }
    var numbers: [Computation: Int] = [:]
    func number(of graph: Graph) -> [Int]? {
      guard let output = graph.output(name) else { return nil }
      var nodes: [Int] = []
      for node in graph.nodes {
        let computation = Computation(
          operation: node.operation, operands: node.operands.map { [nodes[$0.node], $0.result] })
        let number = numbers[computation] ?? numbers.count
        numbers[computation] = number
        nodes.append(number)
      }
      return [nodes[output.node], output.result]
    }
    let (mine, theirs) = (number(of: self), number(of: other))
    return mine != nil && mine == theirs
  }
}
