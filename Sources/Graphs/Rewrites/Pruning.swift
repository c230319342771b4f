extension Graph {
  /// The graph without nodes that no output and no binding needs.
  ///
  /// Inputs and slots stay declared where something still reads them.
  /// - Complexity: O(nodes).
  public func pruned() -> Graph {
    var needed = [Bool](repeating: false, count: nodes.count)
    for value in outputs.map(\.value) + bindings.map(\.value) { needed[value.node] = true }
    // A slot that changes stays declared, even where nothing reads its old value.
    for slot in bindings.map(\.slot) {
      if let value = value(ofSlot: slot) { needed[value.node] = true }
    }
    for index in nodes.indices.reversed() where needed[index] {
      for operand in nodes[index].operands { needed[operand.node] = true }
    }
    let slotsByName = Dictionary(uniqueKeysWithValues: slots.map { ($0.name, $0) })
    var copy = Graph()
    var renamed: [Int: Int] = [:]
    func rename(_ value: Value) -> Value {
      guard let node = renamed[value.node] else {
        preconditionFailure("node \(value.node) was dropped although it is needed")
      }
      return Value(node: node, result: value.result)
    }
    for (index, node) in nodes.enumerated() where needed[index] {
      let value: Value
      switch node.operation {
      case .input(let input): value = copy.input(input.name, input.elementType)
      case .state(let state):
        guard let slot = slotsByName[state.slot] else {
          preconditionFailure("slot \(state.slot) is not declared")
        }
        value = copy.state(slot)
      default: value = copy.append(node.operation, node.operands.map(rename), path: node.path)
      }
      renamed[index] = value.node
    }
    for output in outputs { copy.output(output.name, rename(output.value)) }
    for binding in bindings { copy.bind(binding.slot, to: rename(binding.value)) }
    return copy
  }
}
