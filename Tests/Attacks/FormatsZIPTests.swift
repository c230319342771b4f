import ResidualFormats
import ResidualFuzzSupport
import ResidualTestSupport
import Testing

@Suite struct FormatsZIPAttacks {
  struct Attack: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let problem: ZIPProblem

    init(_ name: String, _ bytes: [UInt8], _ problem: ZIPProblem) {
      (testDescription, self.bytes, self.problem) = (name, bytes, problem)
    }

    /// An archive of one entry.
    init(_ name: String, _ entry: HostileZIP.Entry, _ problem: ZIPProblem) {
      self.init(name, HostileZIP(entry).bytes, problem)
    }
  }

  typealias Entry = HostileZIP.Entry

  // Header and name of `f` take 31 bytes, so `f` ends at byte 34, where its record of 47 begins.
  static var entry: Entry { Entry("f", [1, 2, 3]) }
  static var whole: HostileZIP { HostileZIP(entry) }
  static var two: HostileZIP { HostileZIP(entry, Entry("g", [4])) }

  static let frame: [Attack] = [
    Attack("no bytes", [], .notZIP),
    Attack("another format", Array("PAX\u{3}\u{4}".utf8), .notZIP),
    Attack("first bytes only", Array("PK\u{3}\u{4}".utf8), .missingEnd),
    Attack("cut at the end", Array(whole.bytes.dropLast()), .missingEnd),
    Attack("cut in the content", Array(whole.bytes.prefix(33)), .missingEnd),
    Attack("bytes behind the end", whole.bytes + [0, 0], .bytesBehindEnd(offset: 103)),
    Attack(
      "an archive behind the end", whole.bytes + whole.bytes,
      .directoryBeyondEnd(offset: 34, byteCount: 47)),
    Attack(
      "comment", whole.with(\.end) { $0.put(UInt16(2), at: 20) } + [65, 66],
      .comment(byteCount: 2)),
    Attack(
      "comment with a second end record",
      whole.with(\.end) { $0.put(UInt16(22), at: 20) } + whole.bytes.suffix(22),
      .directoryBeyondEnd(offset: 34, byteCount: 47)),
    Attack("comment that is not there", whole.with(\.end) { $0[20] = 1 }, .comment(byteCount: 1)),
    Attack("second disk", whole.with(\.end) { $0[4] = 1 }, .severalDisks),
    Attack("fewer entries on this disk", whole.with(\.end) { $0[8] = 0 }, .severalDisks),
    Attack(
      "65,534 entries", whole.with(\.end) { $0.put(UInt32(0xFFFE_FFFE), at: 8) },
      .tooManyEntries(count: 65534, most: 1)),
    Attack(
      "no entry", two.with(\.end) { $0.put(UInt32(0), at: 8) },
      .unusedDirectory(begin: 66, end: 160)),
    Attack(
      "one entry too few", two.with(\.end) { $0.put(UInt32(0x0001_0001), at: 8) },
      .unusedDirectory(begin: 113, end: 160)),
    Attack(
      "directory elsewhere", whole.with(\.end) { $0[16] = 33 },
      .directoryBeyondEnd(offset: 33, byteCount: 47)),
    Attack(
      "directory of four gigabytes", whole.with(\.end) { $0.put(UInt32.max, at: 12) },
      .directoryBeyondEnd(offset: 34, byteCount: 0xFFFF_FFFF)),
    Attack(
      "bytes before the first entry",
      HostileZIP(
        entry.local { $0 = [80, 75, 3, 4] + $0 }
          .record { $0.put(UInt32(4), at: 42) }
      ).bytes, .hole(begin: 0, end: 4)),
  ]

  static let large: [Attack] = [
    Attack(
      "ZIP64 record that is not there",
      whole.with(\.large) { Array(HostileZIP.largeEnd(1, $0, $1).dropFirst(56)) },
      .wrongLargeEnd(offset: 25)),
    Attack(
      "ZIP64 record elsewhere", whole.with(\.large) { HostileZIP.largeEnd(1, $0, $1, at: 0) },
      .wrongLargeEnd(offset: 81)),
    Attack(
      "ZIP64 record of another length",
      whole.with(\.large) {
        var bytes = HostileZIP.largeEnd(1, $0, $1)
        bytes[4] = 45
        return bytes
      }, .wrongLargeEnd(offset: 81)),
    Attack(
      "end records that differ", whole.with(\.large) { HostileZIP.largeEnd(2, $0, $1) },
      .endRecordsDiffer),
    Attack(
      "2⁶⁴ − 1 entries",
      HostileZIP(entry).changed {
        $0.end = { $0.put(UInt32.max, at: 8) }
        $0.large = { HostileZIP.largeEnd(.max, $0, $1) }
      }, .tooManyEntries(count: .max, most: 1)),
    Attack(
      "directory of 2⁶⁴ − 1 bytes",
      HostileZIP(entry).changed {
        $0.end = { $0.put(UInt64.max, at: 12) }
        $0.large = { HostileZIP.largeEnd(1, .max, $1, at: $0 + $1) }
      }, .directoryBeyondEnd(offset: 34, byteCount: .max)),
    Attack(
      "two disks in the locator",
      whole.with(\.large) { HostileZIP.largeEnd(1, $0, $1).dropLast(4) + [2, 0, 0, 0] },
      .severalDisks),
    Attack(
      "ten gigabytes by ZIP64",
      entry.with(
        \.recordExtra, [1, 0, 16, 0] + littleEndian(10_000_000_000) + littleEndian(10_000_000_000)
      )
      .record { $0.put(UInt64.max, at: 20) },
      .beyondEnd(name: "f", end: 10_000_000_031, available: 34)),
    Attack(
      "2⁶⁴ − 1 bytes by ZIP64",
      entry.with(\.recordExtra, [1, 0, 16, 0] + [UInt8](repeating: 0xFF, count: 16))
        .record { $0.put(UInt64.max, at: 20) },
      .beyondEnd(name: "f", end: .max, available: 34)),
    Attack(
      "offset of 2⁶⁴ − 1",
      entry.with(\.recordExtra, [1, 0, 8, 0] + [UInt8](repeating: 0xFF, count: 8))
        .record { $0.put(UInt32.max, at: 42) }, .wrongLocalHeader(name: "f", offset: .max)),
    Attack(
      "ZIP64 field too short",
      entry.with(\.recordExtra, [1, 0, 8, 0] + littleEndian(3)).record {
        $0.put(UInt64.max, at: 20)
      }, .wrongExtraField(name: "f")),
    Attack(
      "ZIP64 field too long", entry.with(\.recordExtra, [1, 0, 8, 0] + littleEndian(3)),
      .wrongExtraField(name: "f")),
    Attack(
      "ZIP64 field twice", entry.with(\.recordExtra, [1, 0, 0, 0, 1, 0, 0, 0]),
      .wrongExtraField(name: "f")),
    Attack(
      "extra field behind its end", entry.with(\.recordExtra, [9, 9, 1, 0]),
      .wrongExtraField(name: "f")),
    Attack(
      "local extra field behind its end", entry.with(\.localExtra, [9, 9, 1]),
      .wrongExtraField(name: "f")),
  ]

  @Test(arguments: frame + large + records + locals)
  func isRefused(_ attack: Attack) {
    let error = #expect(throws: ZIPError.self) {
      try ZIPArchive(FileBytes(attack.bytes, name: "hostile"))
    }
    guard let error else { return }
    #expect(error.problem == attack.problem)
    expectGoodMessage(error)
  }

  /// What is unusual, but means one thing only.
  static let harmless: [(String, [UInt8])] = [
    ("plain", whole.bytes),
    (
      "with a descriptor",
      HostileZIP(
        entry.with(\.flags, 0x808).with(\.descriptor, descriptor())
      ).bytes
    ),
    (
      "sizes in the descriptor only",
      HostileZIP(
        entry.with(\.flags, 0x808).with(\.descriptor, descriptor())
          .local { $0.replaceSubrange(14..<26, with: repeatElement(0, count: 12)) }
      ).bytes
    ),
    ("with ZIP64", whole.with(\.large) { HostileZIP.largeEnd(1, $0, $1) }),
    ("with a folder", HostileZIP(Entry("d/"), entry).bytes),
    (
      "directory in another order",
      two.changed { zip in
        let records = two.bytes.suffix(22 + 2 * 47)
        zip.entries[0].record = { $0 = Array(records.dropFirst(47).prefix(47)) }
        zip.entries[1].record = { $0 = Array(records.prefix(47)) }
      }
    ),
  ]

  @Test func harmlessOnesAreRead() throws {
    for (name, bytes) in Self.harmless {
      let archive = try ZIPArchive(FileBytes(bytes, name: name))
      let entry = try #require(archive["f"])
      #expect(try archive.content(of: entry) == [1, 2, 3], "\(name)")
    }
  }

  @Test func contentOfAnotherChecksumIsRefused() throws {
    var bytes = Self.whole.bytes
    bytes[32] ^= 0x10
    let archive = try ZIPArchive(FileBytes(bytes, name: "hostile"))
    let error = try #require(throws: ZIPError.self) {
      try archive.content(of: #require(archive["f"]))
    }
    let computed = [1, 0x12, 3].map { UInt8($0) }.withUnsafeBytes { CRC32.checksum($0) }
    #expect(
      error.problem == .wrongChecksum(name: "f", stored: Self.checksum, computed: computed))
    expectGoodMessage(error)
  }

  /// Twice as many entries take about twice the memory, and not four times as where each one copies
  /// those before it.
  @Test(.enabled(if: Allocation.isCounted, "allocations are not counted here"))
  func manyEntriesTakeLinearWork() throws {
    let growth = try Allocation.growth(of: 10_000) { count in
      let zip = HostileZIP((0..<count).map { Entry("archive/data/\($0)") })
      let archive = try ZIPArchive(FileBytes(zip.bytes))
      #expect(archive.entries.count == count)
    }
    #expect(growth < 2.5)
  }
}

extension HostileZIP {
  func changed(_ change: (inout HostileZIP) -> Void) -> [UInt8] {
    var copy = self
    change(&copy)
    return copy.bytes
  }
}
