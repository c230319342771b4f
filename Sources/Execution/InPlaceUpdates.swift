extension Graph {
  /// Values that may be written over the slot they are bound to, with the slot: elementwise updates of
  /// the slot's old value which nothing reads later, and which are no outputs.
  ///
  /// - Parameter place: for a node, the node at whose place in the schedule a device computes it.
  /// - Complexity: O(nodes + edges).
  package func inPlaceUpdates(place: (Int) -> Int) -> [Value: String] {
    let uses = uses()
    let outputs = Set(self.outputs.map(\.value))
    var updates: [Value: String] = [:]
    for (slot, value) in bindings where !outputs.contains(value) && updates[value] == nil {
      guard let old = self.value(ofSlot: slot) else { continue }
      let node = nodes[value.node]
      let updated: Value? =
        switch node.operation {
        case .momentumUpdate, .lossScaleUpdate: node.operands[value.result]
        case .movingAverage: node.operands[0]
        case .select: node.operands[2]
        default: nil
        }
      let isLastUse = uses[old.node].allSatisfy { use in
        use.node == value.node || place(use.node) < place(value.node)
      }
      if updated == old, isLastUse, !outputs.contains(old) { updates[value] = slot }
    }
    return updates
  }
}
