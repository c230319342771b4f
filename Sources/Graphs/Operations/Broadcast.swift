extension Operation {
  /// Repeats numbers along axes of extent 1, so that an operation of one shape can follow.
  ///
  /// Operands: x, and another tensor for its shape. Axes are matched from the innermost, missing ones
  /// count as 1, and of each pair one extent is 1 or both are equal (the rules of NumPy). Result: the
  /// larger extent of each pair, but as x along the innermost `leaving` axes.
  public struct Broadcast: OperationRule {
    /// The innermost axes that stay as they are, such as those of a matrix.
    public let leaving: Int
    /// - Precondition: no negative number of axes.
    public init(leaving: Int = 0) {
      precondition(leaving >= 0, "\(leaving) axes")
      self.leaving = leaving
    }
    func readsOnlyShape(ofOperand index: Int) -> Bool { index == 1 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      let (x, other) = (operands[0].extents, operands[1].extents)
      guard x.count >= leaving, other.count >= leaving else {
        throw ShapeError("\(operands[0]) and \(operands[1]) have less than \(leaving) axes")
      }
      let (mine, theirs) = (x.dropLast(leaving), other.dropLast(leaving))
      let rank = max(mine.count, theirs.count)
      func extent(_ extents: ArraySlice<Int>, _ axis: Int) -> Int {
        let index = axis - (rank - extents.count)
        return index < 0 ? 1 : extents[index]
      }
      var result: [Int] = []
      for axis in 0..<rank {
        let (a, b) = (extent(mine, axis), extent(theirs, axis))
        guard a == b || a == 1 || b == 1 else {
          throw ShapeError("\(operands[0]) and \(operands[1]) cannot be broadcast")
        }
        result.append(a == 1 ? b : a)
      }
      return [Shape(result + x.suffix(leaving))]
    }

    var firstGradient: Operation? { .broadcastGradient(.init()) }
  }

  /// Sums over the axes along which a broadcast repeated.
  ///
  /// Operands: the gradient, and the broadcast's operand for its shape. Result: as that operand.
  public struct BroadcastGradient: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func readsOnlyShape(ofOperand index: Int) -> Bool { index == 1 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      let (gradient, x) = (operands[0], operands[1])
      let aligned = [Int](repeating: 1, count: max(0, gradient.rank - x.rank)) + x.extents
      guard aligned.count == gradient.rank,
        zip(aligned, gradient.extents).allSatisfy({ $0 == $1 || $0 == 1 })
      else { throw ShapeError("\(gradient) is no broadcast of \(x)") }
      return [x]
    }
  }
}
