import ResidualGraphs

/// Nodes that one step computes together. Fusion is a partition of the graph: regions say which
/// nodes share a pass over memory, and change nothing of what is computed.
package enum Region: Hashable, Sendable {
  case single(Int)
  /// Batch normalisation, then perhaps an addition and a rectifier.
  case normalization(Int, add: Int?, relu: Int?)
  /// Perhaps an addition of gradients, a rectifier's gradient, then perhaps the sums of a batch
  /// normalisation's backward pass.
  case maskedGradient(add: Int?, reluGradient: Int, sums: Int?)

  /// The node whose place in the schedule the region takes: all its operands come before.
  package var last: Int {
    switch self {
    case .single(let node): node
    case .normalization(let node, let add, let relu): relu ?? add ?? node
    case .maskedGradient(_, let node, let sums): sums ?? node
    }
  }

  /// All nodes of the region.
  package var nodes: [Int] {
    switch self {
    case .single(let node): [node]
    case .normalization(let node, let add, let relu): [node, add, relu].compactMap { $0 }
    case .maskedGradient(let add, let node, let sums): [add, node, sums].compactMap { $0 }
    }
  }

  /// The nodes whose results exist only inside the region.
  package var hidden: [Int] {
    switch self {
    case .single: []
    case .normalization: nodes.filter { $0 != last }
    case .maskedGradient(let add, _, _): [add].compactMap { $0 }
    }
  }
}

/// The regions of a graph, in the order in which they run.
package struct RegionPartition {
  package let regions: [Region]

  /// For each node the node at whose place in the schedule it is computed.
  var places: [Int] {
    var places = [Int](repeating: 0, count: regions.reduce(0) { $0 + $1.nodes.count })
    for region in regions { for node in region.nodes { places[node] = region.last } }
    return places
  }

  package init(_ graph: Graph) {
    let uses = graph.uses()
    let kept = Set((graph.outputs.map(\.value) + graph.bindings.map(\.value)).map(\.node))
    var claimed = [Bool](repeating: false, count: graph.nodes.count)
    var found: [Region] = []

    /// The only node that reads a node's result, if nothing else needs the result.
    func soleReader(of node: Int) -> Int? {
      uses[node].count == 1 && !kept.contains(node) ? uses[node][0].node : nil
    }
    func claim(_ region: Region, _ nodes: [Int?]) {
      for node in nodes { if let node { claimed[node] = true } }
      found.append(region)
    }

    for (index, node) in graph.nodes.enumerated() where !claimed[index] {
      switch node.operation {
      case .batchNormalization:
        var add: Int?
        if let reader = soleReader(of: index), case .add = graph.nodes[reader].operation,
          !claimed[reader]
        {
          add = reader
        }
        var relu: Int?
        if let reader = soleReader(of: add ?? index), case .relu = graph.nodes[reader].operation {
          relu = reader
        }
        claim(.normalization(index, add: add, relu: relu), [index, add, relu])
      case .reluGradient:
        var add: Int?
        let gradient = node.operands[0].node
        if case .add = graph.nodes[gradient].operation, !claimed[gradient],
          soleReader(of: gradient) == index
        {
          add = gradient
        }
        // The sums come last in the region, so nothing else may read the gradient before them.
        var sums: Int?
        if let first = uses[index].first, first.operand == 0,
          case .batchNormalizationSums = graph.nodes[first.node].operation
        {
          sums = first.node
        }
        claim(
          .maskedGradient(add: add, reluGradient: index, sums: sums), [add, index, sums])
      case .add:
        // Left to the rectifier's gradient that follows, if there is one.
        if let reader = soleReader(of: index), case .reluGradient = graph.nodes[reader].operation,
          graph.nodes[reader].operands[0].node == index
        {
          continue
        }
        claim(.single(index), [index])
      default:
        claim(.single(index), [index])
      }
    }
    regions = found.sorted { $0.last < $1.last }
  }
}
