import ResidualFormats
import ResidualFuzzSupport
import ResidualTensors
import ResidualTestSupport
import Testing

#if GZIP
  @Suite struct FormatsGzipAttacks {
    struct Attack: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let bytes: [UInt8]
      let problem: GzipProblem

      init(_ name: String, _ bytes: [UInt8], _ problem: GzipProblem) {
        (testDescription, self.bytes, self.problem) = (name, bytes, problem)
      }
    }

    static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]

    /// CRC-32 as RFC 1952 defines it, bit by bit.
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
      ~bytes.reduce(~UInt32(0)) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in
          value >> 1 ^ (value & 1 == 0 ? 0 : 0xEDB8_8320)
        }
      }
    }

    static func littleEndian(_ value: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// A member with one block that is stored as it is.
    static func member(_ content: [UInt8]) -> [UInt8] {
      let length = UInt16(content.count)
      return header + [1, UInt8(length & 0xFF), UInt8(length >> 8)]
        + [UInt8(~length & 0xFF), UInt8(~length >> 8)] + content
        + littleEndian(checksum(content)) + littleEndian(UInt32(content.count))
    }

    static let whole = member(Array("content".utf8))

    static func changed(_ offset: Int, _ byte: UInt8) -> [UInt8] {
      var bytes = whole
      bytes[offset] = byte
      return bytes
    }

    /// One mebibyte of zeros in about one kibibyte.
    static let zeros: [UInt8] =
      [
        0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3, 0xED, 0xC1, 0x31, 1, 0, 0, 0, 0xC2, 0xA0, 0xF5, 0x4F,
        0x6D, 8, 0x5F, 0xA0,
      ] + [UInt8](repeating: 0, count: 1016)
      + [0x3E, 3, 0x1C, 0xEA, 0x38, 0xA7, 0, 0, 0x10, 0]

    static let attacks: [Attack] = [
      Attack("no bytes", [], .notGzip),
      Attack("one byte", [0x1F], .notGzip),
      Attack("zip", Array("PK\u{3}\u{4}".utf8), .notGzip),
      Attack("first bytes only", [0x1F, 0x8B], .truncated(byteCount: 2)),
      Attack("header only", header, .truncated(byteCount: 10)),
      Attack("unknown method", changed(2, 7), .invalidHeader(offset: 0)),
      Attack("reserved flags", changed(3, 0xE0), .invalidHeader(offset: 0)),
      Attack(
        "endless name", [0x1F, 0x8B, 8, 8, 0, 0, 0, 0, 0, 3] + [UInt8](repeating: 65, count: 5000),
        .truncated(byteCount: 5010)),
      Attack(
        "wrong checksum of the header", [0x1F, 0x8B, 8, 2, 0, 0, 0, 0, 0, 3, 1, 2] + whole[10...],
        .invalidHeader(offset: 0)),
      Attack(
        "extra field behind the end", [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 3, 0xFF, 0xFF, 1, 2],
        .truncated(byteCount: 14)),
      Attack("reserved block", header + [7, 0, 0], .corrupt(offset: 11)),
      Attack("stored length without its twin", changed(13, 0), .corrupt(offset: 15)),
      Attack(
        "distance before the start", header + [0x03, 0x02, 0x00, 0x00, 0x00], .corrupt(offset: 12)),
      Attack("one bit of the content", changed(15, 0x62), .wrongChecksum(offset: 26)),
      Attack("one bit of the checksum", changed(22, whole[22] ^ 1), .wrongChecksum(offset: 26)),
      Attack("wrong length", changed(26, 8), .wrongLength(offset: 30)),
      Attack("cut trailer", Array(whole.dropLast()), .truncated(byteCount: 29)),
      Attack("cut content", Array(whole.prefix(18)), .truncated(byteCount: 18)),
      Attack("text behind the end", whole + [0, 0, 1], .trailingBytes(offset: 32)),
      Attack("cut second member", whole + whole.prefix(12), .truncated(byteCount: 42)),
      Attack("broken second member", whole + [0x1F, 0x8B, 9, 0], .invalidHeader(offset: 30)),
      Attack(
        "bomb of many members", Array(repeatElement(zeros, count: 200).joined()),
        .tooLarge(limit: 64 << 20)),
    ]

    @Test(arguments: attacks) func isRefused(_ attack: Attack) {
      let error = #expect(throws: GzipError.self) {
        try Gzip.inflate(FileBytes(attack.bytes, name: "hostile"))
      }
      guard let error else { return }
      #expect(error.problem == attack.problem)
      expectGoodMessage(error)
    }

    /// Twice as many members take about twice the memory, and not four times as where each one copies
    /// what was read before it.
    @Test(.enabled(if: Allocation.isCounted, "allocations are not counted here"))
    func manyEmptyMembersTakeLinearWork() throws {
      let growth = try Allocation.growth(of: 50_000) { count in
        let bytes = Array(repeatElement(Self.member([]), count: count).joined())
        let content = try Gzip.inflate(FileBytes(bytes))
        #expect(content.count == 0)
      }
      #expect(growth < 2.5)
    }

    @Test func mutationsNeverTrap() throws {
      let bases = [
        Self.whole + Self.member([]) + Self.member(Array(0..<100)),
        Array(Self.zeros.prefix(26)) + Self.zeros.suffix(40),
        [0x1F, 0x8B, 8, 0x1E, 0, 0, 0, 0, 0, 3, 2, 0, 65, 66, 67, 0, 68, 0, 1, 2]
          + Self.whole[10...],
      ]
      var mutator = Mutator("gzip")
      var accepted = 0
      for trial in 0..<mutationCount {
        let bytes = mutator.mutate(bases[trial % bases.count])
        do {
          _ = try Gzip.inflate(FileBytes(bytes, name: "hostile"), limit: 1 << 16)
          accepted += 1
        } catch {
          expectGoodMessage(error)
        }
      }
      #expect((mutationCount / 1000..<mutationCount / 2).contains(accepted), "\(accepted)")
    }
  }
#endif
