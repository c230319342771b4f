extension Operation {
  /// One tensor or another of its shape: the first if the gate is finite, or else the second.
  ///
  /// Operands: the gate (scalar), the first, the second. Result: as the first.
  public struct Select: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(3, operands)
      try expect("the gate", operands[0], toBe: .scalar)
      try expect("the second tensor", operands[2], toBe: operands[1])
      return [operands[1]]
    }
  }
}
