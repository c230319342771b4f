extension Operation {
  /// Tensors one after another along an axis; all other extents are equal.
  ///
  /// Operands: one or more tensors of one rank. Result: the axis is as long as theirs together.
  public struct Concatenate: OperationRule {
    /// The axis that becomes longer, from 0 for the outermost.
    public let axis: Int
    /// - Precondition: no negative axis.
    public init(axis: Int) {
      precondition(axis >= 0, "axis \(axis)")
      self.axis = axis
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      guard let first = operands.first else { throw ShapeError("nothing to concatenate") }
      guard axis < first.rank else { throw ShapeError("\(first) has no axis \(axis)") }
      var extent = 0
      for operand in operands {
        guard operand.rank == first.rank,
          operand.replacing(axis: axis, with: 0) == first.replacing(axis: axis, with: 0)
        else { throw ShapeError("\(operand) and \(first) differ beyond axis \(axis)") }
        extent += operand[axis]
      }
      return [first.replacing(axis: axis, with: extent)]
    }

    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      let operands = graph.nodes[node.node].operands
      return operands.indices.map { index in
        graph.append(
          .concatenateGradient(.init(concatenation: self, index: index)), [gradient] + operands,
          gradientOf: node, "\(index)")
      }
    }
  }

  /// The part of a concatenation's gradient that belongs to one of its operands.
  ///
  /// Operands: the gradient, and the operands of the concatenation for their shapes. Result: as that
  /// operand.
  public struct ConcatenateGradient: OperationRule {
    /// What is differentiated.
    public let concatenation: Concatenate
    /// The operand's, from 0.
    public let index: Int
    /// - Precondition: no negative index.
    public init(concatenation: Concatenate, index: Int) {
      precondition(index >= 0, "operand \(index)")
      self.concatenation = concatenation
      self.index = index
    }
    func readsOnlyShape(ofOperand index: Int) -> Bool { index > 0 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      guard index + 1 < operands.count else {
        throw ShapeError("no operand \(index) among \(operands.count - 1)")
      }
      try expect(
        "the gradient", operands[0], toBe: concatenation.shapes(of: Array(operands.dropFirst()))[0])
      return [operands[index + 1]]
    }

    /// Where the operand begins along the axis.
    package func start(_ operands: [Shape]) -> Int {
      operands[1..<index + 1].reduce(0) { $0 + $1[concatenation.axis] }
    }
  }
}
