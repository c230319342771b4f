import ResidualFormats
import ResidualFuzzSupport
import ResidualTensors
import Testing

@Suite struct FormatsTarAttacks {
  struct Attack: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let problem: TarProblem

    init(_ name: String, _ bytes: [UInt8], _ problem: TarProblem) {
      (testDescription, self.bytes, self.problem) = (name, bytes, problem)
    }
  }

  static let end = [UInt8](repeating: 0, count: 1024)

  /// A header with the right sum; `change` is applied before it.
  static func header(
    _ name: String, size: Int = 0, kind: Character = "0",
    _ change: (inout [UInt8]) -> Void = { _ in }
  ) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    put(Array(name.utf8), at: 0, in: &header)
    put(octal(size, 11), at: 124, in: &header)
    header[156] = kind.asciiValue ?? 0
    put(Array("ustar\u{0}00".utf8), at: 257, in: &header)
    change(&header)
    sign(&header, at: 0)
    return header
  }

  static func put(_ text: [UInt8], at offset: Int, in bytes: inout [UInt8]) {
    bytes.replaceSubrange(offset..<offset + text.count, with: text)
  }

  static func octal(_ value: Int, _ width: Int) -> [UInt8] {
    let digits = String(value, radix: 8)
    return Array((String(repeating: "0", count: width - digits.count) + digits).utf8)
  }

  static func sign(_ bytes: inout [UInt8], at offset: Int) {
    put(Array("        ".utf8), at: offset + 148, in: &bytes)
    let sum = bytes[offset..<offset + 512].reduce(0) { $0 + Int($1) }
    put(octal(sum, 6) + [0, 0x20], at: offset + 148, in: &bytes)
  }

  static func entry(_ name: String, kind: Character = "0", _ content: [UInt8]) -> [UInt8] {
    header(name, size: content.count, kind: kind) + content
      + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  static func pax(_ records: String, kind: Character = "x") -> [UInt8] {
    entry("pax", kind: kind, Array(records.utf8))
  }

  static func size(_ bytes: [UInt8]) -> [UInt8] { header("f") { put(bytes, at: 124, in: &$0) } }

  static let frame: [Attack] = [
    Attack("half a header", Array(header("f").prefix(300)), .truncatedHeader(offset: 0)),
    Attack("no bytes", [], .missingEnd(offset: 0)),
    Attack("no end", header("f"), .missingEnd(offset: 512)),
    Attack("half an end", header("f") + end.prefix(511), .truncatedHeader(offset: 512)),
    Attack(
      "cut content", Array(entry("f", [1, 2, 3]).prefix(514)),
      .truncatedContent(name: "f", byteCount: 3, available: 2)),
    Attack(
      "cut padding", Array(entry("f", [1, 2, 3]).prefix(600)),
      .truncatedContent(name: "f", byteCount: 3, available: 88)),
    Attack(
      "archive behind the end", header("f") + end + header("g") + end,
      .dataBehindEnd(offset: 1536)),
    Attack("last byte behind the end", end + [0, 1], .dataBehindEnd(offset: 1025)),
    Attack(
      "one bit of a name",
      header("f").enumerated().map { $0 == 0 ? $1 ^ 1 : $1 } + end,
      .wrongChecksum(offset: 0, stored: 1589, computed: 1590)),
    Attack(
      "no sum",
      header("f").enumerated().map { (148..<156).contains($0) ? 0x78 : $1 } + end,
      .wrongChecksum(offset: 0, stored: nil, computed: 1589)),
    Attack(
      "random text", Array(repeating: 0x41, count: 1024),
      .wrongChecksum(offset: 0, stored: nil, computed: 504 * 0x41 + 8 * 0x20)),
  ]

  static let fields: [Attack] = [
    Attack("size of letters", size(Array("hello".utf8)) + end, .invalidSize(offset: 124)),
    Attack("size with a sign", size(Array("-0000000001".utf8)) + end, .invalidSize(offset: 124)),
    Attack("octal with an 8", size(Array("00000000008".utf8)) + end, .invalidSize(offset: 124)),
    Attack(
      "negative base 256", size(Array(repeating: 0xFF, count: 12)) + end,
      .invalidSize(offset: 124)),
    Attack(
      "base 256 above Int", size([0x80, 0, 0, 0] + [0x80, 0, 0, 0, 0, 0, 0, 0]) + end,
      .invalidSize(offset: 124)),
    Attack(
      "the largest base 256", size([0x80, 0, 0, 0, 0x7F] + Array(repeating: 0xFF, count: 7)) + end,
      .truncatedContent(name: "f", byteCount: .max, available: 1024)),
    Attack(
      "the largest octal", size(Array("77777777777".utf8)) + end,
      .truncatedContent(name: "f", byteCount: 0o77777777777, available: 1024)),
    Attack("no name", header("") + end, .emptyName(offset: 0)),
    Attack(
      "name not in UTF-8", header("f") { $0[0] = 0xFF } + end, .invalidName(offset: 0)),
    Attack(
      "prefix not in UTF-8", header("f") { $0[345] = 0xFF } + end, .invalidName(offset: 345)),
    Attack(
      "folder with content", header("d", size: 5, kind: "5") + end + end,
      .unexpectedContent(name: "d", offset: 0)),
    Attack(
      "link with content", header("l", size: 5, kind: "2") + end + end,
      .unexpectedContent(name: "l", offset: 0)),
    Attack(
      "file named as a folder with content", header("d/", size: 5) + end + end,
      .unexpectedContent(name: "d/", offset: 0)),
    Attack(
      "device with content", header("c", size: 5, kind: "3") + end + end,
      .unexpectedContent(name: "c", offset: 0)),
    Attack(
      "sparse file", header("s", kind: "S") + end, .unsupportedKind(0x53, offset: 0)),
    Attack(
      "second volume", header("s", kind: "M") + end, .unsupportedKind(0x4D, offset: 0)),
  ]

  static let extensions: [Attack] = [
    Attack(
      "pax block of a gigabyte", header("x", size: 1 << 30, kind: "x") + end,
      .extensionTooLong(byteCount: 1 << 30, offset: 0)),
    Attack(
      "long name of two mebibytes", header("L", size: 2 << 20, kind: "L") + end,
      .extensionTooLong(byteCount: 2 << 20, offset: 0)),
    Attack(
      "long name above the limit",
      entry("L", kind: "L", [UInt8](repeating: 0x61, count: 5000)) + header("f") + end,
      .nameTooLong(offset: 512)),
    Attack(
      "path above the limit",
      pax("5010 path=" + String(repeating: "a", count: 4999) + "\n") + header("f") + end,
      .nameTooLong(offset: 522)),
    Attack(
      "two pax blocks", pax("") + pax("") + header("f") + end, .repeatedExtension(offset: 512)),
    Attack(
      "two long names",
      entry("L", kind: "L", [0x61]) + entry("L", kind: "L", [0x62]) + header("f") + end,
      .repeatedExtension(offset: 1024)),
    Attack(
      "two long links",
      entry("K", kind: "K", [0x61]) + entry("K", kind: "K", [0x62]) + header("f") + end,
      .repeatedExtension(offset: 1024)),
    Attack("extension without an entry", pax("") + end, .danglingExtension(offset: 512)),
    Attack(
      "empty long name", entry("L", kind: "L", []) + header("f") + end, .emptyName(offset: 512)),
    Attack("record without a length", pax("path=a\n") + end, .invalidRecord(offset: 512)),
    Attack("record of no length", pax("0 a=b\n") + end, .invalidRecord(offset: 512)),
    Attack(
      "record of the largest length", pax("9223372036854775807 a=b\n") + end,
      .invalidRecord(offset: 512)),
    Attack(
      "record above Int", pax("99999999999999999999 a=b\n") + end, .invalidRecord(offset: 512)),
    Attack("record longer than its block", pax("7 a=b\n") + end, .invalidRecord(offset: 512)),
    Attack("record without a key", pax("6 =bc\n") + end, .invalidRecord(offset: 512)),
    Attack("record without =", pax("6 abc\n") + end, .invalidRecord(offset: 512)),
    Attack("record without its end", pax("6 a=bc") + end, .invalidRecord(offset: 512)),
    Attack(
      "record whose key spans its length", pax("5 abcdefgh=i\n") + end,
      .invalidRecord(offset: 512)),
    Attack("second record", pax("6 a=b\nx") + end, .invalidRecord(offset: 518)),
    Attack(
      "path twice", pax("9 path=a\n9 path=b\n") + end, .duplicateKey("path", offset: 521)),
    Attack(
      "size twice", pax("9 size=1\n9 size=2\n") + end, .duplicateKey("size", offset: 521)),
    Attack("size of letters in pax", pax("9 size=x\n") + end, .invalidSize(offset: 519)),
    Attack("signed size in pax", pax("11 size=-1\n") + end, .invalidSize(offset: 520)),
    Attack(
      "size above Int in pax", pax("29 size=99999999999999999999\n") + end,
      .invalidSize(offset: 520)),
    Attack(
      "largest size in pax", pax("28 size=9223372036854775807\n") + header("f") + end,
      .truncatedContent(name: "f", byteCount: .max, available: 1024)),
    Attack("zero in a pax path", pax("12 path=a\0b\n") + end, .invalidName(offset: 512)),
    Attack("no name in pax", pax("8 path=\n") + header("f") + end, .emptyName(offset: 1024)),
    Attack(
      "path for all", pax("9 path=a\n", kind: "g") + end,
      .globalOverride(key: "path", offset: 0)),
    Attack(
      "size for all", pax("9 size=1\n", kind: "g") + end,
      .globalOverride(key: "size", offset: 0)),
    Attack(
      "sparse file by pax", pax("22 GNU.sparse.major=1\n") + end,
      .unsupportedKind(0x53, offset: 512)),
  ]

  @Test(arguments: frame + fields + extensions)
  func isRefused(_ attack: Attack) {
    let error = #expect(throws: TarError.self) {
      var archive = TarArchive(FileBytes(attack.bytes, name: "hostile"))
      while try archive.next() != nil {}
    }
    guard let error else { return }
    #expect(error.problem == attack.problem)
    expectGoodMessage(error)
  }

  @Test func namesThatLeaveTheFolderAreTextOnly() throws {
    let names = ["/etc/passwd", "../../x", "a/../../b", "C:\\x", "~/x"]
    var archive = TarArchive(FileBytes(names.flatMap { Self.header($0) } + Self.end))
    for name in names { #expect(try archive.next()?.name == name) }
    #expect(try archive.next() == nil)
  }

  @Test func mutationsNeverTrap() throws {
    let record = "path=\(String(repeating: "p", count: 150))\n"
    let whole =
      Self.pax("\(record.utf8.count + 4) \(record)9 size=3\n") + Self.entry("f", [1, 2, 3])
      + Self.entry("L", kind: "L", Array("long".utf8)) + Self.entry("g", Array(0..<200))
      + Self.header("d/", kind: "5") + Self.end
    var mutator = Mutator("tar")
    var accepted = 0
    for trial in 0..<mutationCount {
      var bytes = mutator.mutate(whole)
      // Right sums let the changes reach what lies behind them.
      if trial % 4 != 0 {
        for start in stride(from: 0, through: bytes.count - 512, by: 512)
        where bytes[start..<start + 512].contains(where: { $0 != 0 }) {
          Self.sign(&bytes, at: start)
        }
      }
      do {
        var archive = TarArchive(FileBytes(bytes, name: "hostile"))
        while let entry = try archive.next() {
          #expect(entry.range.upperBound <= bytes.count)
        }
        accepted += 1
      } catch {
        expectGoodMessage(error)
      }
    }
    #expect((mutationCount / 100..<mutationCount / 2).contains(accepted), "\(accepted)")
  }
}
