import ResidualPlatform

/// Normally distributed numbers under one key (Box and Muller 1958).
struct NormalSource {
  private var source: RandomSource
  private var spare: Double?

  /// Starts at one of the key's numbers, which come in pairs.
  init(_ key: RandomKey, from index: Int) {
    precondition(index % 2 == 0, "normal number \(index) is the second of a pair")
    source = RandomSource(key, from: index)
  }

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
