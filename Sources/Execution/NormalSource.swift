import ResidualPlatform

/// Normally distributed numbers under one key (Box and Muller 1958).
struct NormalSource {
  private var source: RandomSource
  private var spare: Double?

  init(_ key: RandomKey) { source = RandomSource(key) }

  /// A number of mean 0 and deviation 1.
  mutating func next() -> Double {
    if let spare {
      self.spare = nil
      return spare
    }
    // In (0, 1], so that the logarithm is finite.
    let first = (Double(source.next() >> 11) + 1) * 0x1p-53
    let second = Double(source.next() >> 11) * 0x1p-53
    let radius = (-2 * log(first)).squareRoot()
    spare = radius * sin(2 * .pi * second)
    return radius * cos(2 * .pi * second)
  }
}
