import ResidualTensors

/// The parser of the header: exactly the JSON that the format allows.
struct SafetensorsHeader {
  private(set) var metadata: [String: String] = [:]
  private var records: [Safetensors.Record] = []
  private var cursor: ByteCursor
  private let dataStart: Int

  private enum Field: String, CaseIterable {
    case type = "dtype"
    case shape
    case offsets = "data_offsets"
  }

  /// Checks the frame.
  init(_ file: FileBytes) throws(SafetensorsProblem) {
    guard let length = file.integer(UInt64.self, at: 0) else {
      throw .tooShort(byteCount: file.count)
    }
    guard length <= UInt64(Safetensors.maximumHeaderLength) else {
      throw .headerTooLong(byteCount: length)
    }
    let available = file.count - 8
    guard Int(length) <= available else {
      throw .headerBeyondEnd(byteCount: Int(length), available: available)
    }
    dataStart = 8 + Int(length)
    cursor = ByteCursor(file, 8..<dataStart)
    guard cursor.peek == UInt8(ascii: "{") else { throw .headerStart }
  }

  mutating func parse() throws(SafetensorsProblem) {
    var names: Set<String> = []
    var hasMetadata = false
    try parseObject { parser, key throws(SafetensorsProblem) in
      if key == Safetensors.metadataKey {
        guard !hasMetadata else { throw .duplicateMetadata }
        hasMetadata = true
        try parser.parseMetadata()
      } else {
        guard names.insert(key).inserted else { throw .duplicateTensor(key) }
        try parser.parseTensor(key)
      }
    }
    // The reference reader takes any JSON whitespace here.
    skipSpace()
    if cursor.peek != nil { throw .headerTrailing(offset: cursor.offset) }
  }

  /// The records in the order of the data, which they cover without holes or overlap.
  func checkedRecords() throws(SafetensorsProblem) -> [Safetensors.Record] {
    let sorted = records.sorted {
      ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
    }
    var end = dataStart
    for record in sorted {
      let begin = record.range.lowerBound
      guard begin >= end else {
        throw .overlap(
          tensor: record.name, begin: begin - dataStart, previousEnd: end - dataStart)
      }
      guard begin == end else {
        throw .hole(before: record.name, begin: end - dataStart, end: begin - dataStart)
      }
      end = record.range.upperBound
    }
    guard end == cursor.file.count else {
      throw .unusedData(begin: end - dataStart, end: cursor.file.count - dataStart)
    }
    return sorted
  }
}

extension SafetensorsHeader {
  private mutating func parseMetadata() throws(SafetensorsProblem) {
    try parseObject { parser, key throws(SafetensorsProblem) in
      let value = try parser.parseString("a text, as every value of the metadata")
      guard parser.metadata.updateValue(value, forKey: key) == nil else {
        throw .duplicateMetadataKey(key)
      }
    }
  }

  private mutating func parseTensor(_ name: String) throws(SafetensorsProblem) {
    var type: SafetensorsType?
    var extents: [Int]?
    var offsets: [Int]?
    try parseObject { parser, key throws(SafetensorsProblem) in
      switch Field(rawValue: key) {
      case .type:
        guard type == nil else { throw .duplicateField(tensor: name, field: key) }
        let text = try parser.parseString("the name of an element type")
        // Before anything is done that takes longer for a longer text.
        type = text.utf8.count <= 16 ? SafetensorsType(rawValue: text) : nil
        guard type != nil else { throw .unknownType(tensor: name, type: text) }
      case .shape:
        guard extents == nil else { throw .duplicateField(tensor: name, field: key) }
        extents = try parser.parseNumbers(
          atMost: Safetensors.maximumRank, otherwise: .rankTooHigh(tensor: name))
      case .offsets:
        guard offsets == nil else { throw .duplicateField(tensor: name, field: key) }
        offsets = try parser.parseNumbers(
          atMost: 2, otherwise: .wrongOffsets(tensor: name))
      case nil:
        throw .unknownField(tensor: name, field: key)
      }
    }
    guard let type else { throw .missingField(tensor: name, field: Field.type.rawValue) }
    guard let extents else { throw .missingField(tensor: name, field: Field.shape.rawValue) }
    guard let offsets else { throw .missingField(tensor: name, field: Field.offsets.rawValue) }
    guard offsets.count == 2 else { throw .wrongOffsets(tensor: name) }
    records.append(try record(name, type, extents, begin: offsets[0], end: offsets[1]))
  }

