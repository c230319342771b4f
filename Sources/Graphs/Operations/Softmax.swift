extension Operation {
  /// Positive numbers that sum to 1 along an axis: `yᵢ = exp xᵢ / Σⱼ exp xⱼ`.
  public struct Softmax: OperationRule {
    /// From 0 for the outermost.
    public let axis: Int
    /// - Precondition: no negative axis.
    public init(axis: Int) {
      precondition(axis >= 0, "axis \(axis)")
      self.axis = axis
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      guard axis < operands[0].rank else { throw ShapeError("\(operands[0]) has no axis \(axis)") }
      return operands
    }
    func gradients(of node: Value, _ gradients: [Value?], in graph: inout Graph) -> [Value?] {
      guard let gradient = gradients[0] else { return [nil] }
      let path = "gradient/" + graph.nodes[node.node].path
      return [
        graph.append(.softmaxGradient(.init(softmax: self)), [gradient, node], path: path)
      ]
    }
  }

  /// `yᵢ · (gᵢ − Σⱼ gⱼ · yⱼ)`. Operands: gradient and y, the softmax's result. Result: as y.
  public struct SoftmaxGradient: OperationRule {
    /// What is differentiated.
    public let softmax: Softmax
    /// - Parameter softmax: what is differentiated.
    public init(softmax: Softmax) { self.softmax = softmax }
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      [try shape(of: operands, second: "the result")]
    }
  }
}
