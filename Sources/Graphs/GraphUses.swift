/// Who reads what in a graph, as searches for nodes that belong together ask it.
package struct GraphUses: Sendable {
  /// An operand of a node, by its position.
  package typealias Use = (node: Int, operand: Int)

  private let graph: Graph
  private let uses: [[Use]]
  private let observed: Set<Int>

  /// - Complexity: O(nodes + edges).
  package init(_ graph: Graph) {
    self.graph = graph
    uses = graph.uses()
    observed = Set((graph.outputs.map(\.value) + graph.bindings.map(\.value)).map(\.node))
  }

  /// The operands that are results of a node, in the order of the nodes.
  package subscript(node: Int) -> [Use] { uses[node] }

  /// Whether a result of a node is an output, or what a slot holds afterwards.
  package func isObserved(_ node: Int) -> Bool { observed.contains(node) }

  /// The only node that reads a node's results, if nothing else needs them.
  package func soleReader(of node: Int) -> Int? {
    uses[node].count == 1 && !isObserved(node) ? uses[node][0].node : nil
  }

  /// The operands whose elements are read, not their shape alone.
  package func readers(of node: Int) -> [Use] {
    uses[node].filter { !graph.nodes[$0.node].operation.readsOnlyShape(ofOperand: $0.operand) }
  }

  /// Whether nobody else reads a result of these nodes before the last of them has run.
  package func isClosed(_ nodes: [Int], last: Int) -> Bool {
    nodes.allSatisfy { uses[$0].allSatisfy { nodes.contains($0.node) || $0.node > last } }
  }

  /// The normalisations of a graph with what follows each, in the order of the nodes. No node is in
  /// two of them.
  package func normalizations() -> [NormalizationChain] {
    var taken: Set<Int> = []
    return graph.nodes.indices.compactMap { index in
      guard case .batchNormalization = graph.nodes[index].operation else { return nil }
      var (add, relu): (Int?, Int?)
      if let reader = soleReader(of: index), case .add = graph.nodes[reader].operation,
        taken.insert(reader).inserted
      {
        add = reader
      }
      if let reader = soleReader(of: add ?? index), case .relu = graph.nodes[reader].operation {
        relu = reader
      }
      return NormalizationChain(node: index, add: add, relu: relu)
    }
  }
}

/// A batch normalisation, then perhaps an addition of its result, then perhaps a rectifier: each is
/// the only one to read the result before it.
package struct NormalizationChain: Hashable, Sendable {
  /// Indices of nodes.
  package let node: Int, add: Int?, relu: Int?
  package var nodes: [Int] { [node, add, relu].compactMap { $0 } }
  /// The node whose result others read.
  package var last: Int { relu ?? add ?? node }
}
