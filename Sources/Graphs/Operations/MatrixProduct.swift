extension Operation {
  /// The product of two matrices, each optionally transposed: `result = left° · right°`.
  ///
  /// Operands: left `[M, K]` (`[K, M]` transposed), right `[K, N]` (`[N, K]` transposed).
  /// Result: `[M, N]`. Axes before those, equal in both operands, are those of many such products.
  public struct MatrixProduct: OperationRule {
    /// Whether the left operand is `[K, M]`.
    public let transposesLeft: Bool
    /// Whether the right operand is `[N, K]`.
    public let transposesRight: Bool

    /// A product of the operands as they are, unless a transposition is asked for.
    public init(transposesLeft: Bool = false, transposesRight: Bool = false) {
      self.transposesLeft = transposesLeft
      self.transposesRight = transposesRight
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      let outer = operands[0].extents.dropLast(2)
      guard operands[0].rank >= 2, operands[1].rank >= 2,
        Array(outer) == Array(operands[1].extents.dropLast(2)),
        depth(operands[0]) == rows(operands[1], transposesRight)
      else { throw ShapeError("matrices of \(operands[0]) and \(operands[1]) do not fit") }
      return [
        Shape(
          outer + [rows(operands[0], transposesLeft), rows(operands[1], !transposesRight)])
      ]
    }

    /// The rows of a matrix, or the columns as it is stored if it is transposed.
    private func rows(_ shape: Shape, _ isTransposed: Bool) -> Int {
      shape[shape.rank - (isTransposed ? 1 : 2)]
    }
    /// The extent K that is summed over.
    ///
    /// - Parameter left: the shape of the left operand.
    package func depth(_ left: Shape) -> Int { rows(left, !transposesLeft) }

    func multiplyAdds(operands: [Shape], results: [Shape]) -> Int {
      saturatingProduct(results[0].count, depth(operands[0]))
    }

    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      let (left, right) = (graph.nodes[node.node].operands[0], graph.nodes[node.node].operands[1])
      // With Y = L·R: dL = dY·Rᵀ and dR = Lᵀ·dY; a transposed operand transposes its gradient.
      func product(
        _ a: Value, _ isATransposed: Bool, _ b: Value, _ isBTransposed: Bool, of part: String
      )
        -> Value
      {
        let rule = Self(transposesLeft: isATransposed, transposesRight: isBTransposed)
        return graph.append(.matrixProduct(rule), [a, b], gradientOf: node, part)
      }
      return [
        transposesLeft
          ? product(right, transposesRight, gradient, true, of: "left")
          : product(gradient, false, right, !transposesRight, of: "left"),
        transposesRight
          ? product(gradient, true, left, transposesLeft, of: "right")
          : product(left, !transposesLeft, gradient, false, of: "right"),
      ]
    }
  }
}
