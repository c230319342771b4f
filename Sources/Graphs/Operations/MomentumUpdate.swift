extension Operation {
  /// One update of stochastic gradient descent with momentum, and the squared norms of what it reads
  /// and changes:
  ///
  ///     u = g / scale
  ///     v′ = momentum · v + rate · rateScale · (clip · u + weightDecay · w),   w′ = w − v′
  ///     squares = (Σ u², Σ w², Σ v′²)
  ///
  /// Where a gate is given and is not finite, v′ = v and w′ = w, and the last of the squares is 0.
  ///
  /// Operands: w, v and g of one shape, then the learning rate and the momentum (scalars); perhaps the
  /// gate (scalar), and behind it the factors 1 / scale and clip of ``GradientNorm`` `[2]`, which are 1
  /// without it. Results: w′, v′ and the squares `[3]`.
  public struct MomentumUpdate: OperationRule {
    /// λ: 0 where the parameter is not decayed.
    public let weightDecay: Float
    /// The parameter's own factor of the learning rate.
    public let rateScale: Float
    /// Holds what stays the same at every step: learning rate and momentum are operands.
    public init(weightDecay: Float, rateScale: Float = 1) {
      self.weightDecay = weightDecay
      self.rateScale = rateScale
    }
    var resultCount: Int { 3 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      guard (5...7).contains(operands.count) else {
        throw ShapeError("takes 5 to 7 operands, not \(operands.count)")
      }
      try expect("the velocity", operands[1], toBe: operands[0])
      try expect("the gradient", operands[2], toBe: operands[0])
      try expect("the learning rate", operands[3], toBe: .scalar)
      try expect("the momentum", operands[4], toBe: .scalar)
      if operands.count > 5 { try expect("the gate", operands[5], toBe: .scalar) }
      if operands.count > 6 { try expect("the gradient's factors", operands[6], toBe: [2]) }
      return [operands[0], operands[0], [3]]
    }
  }
}
