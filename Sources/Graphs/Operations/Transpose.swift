extension Operation {
  /// The axes in another order.
  ///
  /// Operand: `[e₀, e₁, …]`. Result: axis i is the operand's axis `permutation[i]`.
  public struct Transpose: OperationRule {
    /// For each axis of the result the operand's.
    public let permutation: [Int]
    /// - Precondition: each axis once.
    public init(_ permutation: [Int]) {
      precondition(permutation.sorted() == Array(permutation.indices), "axes \(permutation)")
      self.permutation = permutation
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      try expect("the input", operands[0], rank: permutation.count)
      return [Shape(permutation.map { operands[0][$0] })]
    }

    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      var inverse = permutation
      for (axis, source) in permutation.enumerated() { inverse[source] = axis }
      return [graph.append(.transpose(.init(inverse)), [gradient], gradientOf: node)]
    }
  }
}
