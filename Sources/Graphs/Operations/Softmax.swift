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
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      return [
        graph.append(.softmaxGradient(.init(softmax: self)), [gradient, node], gradientOf: node)
      ]
    }
  }

  /// `yᵢ · (gᵢ − Σⱼ gⱼ · yⱼ)`. Operands: gradient and y, the softmax's result. Result: as y.
  public struct SoftmaxGradient: BinaryMap {
    /// What is differentiated.
    public let softmax: Softmax
    /// - Parameter softmax: what is differentiated.
    public init(softmax: Softmax) { self.softmax = softmax }
    static let second = "the result"
  }
}
