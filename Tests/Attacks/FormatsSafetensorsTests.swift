import ResidualFormats
import ResidualTensors
import Testing

@Suite struct FormatsSafetensorsAttacks {
  struct Attack: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let problem: SafetensorsProblem

    init(_ name: String, _ bytes: [UInt8], _ problem: SafetensorsProblem) {
      (testDescription, self.bytes, self.problem) = (name, bytes, problem)
    }

    init(_ name: String, _ header: String, data: Int = 0, _ problem: SafetensorsProblem) {
      self.init(name, file(Array(header.utf8), data: data), problem)
    }

    /// A file with one tensor `t` of the fields given.
    init(_ name: String, tensor fields: String, data: Int = 0, _ problem: SafetensorsProblem) {
      self.init(name, "{\"t\":{\(fields)}}", data: data, problem)
    }
  }

  static func file(_ header: [UInt8], data: Int = 0, length: UInt64? = nil) -> [UInt8] {
    let length = length ?? UInt64(header.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header
      + [UInt8](repeating: 0, count: data)
  }

  static func tensor(_ name: String, _ begin: Int, _ end: Int) -> String {
    "\"\(name)\":{\"dtype\":\"U8\",\"shape\":[\(end - begin)],\"data_offsets\":[\(begin),\(end)]}"
  }

  static let frame: [Attack] = [
    Attack("no bytes", [UInt8](), .tooShort(byteCount: 0)),
    Attack("seven bytes", [1, 0, 0, 0, 0, 0, 0], .tooShort(byteCount: 7)),
    Attack(
      "header above the limit", file([0x7B], length: 100_000_001),
      .headerTooLong(byteCount: 100_000_001)),
    Attack(
      "header of all ones", file([0x7B], length: .max), .headerTooLong(byteCount: .max)),
    Attack(
      "header behind the end", file([0x7B, 0x7D], length: 3),
      .headerBeyondEnd(byteCount: 3, available: 2)),
    Attack("empty header", "", .headerStart),
    Attack("space before the header", " {}", .headerStart),
    Attack("array as header", "[]", .headerStart),
    Attack("byte order mark", "\u{FEFF}{}", .headerStart),
    Attack("second object", "{}{}", .headerTrailing(offset: 10)),
    Attack("zero byte as padding", "{}\0", .headerTrailing(offset: 10)),
  ]

  /// Marks behind a letter in an order that comparing has to change.
  private static let marks = String(repeating: "\u{301}\u{316}", count: 100_000)

  static let text: [Attack] = [
    Attack("open header", "{", .headerEnds(expected: "a string as key")),
    Attack(
      "name that takes long to compare",
      "{\"e" + String(repeating: "\u{301}", count: 200_000) + "\":{}}", .nameTooLong(offset: 9)),
    Attack(
      "type that takes long to compare", "{\"t\":{\"dtype\":\"F" + marks + "\"}}",
      .unknownType(tensor: "t", type: "F" + marks)),
    Attack("open string", "{\"abc", .headerEnds(expected: "'\"'")),
    Attack(
      "comma before the end", "{" + tensor("t", 0, 1) + ",}", data: 1,
      .unexpected(byte: 0x7D, offset: 61, expected: "a string as key")),
    Attack(
      "no colon", "{\"t\" 1}", .unexpected(byte: 0x31, offset: 13, expected: "':'")),
    Attack("bare key", "{t:1}", .unexpected(byte: 0x74, offset: 9, expected: "a string as key")),
    Attack(
      "number as tensor", "{\"t\":1}", .unexpected(byte: 0x31, offset: 13, expected: "'{'")),
    Attack(
      "nesting", "{\"t\":" + String(repeating: "[", count: 1_000_000),
      .unexpected(byte: 0x5B, offset: 13, expected: "'{'")),
    Attack(
      "nested objects", String(repeating: "{\"a\":", count: 100_000),
      .unknownField(tensor: "a", field: "a")),
    Attack("control character", "{\"a\n\":1}", .controlCharacter(offset: 11)),
    Attack("zero in a name", "{\"a\0\":1}", .controlCharacter(offset: 11)),
    Attack("unknown escape", #"{"\x41":1}"#, .invalidEscape(offset: 10)),
    Attack("short escape", #"{"\u00"}"#, .invalidEscape(offset: 10)),
    Attack("lone high surrogate", #"{"\ud800x":1}"#, .loneSurrogate(offset: 10)),
    Attack("two high surrogates", #"{"\ud800\ud800":1}"#, .loneSurrogate(offset: 10)),
    Attack("lone low surrogate", #"{"\udc00":1}"#, .loneSurrogate(offset: 10)),
    Attack("not UTF-8", file([0x7B, 0x22, 0xC3, 0x28, 0x22]), .invalidText(offset: 9)),
    Attack("overlong UTF-8", file([0x7B, 0x22, 0xC0, 0x80, 0x22]), .invalidText(offset: 9)),
    Attack(
      "surrogate in UTF-8", file([0x7B, 0x22, 0xED, 0xA0, 0x80, 0x22]), .invalidText(offset: 9)),
  ]

  static let members: [Attack] = [
    Attack(
      "one name twice", "{" + tensor("t", 0, 1) + "," + tensor("t", 1, 2) + "}", data: 2,
      .duplicateTensor("t")),
    Attack(
      "one name twice by an escape",
      "{" + tensor("t", 0, 1) + "," + tensor("\\u0074", 1, 2) + "}", data: 2,
      .duplicateTensor("t")),
    Attack("metadata twice", #"{"__metadata__":{},"__metadata__":{}}"#, .duplicateMetadata),
    Attack(
      "metadata key twice", #"{"__metadata__":{"a":"1","a":"2"}}"#, .duplicateMetadataKey("a")),
    Attack(
      "number in the metadata", #"{"__metadata__":{"a":1}}"#,
      .unexpected(byte: 0x31, offset: 29, expected: "a text, as every value of the metadata")),
    Attack(
      "no metadata", #"{"__metadata__":null}"#,
      .unexpected(byte: 0x6E, offset: 24, expected: "'{'")),
    Attack(
      "field twice", tensor: #""dtype":"U8","dtype":"U8""#,
      .duplicateField(tensor: "t", field: "dtype")),
    Attack(
      "shape twice", tensor: #""shape":[],"shape":[]"#,
      .duplicateField(tensor: "t", field: "shape")),
    Attack(
      "unknown field", tensor: #""strides":[1]"#, .unknownField(tensor: "t", field: "strides")),
    Attack(
      "no type", tensor: #""shape":[0],"data_offsets":[0,0]"#,
      .missingField(tensor: "t", field: "dtype")),
    Attack(
      "no shape", tensor: #""dtype":"U8","data_offsets":[0,0]"#,
      .missingField(tensor: "t", field: "shape")),
    Attack(
      "no offsets", tensor: #""dtype":"U8","shape":[0]"#,
      .missingField(tensor: "t", field: "data_offsets")),
    Attack("unknown type", tensor: #""dtype":"F128""#, .unknownType(tensor: "t", type: "F128")),
    Attack(
      "type in small letters", tensor: #""dtype":"f32""#, .unknownType(tensor: "t", type: "f32")),
    Attack(
      "type as number", tensor: #""dtype":1"#,
      .unexpected(byte: 0x31, offset: 22, expected: "the name of an element type")),
  ]

  static let numbers: [Attack] = [
    Attack(
      "negative extent", tensor: #""shape":[-1]"#,
      .unexpected(byte: 0x2D, offset: 23, expected: "a whole number without a sign")),
    Attack(
      "fraction", tensor: #""shape":[1.0]"#,
      .unexpected(byte: 0x2E, offset: 24, expected: "',' or ']'")),
    Attack(
      "exponent", tensor: #""shape":[1e3]"#,
      .unexpected(byte: 0x65, offset: 24, expected: "',' or ']'")),
    Attack(
      "leading zero", tensor: #""shape":[01]"#,
      .unexpected(byte: 0x31, offset: 24, expected: "',' or ']'")),
    Attack(
      "extent above 64 bits", tensor: #""shape":[99999999999999999999]"#,
      .numberTooLarge(offset: 23)),
    Attack(
      "extent above Int", tensor: #""shape":[9223372036854775808]"#, .numberTooLarge(offset: 23)),
    Attack(
      "65 axes",
      tensor: "\"shape\":[" + Array(repeating: "1", count: 65).joined(separator: ",") + "]",
      .rankTooHigh(tensor: "t")),
    Attack(
      "product above Int",
      tensor: #""dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]"#,
      .sizeOverflow(tensor: "t", extents: [1 << 32, 1 << 32])),
    Attack(
      "product above Int behind a zero",
      tensor: #""dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]"#,
      .sizeOverflow(tensor: "t", extents: [0, 1 << 32, 1 << 32])),
    Attack(
      "bits above Int",
      tensor: #""dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]"#,
      .sizeOverflow(tensor: "t", extents: [1 << 62])),
    Attack(
      "half a byte", tensor: #""dtype":"F4","shape":[3],"data_offsets":[0,2]"#, data: 2,
      .fractionOfByte(tensor: "t", bitCount: 12)),
    Attack(
      "one offset", tensor: #""dtype":"U8","shape":[0],"data_offsets":[0]"#,
      .wrongOffsets(tensor: "t")),
    Attack(
      "three offsets", tensor: #""dtype":"U8","shape":[0],"data_offsets":[0,0,0]"#,
      .wrongOffsets(tensor: "t")),
    Attack(
      "reversed offsets", tensor: #""dtype":"U8","shape":[1],"data_offsets":[1,0]"#, data: 1,
      .offsetsReversed(tensor: "t", begin: 1, end: 0)),
    Attack(
      "too few bytes for the shape", tensor: #""dtype":"F32","shape":[2],"data_offsets":[0,4]"#,
      data: 4, .sizeMismatch(tensor: "t", expected: 8, found: 4)),
  ]

  static let data: [Attack] = [
    Attack(
      "behind the end", "{" + tensor("t", 0, 2) + "}", data: 1,
      .beyondEnd(tensor: "t", end: 2, available: 1)),
    Attack(
      "largest offsets",
      tensor: #""dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]"#,
      data: 1, .beyondEnd(tensor: "t", end: .max, available: 1)),
    Attack(
      "hole at the start", "{" + tensor("t", 1, 2) + "}", data: 2,
      .hole(before: "t", begin: 0, end: 1)),
    Attack(
      "hole in the middle", "{" + tensor("a", 0, 1) + "," + tensor("b", 2, 3) + "}", data: 3,
      .hole(before: "b", begin: 1, end: 2)),
    Attack(
      "overlap", "{" + tensor("a", 0, 2) + "," + tensor("b", 1, 3) + "}", data: 3,
      .overlap(tensor: "b", begin: 1, previousEnd: 2)),
    Attack(
      "one place for two", "{" + tensor("a", 0, 2) + "," + tensor("b", 0, 2) + "}", data: 2,
      .overlap(tensor: "b", begin: 0, previousEnd: 2)),
    Attack(
      "empty tensor inside another", "{" + tensor("a", 0, 2) + "," + tensor("b", 1, 1) + "}",
      data: 2, .overlap(tensor: "b", begin: 1, previousEnd: 2)),
    Attack(
      "bytes behind the last", "{" + tensor("t", 0, 1) + "}", data: 3,
      .unusedData(begin: 1, end: 3)),
    Attack("data without tensors", "{}", data: 1, .unusedData(begin: 0, end: 1)),
  ]

  @Test(arguments: frame + text + members + numbers + data)
  func isRefused(_ attack: Attack) {
    let refusal = refusal(of: attack.bytes, by: SafetensorsError.self, factor: 4) {
      _ = try Safetensors($0)
    }
    guard let error = refusal else { return }
    if attack.testDescription == "one place for two" {
      guard case .overlap(_, 0, 2) = error.problem else {
        Issue.record("\(error)")
        return
      }
    } else {
      #expect(error.problem == attack.problem)
    }
  }

  @Test func aNameCannotBreakTheMessage() {
    let name = #"\u001b[2J\n\u202e"# + String(repeating: "x", count: 100_000)
    let bytes = Self.file(Array("{\"\(name)\":{\"dtype\":\"?\"}}".utf8))
    let error = #expect(throws: SafetensorsError.self) {
      try Safetensors(FileBytes(bytes, name: "hostile"))
    }
    if let error { expectGoodMessage(error) }
  }

  @Test func whatCannotBeReadIsRefusedByName() throws {
    let bytes = Self.file(
      Array(#"{"t":{"dtype":"C64","shape":[],"data_offsets":[0,8]}}"#.utf8), data: 8)
    let file = try Safetensors(FileBytes(bytes, name: "hostile"))
    #expect(
      throws: SafetensorsError(
        "hostile", .notConvertible(tensor: "t", type: .complex64, to: "float32"))
    ) { try file.floats("t") }
    #expect(throws: SafetensorsError("hostile", .noSuchTensor("u", count: 1))) {
      try file.integers("u")
    }
  }
}
