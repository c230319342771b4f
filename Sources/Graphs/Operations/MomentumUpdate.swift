extension Operation {
  /// One update of stochastic gradient descent with momentum:
  ///
  ///     v′ = momentum · v + rate · rateScale · (g / scale + weightDecay · w),   w′ = w − v′,
  ///
  /// or v′ = v and w′ = w where `finite` is 0.
  ///
  /// Operands: w, v and g of one shape, then the learning rate and the momentum (scalars); with loss
  /// scaling also the scale and, from ``AllFinite``, `finite` (scalars), which are 1 without it.
  /// Results: w′ and v′.
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
    var resultCount: Int { 2 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      guard operands.count == 5 || operands.count == 7 else {
        throw ShapeError("takes 5 operands, or 7 with loss scaling, not \(operands.count)")
      }
      try expect("the velocity", operands[1], toBe: operands[0])
      try expect("the gradient", operands[2], toBe: operands[0])
      try expect("the learning rate", operands[3], toBe: .scalar)
      try expect("the momentum", operands[4], toBe: .scalar)
      if operands.count == 7 {
        try expect("the loss scale", operands[5], toBe: .scalar)
        try expect("what says whether gradients are finite", operands[6], toBe: .scalar)
      }
      return [operands[0], operands[0]]
    }
  }
}
