import ResidualFormats
import ResidualFuzzSupport

// Attacks by the records of entries and the headers before their content; those by the end of an archive
// are in FormatsZIPTests.
extension FormatsZIPAttacks {
  static let records: [Attack] = [
    Attack("no record", entry.record { $0[0] = 0 }, .wrongRecord(offset: 34)),
    Attack(
      "name behind the directory", entry.record { $0.put(UInt16.max, at: 28) },
      .truncatedRecord(offset: 34)),
    Attack(
      "comment behind the directory", entry.record { $0.put(UInt16(1), at: 32) },
      .truncatedRecord(offset: 34)),
    Attack("empty name", Entry(""), .invalidName(offset: 30)),
    Attack("name that is not UTF-8", entry.with(\.name, [0xC3, 0x28]), .invalidName(offset: 35)),
    Attack("zero in a name", entry.with(\.name, [102, 0]), .invalidName(offset: 35)),
    Attack("line feed in a name", entry.with(\.name, [102, 10]), .invalidName(offset: 35)),
    Attack("accents without the flag", Entry("é").with(\.flags, 0), .invalidName(offset: 32)),
    Attack("absolute path", Entry("/etc/passwd"), .unsafeName("/etc/passwd")),
    Attack("parent folder", Entry("a/../../b"), .unsafeName("a/../../b")),
    Attack("this folder", Entry("./b"), .unsafeName("./b")),
    Attack("folder without a name", Entry("a//b"), .unsafeName("a//b")),
    Attack("only a slash", Entry("/"), .unsafeName("/")),
    Attack("backslash", Entry("..\\b"), .unsafeName("..\\b")),
    Attack("drive", Entry("C:b"), .unsafeName("C:b")),
    Attack(
      "name that takes long to compare",
      HostileZIP(Entry("e" + String(repeating: "\u{301}", count: 30_000))).bytes,
      .nameTooLong(offset: 60_031)),
    Attack("name twice", HostileZIP(entry, entry).bytes, .duplicateName("f")),
    Attack(
      "equivalent names", HostileZIP(Entry("é"), Entry("e\u{301}")).bytes,
      .duplicateName("e\u{301}")),
    Attack("encrypted", entry.with(\.flags, 0x801), .encrypted(name: "f")),
    Attack("strongly encrypted", entry.with(\.flags, 0x841), .encrypted(name: "f")),
    Attack(
      "patch data", entry.with(\.flags, 0x820), .unsupportedFlags(name: "f", flags: 0x820)),
    Attack("deflated", entry.record { $0[10] = 8 }, .compressed(name: "f", method: 8)),
    Attack(
      "bomb: four gigabytes in three bytes", entry.record { $0.put(UInt32.max - 1, at: 24) },
      .sizesDiffer(name: "f", stored: 3, content: 0xFFFF_FFFE)),
    Attack("second name", entry.with(\.recordExtra, [0x75, 0x70, 0, 0]), .anotherName(name: "f")),
    Attack("folder with content", Entry("f/", [1]), .folderWithContent(name: "f/")),
    Attack("entry on another disk", entry.record { $0[34] = 1 }, .severalDisks),
  ]

  static let locals: [Attack] = [
    Attack("no header", entry.local { $0[0] = 0 }, .notZIP),
    Attack(
      "header missing", HostileZIP(entry, Entry("g").with(\.isMissing, true)).bytes,
      .wrongLocalHeader(name: "g", offset: 34)),
    Attack(
      "header behind the directory", entry.record { $0.put(UInt32(60), at: 42) },
      .wrongLocalHeader(name: "f", offset: 60)),
    Attack(
      "content longer than the file", entry.record { $0.put(UInt64(4 << 32 | 4), at: 20) },
      .beyondEnd(name: "f", end: 35, available: 34)),
    Attack(
      "name of 65,535 bytes", entry.local { $0.put(UInt16.max, at: 26) },
      .beyondEnd(name: "f", end: 65568, available: 34)),
    Attack(
      "another name", entry.local { $0[30] = 103 }, .headersDiffer(name: "f", field: "name")),
    Attack("other flags", entry.local { $0[6] = 2 }, .headersDiffer(name: "f", field: "flags")),
    Attack("another method", entry.local { $0[8] = 8 }, .headersDiffer(name: "f", field: "method")),
    Attack(
      "another checksum", entry.local { $0[14] ^= 1 }, .headersDiffer(name: "f", field: "checksum")),
    Attack("another size", entry.local { $0[22] = 2 }, .headersDiffer(name: "f", field: "size")),
    Attack(
      "another size by ZIP64",
      entry.with(\.localExtra, [1, 0, 16, 0] + littleEndian(2) + littleEndian(3))
        .local { $0.put(UInt64.max, at: 18) }, .headersDiffer(name: "f", field: "size")),
    Attack(
      "shorter content", entry.record { $0.put(UInt64(2 << 32 | 2), at: 20) },
      .headersDiffer(name: "f", field: "size")),
    Attack(
      "no descriptor", entry.with(\.flags, 0x808), .wrongDescriptor(name: "f", offset: 34)),
    Attack(
      "descriptor of another checksum",
      entry.with(\.flags, 0x808).with(\.descriptor, descriptor(checksum: 1)),
      .wrongDescriptor(name: "f", offset: 34)),
    Attack(
      "descriptor of another size",
      entry.with(\.flags, 0x808).with(\.descriptor, descriptor(size: 4)),
      .wrongDescriptor(name: "f", offset: 34)),
    Attack(
      "bytes between the entries",
      HostileZIP(
        entry.with(\.descriptor, [0]), Entry("g")
      ).bytes, .hole(begin: 34, end: 35)),
    Attack("bytes before the directory", whole.with(\.gap, [0, 0]), .hole(begin: 34, end: 36)),
    Attack(
      "an entry inside another",
      HostileZIP(
        Entry("f", HostileZIP(entry).bytes),
        entry.with(\.isMissing, true).with(\.name, [102]).record {
          $0 = Array($0.prefix(42)) + littleEndian(UInt32(31)) + [102]
        }
      ).bytes, .duplicateName("f")),
    Attack(
      "an entry inside another, of another name",
      HostileZIP(
        Entry("f", HostileZIP(Entry("g")).bytes),
        Entry("g").with(\.isMissing, true).record { $0.put(UInt32(31), at: 42) }
      ).bytes, .overlap(name: "g", begin: 31, previousEnd: 131)),
  ]

  static let checksum = [UInt8]([1, 2, 3]).withUnsafeBytes { CRC32.checksum($0) }
  static func descriptor(checksum: UInt32? = nil, size: UInt32 = 3) -> [UInt8] {
    Array("PK\u{7}\u{8}".utf8) + littleEndian(checksum ?? self.checksum) + littleEndian(size)
      + littleEndian(size)
  }
}
