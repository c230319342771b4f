// What keeps small gradients of half precision from vanishing (Micikevicius et al., Mixed Precision
// Training, 2018): the loss is multiplied by a scale, the gradients are divided by it, and a step
// whose gradients overflow is skipped.

extension Operation {
  /// The loss scale of the next step: as large as gradients allow.
  ///
  ///     finite gate and n + 1 < interval:   scale′ = scale,                            n′ = n + 1
  ///     finite gate and n + 1 ≥ interval:   scale′ = min(scale · growth, maximum),     n′ = 0
  ///     else:                               scale′ = max(scale · backoff, minimum),    n′ = 0
  ///
  /// Operands, all scalars: scale, n (steps since it last changed) and the gate. Results: scale′ and n′.
  public struct LossScaleUpdate: OperationRule {
    /// Steps with finite gradients after which the scale grows.
    public let growthInterval: Int
    /// Factors of the scale; powers of two change no bit of a gradient that is scaled back.
    public let growthFactor: Float, backoffFactor: Float
    /// Bounds of the scale.
    public let minimum: Float, maximum: Float

    /// The customary factors, by default.
    public init(
      growthInterval: Int = 2000, growthFactor: Float = 2, backoffFactor: Float = 0.5,
      minimum: Float = 1, maximum: Float = 0x1p24
    ) {
      self.growthInterval = growthInterval
      (self.growthFactor, self.backoffFactor) = (growthFactor, backoffFactor)
      (self.minimum, self.maximum) = (minimum, maximum)
    }
    var resultCount: Int { 2 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(3, operands)
      try expect("the scale", operands[0], toBe: .scalar)
      try expect("the number of steps", operands[1], toBe: .scalar)
      try expect("the gate", operands[2], toBe: .scalar)
      return [.scalar, .scalar]
    }
  }
}
