extension Graph {
  /// The graph without nodes that no output and no binding needs.
  ///
  /// Inputs and slots stay declared where something still reads them.
  /// - Complexity: O(nodes).
  public func pruned() -> Graph {
    let needed = neededNodes()
    var copy = GraphCopy(of: self)
    for index in nodes.indices where needed[index] { copy.append(index) }
    return copy.finish()
  }

  /// For each node whether an output or a binding needs it.
  package func neededNodes() -> [Bool] {
    var needed = [Bool](repeating: false, count: nodes.count)
    for value in outputs.map(\.value) + bindings.map(\.value) { needed[value.node] = true }
    // A slot that changes stays declared, even where nothing reads its old value.
    for slot in bindings.map(\.slot) {
      if let value = value(ofSlot: slot) { needed[value.node] = true }
    }
    for index in nodes.indices.reversed() where needed[index] {
      for operand in nodes[index].operands { needed[operand.node] = true }
    }
    return needed
  }
}
