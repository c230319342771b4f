import Foundation
import ResidualFormats
import ResidualTensors
import Testing

/// Makes broken files out of whole ones, always the same ones for the same seed.
struct Mutator {
  /// Bytes at which parsers decide something.
  private static let interesting: [UInt8] =
    [0, 1, 0x7F, 0x80, 0xFF] + Array("\"\\{}[]:,0129 -\n'()uU=".utf8)
  private var random: RandomSource

  init(_ format: String) { random = RandomSource(RandomKey(seed: 1).derived(format)) }

  mutating func index(below bound: Int) -> Int { random.index(below: bound) }

  /// A copy with one to four changes.
  mutating func mutate(_ original: [UInt8]) -> [UInt8] {
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
    switch random.index(below: 8) {
    case 0: bytes[offset] ^= 1 << UInt8(random.index(below: 8))
    case 1: bytes[offset] = Self.interesting[random.index(below: Self.interesting.count)]
    case 2: bytes[offset] = UInt8(random.index(below: 256))
    case 3: bytes.removeSubrange(offset..<offset + length)
    case 4: bytes.insert(contentsOf: part, at: offset)
    case 5: bytes.removeLast(length)
    case 6: bytes.append(contentsOf: part)
    default: bytes.replaceSubrange(offset..<offset + length, with: part.reversed())
    }
  }
}

/// The number of broken files of each format to try: 10,000, or `RESNET_MUTATIONS` for a long
/// campaign.
let mutationCount =
  ProcessInfo.processInfo.environment["RESNET_MUTATIONS"].flatMap { Int($0) } ?? 10_000

/// Checks that a message is one line, names the file and gives a mend.
func expectGoodMessage<Problem>(_ error: FormatError<Problem>) {
  let text = "\(error)"
  #expect(text.hasPrefix("hostile: ") && !text.contains("\n") && text.utf8.count < 2000, "\(text)")
  #expect(text.contains(";"), "no mend: \(text)")
}
