import ResidualFormats
import Testing

@Suite struct PickleReaderTests {
  typealias Value = PickleValue<PickledTensor>

  static func dictionary(_ members: (PickleKey, Value)...) -> Value {
    .dictionary(members.map { PickleMember($0.0, $0.1) })
  }

  static func read(_ bytes: [UInt8]) throws -> Value {
    try PickleReader.read(FileBytes(bytes, name: "hand"))
  }

  /// The same values as in `Tests/Fixtures/make-torch-fixtures.py`.
  static var values: Value {
    let numbers: [Int64] = [
      0, -1, 255, 256, 65535, 65536, Int64(Int32.min), 1 << 31, .max, .min,
    ]
    let large: [Value] = [
      .largeInteger([0, 0, 0, 0, 0, 0, 0, 0x80, 0]),
      .largeInteger([255, 255, 255, 255, 255, 255, 255, 0x7F, 255]),
    ]
    let tuples = (Int64(0)...4).map { count in
      Value.tuple((0..<count).map { .integer($0 + 1) })
    }
    let shared = Value.list([.text("shared")])
    return dictionary(
      (
        .text("numbers"),
        .list(
          numbers.map { .integer($0) } + large
            + [.float(1.5), .float(-0.0), .float(.infinity), .none, .bool(true), .bool(false)])
      ),
      (.text("tuples"), .list(tuples)),
      (
        .text("texts"),
        .list([.text(""), .text("é😀"), .text(String(repeating: "x", count: 300))])
      ),
      (
        .text("bytes"),
        .list([.bytes([120, 121, 122, 255]), .bytes(Array(0...255) + [121])])
      ),
      (
        .integer(3),
        dictionary(
          (.integer(-1), dictionary()),
          (
            .text("ordered"),
            dictionary((.text("b"), .integer(1)), (.text("a"), .integer(2)))
          ))
      ),
      (.text("shared"), .tuple([shared, shared])))
  }

  @Test(arguments: 2...5) func everyKindOfValueInEveryProtocol(_ number: Int) throws {
    let file = try FileBytes(at: TorchFixture.path("values\(number).pkl"))
    #expect(try PickleReader.read(file) == Self.values)
  }

  /// What Python 2 wrote: strings of unknown encoding, and an ordered dictionary as a list of pairs.
  @Test func pythonTwo() throws {
    let bytes =
      Array("\u{80}\u{2}ccollections\nOrderedDict\n".unicodeScalars.map { UInt8($0.value) })
      + Array("]q\u{0}(]q\u{1}(U\u{1}aK\u{1}e]q\u{2}(T\u{2}\u{0}\u{0}\u{0}".utf8) + [0xC3, 0xA9]
      + Array("U\u{1}".utf8) + [0xFF] + [0x65, 0x65, 0x85] + Array("R.".utf8)
    #expect(
      try Self.read(bytes)
        == Self.dictionary((.text("a"), .integer(1)), (.text("é"), .bytes([0xFF]))))
  }

  @Test func numbersOfAnyLength() throws {
    for (bytes, value): ([UInt8], Value) in [
      ([], .integer(0)), ([0], .integer(0)), ([0xFF], .integer(-1)), ([0x80], .integer(-128)),
      ([0x80, 0], .integer(128)), ([0xFF, 0xFF, 0xFF], .integer(-1)),
      ([1] + [UInt8](repeating: 0, count: 20), .integer(1)),
      ([0xFE] + [UInt8](repeating: 0xFF, count: 20), .integer(-2)),
      ([0, 0, 0, 0, 0, 0, 0, 0x80], .integer(.min)),
      ([0, 0, 0, 0, 0, 0, 0, 0x80, 0xFF], .integer(.min)),
    ] {
      #expect(try Self.read([0x80, 2, 0x8A, UInt8(bytes.count)] + bytes + [0x2E]) == value)
    }
  }

  /// As deep as is allowed, in whatever order parts are met.
  @Test func depthUpToTheLimit() throws {
    let deepest = PickleReader.maximumDepth
    func nested(_ count: Int) -> [UInt8] {
      [0x80, 2, 0x29] + [UInt8](repeating: 0x85, count: count) + [0x2E]
    }
    #expect(throws: Never.self) { try Self.read(nested(deepest)) }
    #expect(throws: PickleError("hand", .tooDeep(limit: deepest))) {
      try Self.read(nested(deepest + 1))
    }
  }

  @Test func attributesOfDictionariesArePassedOver() throws {
    let ordered = Array("ccollections\nOrderedDict\n)R".utf8)
    let state = Array("}X\u{9}\u{0}\u{0}\u{0}_metadata}sb.".utf8)
    #expect(try Self.read([0x80, 2] + ordered + state) == .dictionary([]))
  }
}
