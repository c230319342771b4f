extension Operation {
  /// The norm of all gradients together, and the factors that scale them back and clip them, as PyTorch's
  /// `clip_grad_norm_`:
  ///
  ///     norm = √(Σ g²) / scale,   factors = (1 / scale, min(1, maximum / (norm + 10⁻⁶)))
  ///
  /// A norm above 1.8 · 10¹⁹, whose square is beyond float32, may come out infinite.
  ///
  /// Operands: the loss scale (scalar), then at least one gradient, of any shapes. Results: the norm
  /// (scalar) and the factors `[2]`.
  public struct GradientNorm: OperationRule {
    /// The norm that gradients are clipped to; infinite where they are not clipped.
    public let maximum: Float
    /// - Parameter maximum: above 0.
    public init(maximum: Float = .infinity) {
      precondition(maximum > 0, "gradients clipped to a norm of \(maximum)")
      self.maximum = maximum
    }
    var resultCount: Int { 2 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      guard operands.count > 1 else { throw ShapeError("takes a scale and at least one gradient") }
      try expect("the loss scale", operands[0], toBe: .scalar)
      return [.scalar, [2]]
    }
  }
}
