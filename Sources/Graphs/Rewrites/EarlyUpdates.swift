extension Graph {
  /// The same graph with each update of a slot moved up to where its operands are ready, so that
  /// gradients need not wait in memory for the end of the step.
  ///
  /// An update follows every node that reads the old value of the slots that it changes, and so still
  /// happens in place. Where it needs the norm of all gradients, it stays where it is.
  ///
  /// - Parameter slack: how many more filter gradients an update lets pass. Nodes that lie close
  ///   together may share a step of a device, and an update among them would divide it.
  /// - Complexity: O(nodes + edges).
  public func updatingEarly(slack: Int = 2) -> Graph {
    let uses = uses()
    let isGiven = nodes.map(\.operation.isGiven)
    let places = places(slack: slack)
    // For each node the updates that follow it.
    var followers = [[Int]](repeating: [], count: nodes.count)
    var isMoved = [Bool](repeating: false, count: nodes.count)
    for (index, node) in nodes.enumerated() {
      guard case .momentumUpdate = node.operation,
        // The squares are read at the end.
        uses[index].allSatisfy({ nodes[$0.node].operands[$0.operand].result == 2 })
      else { continue }
      let readers = node.operands.enumerated().flatMap { position, operand -> [Int] in
        // The parameter and its velocity come first.
        guard position < 2, case .state = nodes[operand.node].operation else {
          return [operand.node]
        }
        return uses[operand.node].map(\.node).filter { $0 != index }
      }
      guard let ready = readers.filter({ !isGiven[$0] }).max(), places[ready] < index else {
        continue
      }
      followers[places[ready]].append(index)
      isMoved[index] = true
    }
    var copy = GraphCopy(of: self)
    for index in nodes.indices where isGiven[index] { copy.append(index) }
    for index in nodes.indices where !isMoved[index] && !isGiven[index] {
      copy.append(index)
      for update in followers[index] { copy.append(update) }
    }
    return copy.finish()
  }

  /// For each node the one that an update must follow beside it: the `slack`-th filter gradient
  /// behind the node, or the number of nodes where there are fewer.
  private func places(slack: Int) -> [Int] {
    var places = Array(nodes.indices)
    guard slack > 0 else { return places }
    var later: [Int] = []
    for index in nodes.indices.reversed() {
      places[index] = later.count < slack ? nodes.count : later[later.count - slack]
      if case .convolutionFilterGradient = nodes[index].operation { later.append(index) }
    }
    return places
  }
}
