extension Operation {
  /// The mean over all pixels: `[N, H, W, C]` → `[N, C]`.
  public struct GlobalAveragePooling: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      try expect("the input", operands[0], rank: 4)
      return [[operands[0][0], operands[0][3]]]
    }
    var firstGradient: Operation? { .globalAveragePoolingGradient(.init()) }
  }

  /// Spreads the gradient evenly. Operands: `[N, C]`, and the input for its shape.
  public struct GlobalAveragePoolingGradient: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func readsOnlyShape(ofOperand index: Int) -> Bool { index == 1 }
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      try expect("the input", operands[1], rank: 4)
      try expect("the gradient", operands[0], toBe: [operands[1][0], operands[1][3]])
      return [operands[1]]
    }
  }
}
