import ResidualTensors

/// Makes broken files out of whole ones, always the same ones for the same seed.
package struct Mutator {
  /// Bytes at which parsers decide something.
  private static let interesting: [UInt8] =
    [0, 1, 0x7F, 0x80, 0xFF] + Array("\"\\{}[]:,0129 -\n'()uU=".utf8)
  private var random: RandomSource

  private let words: [[UInt8]]

  /// - Parameter words: what to write somewhere now and then, because parsers decide something there.
  package init(_ format: String, words: [[UInt8]] = []) {
    random = RandomSource(RandomKey(seed: 1).derived(format))
    self.words = words
  }

  package mutating func index(below bound: Int) -> Int { random.index(below: bound) }

  /// A copy with one to four changes.
  package mutating func mutate(_ original: [UInt8]) -> [UInt8] {
    var bytes = original
    for _ in 0...random.index(below: 4) { change(&bytes) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else {
      bytes = [UInt8(random.index(below: 256))]
      return
    }
    let offset = random.index(below: bytes.count)
    let length = 1 + random.index(below: min(bytes.count - offset, 64))
    let part = Array(bytes[offset..<offset + length])
    switch random.index(below: words.isEmpty ? 8 : 9) {
    case 0: bytes[offset] ^= 1 << UInt8(random.index(below: 8))
    case 1: bytes[offset] = Self.interesting[random.index(below: Self.interesting.count)]
    case 2: bytes[offset] = UInt8(random.index(below: 256))
    case 3: bytes.removeSubrange(offset..<offset + length)
    case 4: bytes.insert(contentsOf: part, at: offset)
    case 5: bytes.removeLast(length)
    case 6: bytes.append(contentsOf: part)
    case 7: bytes.replaceSubrange(offset..<offset + length, with: part.reversed())
    default: bytes.insert(contentsOf: words[random.index(below: words.count)], at: offset)
    }
  }
}