  private func record(
    _ name: String, _ type: SafetensorsType, _ extents: [Int], begin: Int, end: Int
  ) throws(SafetensorsProblem) -> Safetensors.Record {
    guard let count = Shape.checkedCount(extents),
      case (let bitCount, false) = count.multipliedReportingOverflow(by: type.bitCount)
    else { throw .sizeOverflow(tensor: name, extents: extents) }
    guard bitCount % 8 == 0 else { throw .fractionOfByte(tensor: name, bitCount: bitCount) }
    guard begin <= end else { throw .offsetsReversed(tensor: name, begin: begin, end: end) }
    guard bitCount / 8 == end - begin else {
      throw .sizeMismatch(tensor: name, expected: bitCount / 8, found: end - begin)
    }
    let available = cursor.file.count - dataStart
    guard end <= available else {
      throw .beyondEnd(tensor: name, end: end, available: available)
    }
    return Safetensors.Record(
      name: name, type: type, shape: Shape(extents), range: dataStart + begin..<dataStart + end)
  }
}

// The parts of JSON that occur.
extension SafetensorsHeader {
  private mutating func skipSpace() {
    cursor.take { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
  }

  private func unexpected(_ expected: String) -> SafetensorsProblem {
    guard let byte = cursor.peek else { return .headerEnds(expected: expected) }
    return .unexpected(byte: byte, offset: cursor.offset, expected: expected)
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsProblem) {
    skipSpace()
    guard cursor.take(UInt8(ascii: character)) else { throw unexpected("'\(character)'") }
  }

  /// Whether another item follows in an object or array that ends in `close`.
  private mutating func takesItem(
    first: Bool, close: Unicode.Scalar
  ) throws(SafetensorsProblem) -> Bool {
    skipSpace()
    if cursor.take(UInt8(ascii: close)) { return false }
    if !first {
      guard cursor.take(UInt8(ascii: ",")) else { throw unexpected("',' or '\(close)'") }
    }
    skipSpace()
    return true
  }

  private mutating func parseObject(
    member: (inout Self, String) throws(SafetensorsProblem) -> Void
  ) throws(SafetensorsProblem) {
    try expect("{")
    var first = true
    while try takesItem(first: first, close: "}") {
      first = false
      skipSpace()
      let start = cursor.offset
      let key = try parseString("a string as key")
      guard key.utf8.count <= FileBytes.maximumNameLength else {
        throw .nameTooLong(offset: start)
      }
      try expect(":")
      try member(&self, key)
    }
  }

  private mutating func parseNumbers(
    atMost limit: Int, otherwise problem: SafetensorsProblem
  ) throws(SafetensorsProblem) -> [Int] {
    try expect("[")
    var numbers: [Int] = []
    while try takesItem(first: numbers.isEmpty, close: "]") {
      guard numbers.count < limit else { throw problem }
      let (value, range) = cursor.takeNumber()
      guard !range.isEmpty else { throw unexpected("a whole number without a sign") }
      guard let value else { throw .numberTooLarge(offset: range.lowerBound) }
      numbers.append(value)
    }
    return numbers
  }

  private mutating func parseString(_ expected: String) throws(SafetensorsProblem) -> String {
    skipSpace()
    let start = cursor.offset
    guard cursor.take(UInt8(ascii: "\"")) else { throw unexpected(expected) }
    var result = ""
    while true {
      let plain = cursor.take { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
      guard let text = cursor.file.text(in: plain) else { throw .invalidText(offset: start) }
      result += text
      let offset = cursor.offset
      switch cursor.next() {
      case UInt8(ascii: "\""): return result
      case UInt8(ascii: "\\"): result.unicodeScalars.append(try parseEscape(offset))
      case nil: throw .headerEnds(expected: "'\"'")
      default: throw .controlCharacter(offset: offset)
      }
    }
  }

  private mutating func parseEscape(
    _ offset: Int
  ) throws(SafetensorsProblem) -> Unicode.Scalar {
    switch cursor.next() {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw .invalidEscape(offset: offset)
    }
    let high = try parseHexadecimal(offset)
    if let scalar = Unicode.Scalar(high) { return scalar }
    // A code point above U+FFFF is written as two halves: D800…DBFF, then DC00…DFFF.
    guard high < 0xDC00, cursor.take(UInt8(ascii: "\\")), cursor.take(UInt8(ascii: "u")) else {
      throw .loneSurrogate(offset: offset)
    }
    let low = try parseHexadecimal(offset)
    guard (0xDC00...0xDFFF).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
    else { throw .loneSurrogate(offset: offset) }
    return scalar
  }

  private mutating func parseHexadecimal(
    _ offset: Int
  ) throws(SafetensorsProblem) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      let digit = cursor.next().flatMap { Character(UnicodeScalar($0)).hexDigitValue }
      guard let digit else { throw .invalidEscape(offset: offset) }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
