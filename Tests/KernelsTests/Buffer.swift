/// Floats in a heap block of just their size, so that an address sanitizer sees every read and
/// write outside it. Filled with NaN, so that what a kernel leaves out shows.
final class Buffer {
  let count: Int
  let pointer: UnsafeMutablePointer<Float>

  init(_ count: Int) {
    self.count = count
    pointer = .allocate(capacity: count)
    pointer.initialize(repeating: .nan, count: count)
  }

  /// Normally distributed (nearly: the sum of four uniform numbers) about `mean`.
  convenience init(random count: Int, seed: UInt64, mean: Float = 0, deviation: Float = 1) {
    self.init(count)
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func uniform() -> Float {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Float(state >> 40) / 16_777_216 - 0.5
    }
    for i in 0..<count {
      let sum = uniform() + uniform() + uniform() + uniform()
      pointer[i] = mean + deviation * 1.7320508 * sum
    }
  }

  convenience init(_ numbers: [Float]) {
    self.init(numbers.count)
    for (i, number) in numbers.enumerated() { pointer[i] = number }
  }

  deinit { pointer.deallocate() }

  var input: UnsafePointer<Float> { UnsafePointer(pointer) }
  var numbers: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
  /// Bit patterns, so that NaN equals NaN.
  var bits: [UInt32] { numbers.map(\.bitPattern) }

  subscript(i: Int) -> Float { pointer[i] }
}

/// √(Σ (computed − expected)² / Σ expected²); NaN where a number was left out.
func relativeError(_ computed: Buffer, _ expected: [Double]) -> Double {
  precondition(computed.count == expected.count, "\(computed.count) and \(expected.count) numbers")
  var difference = 0.0
  var norm = 0.0
  for i in 0..<computed.count {
    let d = Double(computed[i]) - expected[i]
    difference += d * d
    norm += expected[i] * expected[i]
  }
  return norm == 0 ? difference.squareRoot() : (difference / norm).squareRoot()
}

/// A sum of n rounded products has a relative error of about ε·√n at worst here, ε = 6e-8; the
/// longest sums are of 7 × 7 × 64 products or of 128 × 32 × 32 pixels in short parts.
let tolerance = 5e-6
