/// A counter-based source of random numbers: every draw is a pure function of a key.
///
/// A key is derived step by step from what the numbers are for, such as
/// `RandomKey(seed: 1).derived(.shuffle).derived(epoch)`. So a draw can be repeated anywhere, and
/// does not depend on how many threads draw or in what order.
///
/// The mixing function is the finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable
/// Pseudorandom Number Generators, 2014).
public struct RandomKey: Hashable, Sendable {
  /// What random numbers are drawn for. Raw values are part of the reproducible behaviour.
  public enum Purpose: UInt64, Sendable {
    case initialization = 1
    case shuffle, augmentation, validationSplit, benchmark, dropout
  }

  /// The whole key: equal bits give equal draws.
  public let bits: UInt64

  /// The key of known bits, such as stored ones; a seed goes to `init(seed:)`, which mixes it.
  public init(bits: UInt64) { self.bits = bits }
  /// The first key of a run: mixed, so that neighbouring seeds give unrelated draws.
  public init(seed: UInt64) { bits = Self.mix(seed &+ Self.gamma) }

  /// The key of one item of a series, such as an epoch or an image.
  public func derived(_ index: UInt64) -> RandomKey {
    RandomKey(bits: Self.mix(bits &+ Self.gamma &* (index &+ 1)))
  }
  /// The key of one item of a series, counted from 0.
  public func derived(_ index: Int) -> RandomKey { derived(UInt64(bitPattern: Int64(index))) }
  /// The key of all draws for one purpose.
  public func derived(_ purpose: Purpose) -> RandomKey { derived(purpose.rawValue) }
  /// The key of a name, such as a parameter's path (FNV-1a of its UTF-8).
  public func derived(_ name: String) -> RandomKey {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return derived(hash)
  }

  static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// The finaliser of SplitMix64: a bijection of 64 bits in which every input bit reaches every
  /// output bit.
  @inlinable
  public static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A sequence of random numbers drawn under one key.
public struct RandomSource: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Starts the key's sequence at one of its numbers, the first one by default: each is a function of
  /// its place.
  public init(_ key: RandomKey, from index: Int = 0) {
    state = key.bits &+ RandomKey.gamma &* UInt64(index)
  }

  public mutating func next() -> UInt64 {
    state &+= RandomKey.gamma
    return RandomKey.mix(state)
  }

  /// A number in [0, 1) with 24 random bits.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// A whole number in `0..<bound`, without bias (Lemire's multiplication, with rejection).
  public mutating func index(below bound: Int) -> Int {
    precondition(bound > 0, "no index lies below \(bound)")
    let range = UInt64(bound)
    while true {
      let (high, low) = next().multipliedFullWidth(by: range)
      if low >= range || low >= (0 &- range) % range { return Int(high) }
    }
  }

  /// A permutation of `0..<count` (Fisher and Yates).
  public mutating func permutation(of count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, index(below: i + 1)) }
    return order
  }
}
