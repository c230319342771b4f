extension Operation {
  /// Every `stride`-th element along one axis, after dropping some at both ends.
  ///
  /// `result[i] = x[start + i · stride]` along the axis, for indices below `extent − end`.
  public struct Slice: OperationRule {
    /// The axis that becomes shorter, from 0 for the outermost.
    public let axis: Int
    /// Elements dropped at the start and at the end.
    public let start: Int, end: Int
    /// The step between elements that are kept: 1 keeps them all.
    public let stride: Int
    /// - Precondition: nothing negative, and a stride above 0.
    public init(axis: Int, start: Int = 0, end: Int = 0, stride: Int = 1) {
      precondition(start >= 0 && end >= 0 && stride > 0, "slice \(start), \(end), \(stride)")
      (self.axis, self.start, self.end, self.stride) = (axis, start, end, stride)
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      guard axis < operands[0].rank, start + end < operands[0][axis] else {
        throw ShapeError(
          "cannot drop \(start) and \(end) elements of axis \(axis) of \(operands[0])")
      }
      let kept = operands[0][axis] - start - end
      return [operands[0].replacing(axis: axis, with: (kept - 1) / stride + 1)]
    }
    var firstGradient: Operation? { .sliceGradient(.init(slice: self)) }
  }

  /// Puts the gradient where the slice was taken, zeros elsewhere. Operands: gradient, and the
  /// slice's input for its shape.
  public struct SliceGradient: OperationRule {
    /// The slice that is differentiated.
    public let slice: Slice
    /// - Parameter slice: the one that is differentiated.
    public init(slice: Slice) { self.slice = slice }
    func readsOnlyShape(ofOperand index: Int) -> Bool { index == 1 }
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      try expect("the gradient", operands[0], toBe: slice.shapes(of: [operands[1]])[0])
      return [operands[1]]
    }
  }

  /// Numbers, commonly zeros, before and after along one axis.
  public struct Pad: OperationRule {
    /// The axis that becomes longer, from 0 for the outermost.
    public let axis: Int
    /// Numbers added at the start and at the end.
    public let before: Int, after: Int
    /// What they are.
    public let value: Float
    /// - Precondition: no negative count.
    public init(axis: Int, before: Int, after: Int, value: Float = 0) {
      precondition(before >= 0 && after >= 0, "padding of \(before) and \(after)")
      (self.axis, self.before, self.after, self.value) = (axis, before, after, value)
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      guard axis < operands[0].rank else { throw ShapeError("\(operands[0]) has no axis \(axis)") }
      return [operands[0].replacing(axis: axis, with: operands[0][axis] + before + after)]
    }
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      return [
        graph.append(
          .slice(.init(axis: axis, start: before, end: after)), [gradient], gradientOf: node)
      ]
    }
  }
}
