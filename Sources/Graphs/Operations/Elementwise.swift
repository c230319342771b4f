extension Operation {
  /// The sum of two tensors of one shape: the end of a residual block, eq. (1) of the paper.
  public struct Add: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      [try shape(of: operands, second: "the second addend")]
    }
    func gradients(of node: Value, _ gradients: [Value?], in graph: inout Graph) -> [Value?] {
      [gradients[0], gradients[0]]
    }
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
    func gradients(of node: Value, _ gradients: [Value?], in graph: inout Graph) -> [Value?] {
      guard let gradient = gradients[0] else { return [nil, nil] }
      let path = "gradient/" + graph.nodes[node.node].path + ".bias"
      return [gradient, graph.append(.channelSum(.init()), [gradient], path: path)]
    }
  }

  /// `max(x, 0)`; a NaN stays a NaN.
  public struct ReLU: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      return operands
    }
    func gradients(of node: Value, _ gradients: [Value?], in graph: inout Graph) -> [Value?] {
      guard let gradient = gradients[0] else { return [nil] }
      let path = "gradient/" + graph.nodes[node.node].path
      return [graph.append(.reluGradient(.init()), [gradient, node], path: path)]
    }
  }

  /// The gradient where the activation is positive, else 0. Operands: gradient and activation.
  public struct ReLUGradient: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      [try shape(of: operands, second: "the activation")]
    }
  }

  /// `a − b`, of one shape.
  public struct Subtract: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      [try shape(of: operands, second: "the subtrahend")]
    }
    func gradients(of node: Value, _ gradients: [Value?], in graph: inout Graph) -> [Value?] {
      guard let gradient = gradients[0] else { return [nil, nil] }
      let path = "gradient/" + graph.nodes[node.node].path
      return [gradient, graph.append(.scale(.init(-1)), [gradient], path: path)]
    }
  }

  /// `a · b`, number by number, of one shape.
  public struct Multiply: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      [try shape(of: operands, second: "the second factor")]
    }
    func gradients(of node: Value, _ gradients: [Value?], in graph: inout Graph) -> [Value?] {
      guard let gradient = gradients[0] else { return [nil, nil] }
      let factors = graph.nodes[node.node].operands
      let path = "gradient/" + graph.nodes[node.node].path
      return [
        graph.append(.multiply(.init()), [gradient, factors[1]], path: path + ".first"),
        graph.append(.multiply(.init()), [gradient, factors[0]], path: path + ".second"),
      ]
    }
  }

  /// `factor · x`.
  public struct Scale: OperationRule {
    /// The same in every run; what changes between steps is an ``Input``.
    public let factor: Float
    /// - Parameter factor: of every number.
    public init(_ factor: Float) { self.factor = factor }
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      return operands
    }
    func gradients(of node: Value, _ gradients: [Value?], in graph: inout Graph) -> [Value?] {
      guard let gradient = gradients[0] else { return [nil] }
      let path = "gradient/" + graph.nodes[node.node].path
      return [graph.append(.scale(self), [gradient], path: path)]
    }
  }

  /// `1 / (1 + e⁻ˣ)`.
  public struct Sigmoid: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      return operands
    }
    func gradients(of node: Value, _ gradients: [Value?], in graph: inout Graph) -> [Value?] {
      guard let gradient = gradients[0] else { return [nil] }
      let path = "gradient/" + graph.nodes[node.node].path
      return [graph.append(.sigmoidGradient(.init()), [gradient, node], path: path)]
    }
  }

  /// `g · y · (1 − y)`. Operands: gradient and y, the sigmoid's result.
  public struct SigmoidGradient: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      [try shape(of: operands, second: "the result")]
    }
  }
}
