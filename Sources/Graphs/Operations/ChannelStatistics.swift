// Batch statistics stand apart from the normalisation that uses them, in a form that can be merged
// across batches and machines (Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for
// Computing Sample Variances, 1979).

extension Operation {
  /// Count, mean and sum of squared deviations from the mean (M2) of each channel.
  ///
  /// Operand: `[…, C]`. Results: count (scalar), mean `[C]`, M2 `[C]`. Their gradient belongs to
  /// ``BatchNormalization``, which is differentiated through its statistics.
  public struct ChannelStatistics: OperationRule {
    /// The operation has no attributes.
    public init() {}
    var resultCount: Int { 3 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      guard operands[0].rank >= 2 else { throw ShapeError("\(operands[0]) has no channel axis") }
      return [.scalar, [operands[0].channels], [operands[0].channels]]
    }
  }

  /// `M2 / max(count − correction, 1)`: the biased variance (correction 0) that normalises a batch,
  /// or the unbiased one (correction 1) that is kept for inference.
  ///
  /// Operands: count (scalar), M2 `[C]`. Result: `[C]`.
  public struct Variance: OperationRule {
    /// What is taken off the count: 0 or 1.
    public let correction: Int
    /// - Parameter correction: 0 for the biased variance, 1 for the unbiased one.
    public init(correction: Int) { self.correction = correction }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      try expect("the count", operands[0], toBe: .scalar)
      return [operands[1]]
    }
  }

  /// `old + weight · (new − old)`. Operands: old and new, of one shape, which is the result's.
  public struct MovingAverage: BinaryMap {
    /// The weight of the new value.
    public let weight: Float
    /// - Parameter weight: of the new value, from 0 to 1; that of the old one is 1 − weight.
    public init(weight: Float) { self.weight = weight }
    static let second = "the new value"
  }

  /// The sum over all axes but the last: `[…, C]` → `[C]`.
  public struct ChannelSum: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      return [[operands[0].channels]]
    }
  }
}
