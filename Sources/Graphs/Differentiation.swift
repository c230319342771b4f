extension Graph {
  /// Appends the nodes of reverse-mode differentiation, graph to graph.
  ///
  /// Each node's rule is asked once, in reverse order; contributions to one value are added in the
  /// order in which they arise. Rewrites made before this call keep the gradients right by
  /// construction.
  ///
  /// - Parameters:
  ///   - loss: a scalar value.
  ///   - slots: the names of the parameters.
  ///   - seed: the gradient of the loss itself, by which all others are multiplied: a scalar, 1 by
  ///     default.
  /// - Returns: for each parameter that the loss depends on, its gradient.
  /// - Complexity: O(nodes).
  public mutating func differentiate(
    _ loss: Value, withRespectTo slots: [String], seed: Value? = nil
  ) -> [String: Value] {
    let wanted = Set(slots.compactMap { value(ofSlot: $0)?.node })
    let relevant = dependents(of: wanted, upTo: loss.node)
    var gradients: [Value: Value] = [:]
    // A node of its own in any case: with it the backward pass begins.
    gradients[loss] =
      if let seed {
        append(.scale(.init(1)), [seed], gradientOf: loss, "seed")
      } else {
        append(.constant(.init(1)), [], gradientOf: loss, "seed")
      }

    for index in stride(from: loss.node, through: 0, by: -1) where relevant[index] {
      let node = nodes[index]
      let value = Value(node: index)
      precondition(
        (1..<max(1, node.operation.resultCount)).allSatisfy { gradients[value.result($0)] == nil },
        "\(node.path): only its first result can be differentiated")
      guard let gradient = gradients[value], !node.operands.isEmpty else { continue }
      let operandGradients = node.operation.rule.gradients(of: value, gradient, in: &self)
      for (operand, gradient) in zip(node.operands, operandGradients) where relevant[operand.node] {
        guard let gradient else { continue }
        if let sum = gradients[operand] {
          gradients[operand] = append(
            .add(.init()), [sum, gradient], gradientOf: operand, "sum")
        } else {
          gradients[operand] = gradient
        }
      }
    }
    return Dictionary(
      uniqueKeysWithValues: slots.compactMap { slot in
        value(ofSlot: slot).flatMap { gradients[$0] }.map { (slot, $0) }
      })
  }

  /// For each node up to `last`, whether it is one of `sources` or depends on one.
  private func dependents(of sources: Set<Int>, upTo last: Int) -> [Bool] {
    var relevant = [Bool](repeating: false, count: last + 1)
    for index in 0...last {
      relevant[index] =
        sources.contains(index) || nodes[index].operands.contains { relevant[$0.node] }
    }
    return relevant
  }
}
