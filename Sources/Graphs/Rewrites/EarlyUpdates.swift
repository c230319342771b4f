extension Graph {
  /// The same graph with each update of a slot moved up to where its operands are ready, so that
  /// gradients need not wait in memory for the end of the step.
  ///
  /// An update follows every node that reads the old value of the slots that it changes, and so still
  /// happens in place. With loss scaling it waits for all gradients, and stays where it is. It also
  /// waits for the filter gradients of two more convolutions: a device may put a convolution's
  /// gradients into one step with the normalisations on either side.
  /// - Complexity: O(nodes + edges).
  public func updatingEarly() -> Graph {
    let uses = uses()
    let isGiven = nodes.map { node in
      switch node.operation {
      case .input, .state: true
      default: false
      }
    }
    let places = secondNextFilterGradients()
    // For each node the updates that follow it.
    var followers = [[Int]](repeating: [], count: nodes.count)
    var isMoved = [Bool](repeating: false, count: nodes.count)
    for (index, node) in nodes.enumerated() {
      guard case .momentumUpdate = node.operation, uses[index].isEmpty else { continue }
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

  /// For each node the second filter gradient after it, or the number of nodes.
  private func secondNextFilterGradients() -> [Int] {
    var (first, second) = (nodes.count, nodes.count)
    var places = [Int](repeating: nodes.count, count: nodes.count)
    for index in nodes.indices.reversed() {
      places[index] = second
      if case .convolutionFilterGradient = nodes[index].operation {
        (first, second) = (index, first)
      }
    }
    return places
  }
}
