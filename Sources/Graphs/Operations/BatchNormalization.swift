// Ioffe and Szegedy: Batch Normalization, 2015. With x̂ = (x − mean) / √(variance + ε):
//
//   y = scale · x̂ + shift
//
// and, where mean and variance are those of the same batch of m pixels, for a gradient g of y:
//
//   dx = scale / √(variance + ε) · (g − Σg / m − x̂ · Σ(g·x̂) / m)
//
// The two sums are nodes of their own, so that a device can compute them where g is produced.

extension Operation {
  /// Where mean and variance come from.
  public enum NormalizationStatistics: Hashable, Sendable {
    /// From the batch that is normalised: gradients flow through them.
    case batch
    /// Constants, such as running averages: the operation is an affine map.
    case fixed
  }

  /// Normalises each channel: `y = scale · (x − mean) / √(variance + ε) + shift`.
  ///
  /// Operands: x `[…, C]`, then mean, variance, scale and shift, each `[C]`. Result: as x.
  public struct BatchNormalization: OperationRule {
    /// ε, added to the variance before its root is taken.
    public let epsilon: Float
    /// Whether gradients flow through mean and variance.
    public let statistics: NormalizationStatistics
    /// - Parameter statistics: where the operands mean and variance come from.
    public init(epsilon: Float, statistics: NormalizationStatistics) {
      self.epsilon = epsilon
      self.statistics = statistics
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(5, operands)
      for (name, shape) in zip(["mean", "variance", "scale", "shift"], operands.dropFirst()) {
        try expect(name, shape, toBe: [operands[0].channels])
      }
      return [operands[0]]
    }

    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      let operands = graph.nodes[node.node].operands
      let (x, mean, variance, scale) = (operands[0], operands[1], operands[2], operands[3])
      let sums = graph.append(
        .batchNormalizationSums(.init()), [gradient, x, mean], gradientOf: node, "sums")
      let input = graph.append(
        .batchNormalizationInputGradient(.init(epsilon: epsilon, statistics: statistics)),
        [gradient, x, mean, variance, scale, sums, sums.result(1)], gradientOf: node, "input")
      let scaleGradient = graph.append(
        .batchNormalizationScaleGradient(.init(epsilon: epsilon)), [sums.result(1), variance],
        gradientOf: node, "scale")
      // With batch statistics the input's gradient already contains their part.
      return [input, nil, nil, scaleGradient, sums]
    }
  }

  /// The two sums that the backward pass needs: Σg and Σg·(x − mean) for each channel.
  ///
  /// Operands: g and x `[…, C]`, mean `[C]`. Results: both `[C]`. The first is the shift's gradient.
  public struct BatchNormalizationSums: OperationRule {
    /// The operation has no attributes.
    public init() {}
    var resultCount: Int { 2 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(3, operands)
      try expect("the gradient", operands[0], toBe: operands[1])
      try expect("the mean", operands[2], toBe: [operands[1].channels])
      return [operands[2], operands[2]]
    }
  }

  /// The scale's gradient, `Σg·(x − mean) / √(variance + ε)`.
  ///
  /// Operands: the second sum and the variance, both `[C]`. Result: `[C]`.
  public struct BatchNormalizationScaleGradient: BinaryMap {
    /// ε of the normalisation.
    public let epsilon: Float
    /// - Parameter epsilon: that of the normalisation.
    public init(epsilon: Float) { self.epsilon = epsilon }
    static let second = "the variance"
  }

  /// The gradient with respect to x.
  ///
  /// Operands: g and x `[…, C]`; mean, variance, scale, and the two sums, each `[C]`. Result: as x.
  public struct BatchNormalizationInputGradient: OperationRule {
    /// ε of the normalisation.
    public let epsilon: Float
    /// With batch statistics the gradient includes their part; with fixed ones it is
    /// `scale / √(variance + ε) · g`.
    public let statistics: NormalizationStatistics
    /// The attributes are those of the normalisation that is differentiated.
    public init(epsilon: Float, statistics: NormalizationStatistics) {
      self.epsilon = epsilon
      self.statistics = statistics
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(7, operands)
      try expect("the gradient", operands[0], toBe: operands[1])
      for shape in operands.dropFirst(2) {
        try expect("a channel vector", shape, toBe: [operands[1].channels])
      }
      return [operands[1]]
    }
  }
}
