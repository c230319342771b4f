/// A rule that works on each number by itself: the result has its operand's shape.
protocol UnaryMap: OperationRule {}

extension UnaryMap {
  func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
    try expect(1, operands)
    return operands
  }
}

/// A rule that works on pairs of numbers: both operands and the result have one shape.
protocol BinaryMap: OperationRule {
  /// What messages call the second operand.
  static var second: String { get }
}

extension BinaryMap {
  func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
    try expect(2, operands)
    try expect(Self.second, operands[1], toBe: operands[0])
    return [operands[0]]
  }
}

extension Operation {
  /// The sum of two tensors of one shape: the end of a residual block, eq. (1) of the paper.
  public struct Add: BinaryMap {
    /// The operation has no attributes.
    public init() {}
    static let second = "the second addend"
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      [gradient, gradient]
    }
  }

  /// `a − b`, of one shape.
  public struct Subtract: BinaryMap {
    /// The operation has no attributes.
    public init() {}
    static let second = "the subtrahend"
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      [gradient, graph.append(.scale(.init(-1)), [gradient], gradientOf: node)]
    }
  }

  /// `a · b`, number by number, of one shape.
  public struct Multiply: BinaryMap {
    /// The operation has no attributes.
    public init() {}
    static let second = "the second factor"
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      let factors = graph.nodes[node.node].operands
      return [
        graph.append(.multiply(.init()), [gradient, factors[1]], gradientOf: node, "first"),
        graph.append(.multiply(.init()), [gradient, factors[0]], gradientOf: node, "second"),
      ]
    }
  }

  /// `factor · x`.
  public struct Scale: UnaryMap {
    /// The same in every run; what changes between steps is an ``Input``.
    public let factor: Float
    /// - Parameter factor: of every number.
    public init(_ factor: Float) { self.factor = factor }
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      [graph.append(.scale(self), [gradient], gradientOf: node)]
    }
  }

  /// `max(x, 0)`; a NaN stays a NaN.
  public struct ReLU: UnaryMap {
    /// The operation has no attributes.
    public init() {}
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      [graph.append(.reluGradient(.init()), [gradient, node], gradientOf: node)]
    }
  }

  /// The gradient where the activation is positive, else 0. Operands: gradient and activation.
  public struct ReLUGradient: BinaryMap {
    /// The operation has no attributes.
    public init() {}
    static let second = "the activation"
  }

  /// `1 / (1 + e⁻ˣ)`.
  public struct Sigmoid: UnaryMap {
    /// The operation has no attributes.
    public init() {}
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      [graph.append(.sigmoidGradient(.init()), [gradient, node], gradientOf: node)]
    }
  }

  /// `g · y · (1 − y)`. Operands: gradient and y, the sigmoid's result.
  public struct SigmoidGradient: BinaryMap {
    /// The operation has no attributes.
    public init() {}
    static let second = "the result"
  }

  /// `x + bias`, the bias for each channel. Operands: `[…, C]` and `[C]`. Result: as the first.
  public struct AddBias: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      try expect("the bias", operands[1], toBe: [operands[0].channels])
      return [operands[0]]
    }
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      [gradient, graph.append(.channelSum(.init()), [gradient], gradientOf: node, "bias")]
    }
  }
}
