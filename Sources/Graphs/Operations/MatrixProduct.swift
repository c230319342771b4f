extension Operation {
  /// The product of two matrices, each optionally transposed: `result = left° · right°`.
  ///
  /// Operands: left `[M, K]` (`[K, M]` transposed), right `[K, N]` (`[N, K]` transposed).
  /// Result: `[M, N]`.
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
      try expect("the left matrix", operands[0], rank: 2)
      try expect("the right matrix", operands[1], rank: 2)
      let (m, k) = oriented(operands[0], transposesLeft)
      let (rows, n) = oriented(operands[1], transposesRight)
      guard k == rows else {
        throw ShapeError("matrices of \(operands[0]) and \(operands[1]) do not fit")
      }
      return [[m, n]]
    }
    private func oriented(_ shape: Shape, _ transposed: Bool) -> (rows: Int, columns: Int) {
      transposed ? (shape[1], shape[0]) : (shape[0], shape[1])
    }

    func multiplyAdds(operands: [Shape], results: [Shape]) -> Int {
      results[0].count * oriented(operands[0], transposesLeft).columns
    }

    func gradients(of node: Value, _ gradients: [Value?], in graph: inout Graph) -> [Value?] {
      guard let gradient = gradients[0] else { return [nil, nil] }
      let (left, right) = (graph.nodes[node.node].operands[0], graph.nodes[node.node].operands[1])
      let path = "gradient/" + graph.nodes[node.node].path
      // With Y = L·R: dL = dY·Rᵀ and dR = Lᵀ·dY; a transposed operand transposes its gradient.
      let leftGradient =
        transposesLeft
        ? graph.append(
          .matrixProduct(.init(transposesLeft: transposesRight, transposesRight: true)),
          [right, gradient], path: path + ".left")
        : graph.append(
          .matrixProduct(.init(transposesRight: !transposesRight)), [gradient, right],
          path: path + ".left")
      let rightGradient =
        transposesRight
        ? graph.append(
          .matrixProduct(.init(transposesLeft: true, transposesRight: transposesLeft)),
          [gradient, left], path: path + ".right")
        : graph.append(
          .matrixProduct(.init(transposesLeft: !transposesLeft)), [left, gradient],
          path: path + ".right")
      return [leftGradient, rightGradient]
    }
  }
}
