extension Operation {
  /// All numbers of an image in a row, channel by channel, as PyTorch flattens: so the parameters of a
  /// layer behind it are the same as there.
  ///
  ///     output[n, (c · H + h) · W + w] = input[n, h, w, c]
  ///
  /// Operand: `[N, H, W, C]`. Result: `[N, C·H·W]`.
  public struct Flatten: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      try expect("the input", operands[0], rank: 4)
      return [[operands[0][0], operands[0][1] * operands[0][2] * operands[0][3]]]
    }
    var firstGradient: Operation? { .flattenGradient(.init()) }
  }

  /// Puts the numbers of ``Flatten``'s gradient back. Operands: the gradient, and the input for its
  /// shape. Result: as the input.
  public struct FlattenGradient: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func readsOnlyShape(ofOperand index: Int) -> Bool { index == 1 }
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      try expect("the gradient", operands[0], toBe: Flatten().shapes(of: [operands[1]])[0])
      return [operands[1]]
    }
  }
}
