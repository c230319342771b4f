extension Operation {
  /// The same numbers in the same order, with other axes.
  ///
  /// Operand: any shape. Result: the extents that are asked for.
  public struct Reshape: OperationRule {
    /// One extent of the result.
    public enum Extent: Hashable, Sendable {
      /// That of an axis of the operand.
      case copied(axis: Int)
      /// A given number.
      case fixed(Int)
      /// What the other extents leave.
      case rest
    }

    /// The result's, outermost first.
    public let extents: [Extent]

    /// - Precondition: no negative axis or extent, and at most one `rest`.
    public init(_ extents: [Extent]) {
      for extent in extents {
        switch extent {
        case .copied(let axis): precondition(axis >= 0, "axis \(axis)")
        case .fixed(let extent): precondition(extent >= 0, "extent \(extent)")
        case .rest: break
        }
      }
      precondition(extents.count { $0 == .rest } <= 1, "two extents are the rest")
      self.extents = extents
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      let operand = operands[0]
      var result: [Int?] = []
      for extent in extents {
        switch extent {
        case .copied(let axis):
          guard axis < operand.rank else { throw ShapeError("\(operand) has no axis \(axis)") }
          result.append(operand[axis])
        case .fixed(let extent): result.append(extent)
        case .rest: result.append(nil)
        }
      }
      let known = Shape.checkedCount(result.map { $0 ?? 1 }) ?? 0
      let rest = known == 0 ? 0 : operand.count / known
      let shape = Shape(result.map { $0 ?? rest })
      guard Shape.checkedCount(shape.extents) == operand.count else {
        throw ShapeError("the \(operand.count) numbers of \(operand) do not fill \(shape)")
      }
      return [shape]
    }

    var firstGradient: Operation? { .reshapeGradient(.init()) }
  }

  /// Puts the numbers of ``Reshape``'s gradient back into the axes of its operand.
  ///
  /// Operands: the gradient, and the reshaped tensor for its shape. Result: as that tensor.
  public struct ReshapeGradient: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func readsOnlyShape(ofOperand index: Int) -> Bool { index == 1 }
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      guard operands[0].count == operands[1].count else {
        throw ShapeError("the gradient \(operands[0]) is not that of \(operands[1])")
      }
      return [operands[1]]
    }
  }
}
