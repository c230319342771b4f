/// The hash SHA-256 (FIPS 180-4), to recognise files by the digits in their names and to notice damage.
/// Written here, because a package of hashes would take longer to build than the rest; nothing secret
/// depends on it.
package struct SHA256 {
  private var state = Self.initial
  /// What does not fill a block yet.
  private var rest: [UInt8] = []
  private var byteCount: UInt64 = 0

  /// The hash of nothing yet.
  package init() { rest.reserveCapacity(128) }

  /// Takes in more bytes.
  ///
  /// - Complexity: O(bytes), some 200 MB a second.
  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    byteCount &+= UInt64(bytes.count)
    var start = 0
    if !rest.isEmpty {
      start = min(64 - rest.count, bytes.count)
      rest += bytes[..<start]
      guard rest.count == 64 else { return }
      rest.withUnsafeBytes { Self.add($0, 0, to: &state) }
      rest.removeAll(keepingCapacity: true)
    }
    let end = start + (bytes.count - start) / 64 * 64
    for block in stride(from: start, to: end, by: 64) { Self.add(bytes, block, to: &state) }
    rest += bytes[end...]
  }

  /// Takes in the UTF-8 of a text.
  package mutating func append(_ text: String) {
    Array(text.utf8).withUnsafeBytes { append($0) }
  }

  /// The hash as 64 hexadecimal digits.
  package consuming func digits() -> String {
    // A one bit, zeros, and the length in bits, in one block or two.
    rest.append(0x80)
    rest += [UInt8](repeating: 0, count: (rest.count > 56 ? 120 : 56) - rest.count)
    let bitCount = byteCount &* 8
    for shift in stride(from: 56, through: 0, by: -8) {
      rest.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(shift)))
    }
    rest.withUnsafeBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: 64) { Self.add(bytes, start, to: &state) }
    }
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  /// The hash of a file's bytes.
  package static func digits(of file: FileBytes) -> String {
    var hash = SHA256()
    file.withUnsafeBytes(in: 0..<file.count) { hash.append($0) }
    return hash.digits()
  }

  private static func add(
    _ bytes: UnsafeRawBufferPointer, _ start: Int, to state: inout [UInt32]
  ) {
    func rotated(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
      for t in 0..<16 {
        w[t] = UInt32(
          bigEndian: bytes.loadUnaligned(fromByteOffset: start + 4 * t, as: UInt32.self))
      }
      for t in 16..<64 {
        let s0 = rotated(w[t - 15], 7) ^ rotated(w[t - 15], 18) ^ w[t - 15] >> 3
        let s1 = rotated(w[t - 2], 17) ^ rotated(w[t - 2], 19) ^ w[t - 2] >> 10
        w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
      }
      var (a, b, c, d) = (state[0], state[1], state[2], state[3])
      var (e, f, g, h) = (state[4], state[5], state[6], state[7])
      for t in 0..<64 {
        let s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
        let first = h &+ s1 &+ (e & f ^ ~e & g) &+ constants[t] &+ w[t]
        let s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
        let second = s0 &+ (a & b ^ a & c ^ b & c)
        (h, g, f, e) = (g, f, e, d &+ first)
        (d, c, b, a) = (c, b, a, first &+ second)
      }
      for (i, word) in [a, b, c, d, e, f, g, h].enumerated() { state[i] &+= word }
    }
  }

  private static let primes: [UInt64] = {
    var primes: [UInt64] = []
    var number: UInt64 = 2
    while primes.count < 64 {
      if primes.allSatisfy({ number % $0 != 0 }) { primes.append(number) }
      number += 1
    }
    return primes
  }()

  /// The first 32 bits of the fractions of the square roots of eight primes.
  private static let initial: [UInt32] = primes.prefix(8).map { root(of: $0, power: 2) }
  /// Likewise of the cube roots of 64 primes.
  private static let constants: [UInt32] = primes.map { root(of: $0, power: 3) }

  /// The largest r of 36 bits with (r / 2³²)^power ≤ number, without its whole part.
  private static func root(of number: UInt64, power: Int) -> UInt32 {
    var root: UInt64 = 0
    for bit in (0..<36).reversed() {
      let candidate = root | 1 << UInt64(bit)
      if isAtMost(candidate, number, power: power) { root = candidate }
    }
    return UInt32(truncatingIfNeeded: root)
  }

  /// Whether r^power ≤ number · 2^(32 · power), in words of 128 bits and more.
  private static func isAtMost(_ r: UInt64, _ number: UInt64, power: Int) -> Bool {
    // Square: two words. r below 2³⁶, so that its square is below 2⁷² and its cube below 2¹⁰⁸.
    let square = r.multipliedFullWidth(by: r)
    if power == 2 { return square.high < number || square.high == number && square.low == 0 }
    let low = square.low.multipliedFullWidth(by: r)
    let high = square.high * r + low.high
    return high < number << 32 || high == number << 32 && low.low == 0
  }
}
