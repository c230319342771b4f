import ResidualTensors

/// A `.npy` file that cannot be read, and why.
package typealias NumPyError = FormatError<NumPyProblem>

/// What can be wrong with a `.npy` file. Offsets count from the start of the file.
package enum NumPyProblem: Error, Equatable, Sendable, CustomStringConvertible {
  case notNumPy
  case truncatedHeader(byteCount: Int)
  case unknownVersion(major: UInt8, minor: UInt8)
  case headerTooLong(byteCount: Int)
  case unexpected(offset: Int, expected: String)
  case unknownKey(String, offset: Int)
  case duplicateKey(String)
  case missingKey(String)
  case unsupportedType(String)
  case columnMajor
  case rankTooHigh
  case numberTooLarge(offset: Int)
  case sizeOverflow
  case sizeMismatch(expected: Int, found: Int)

  package var description: String {
    switch self {
    case .notNumPy: "not a .npy file; it does not start with the byte 93 and NUMPY"
    case .truncatedHeader(let byteCount):
      "the file is cut off inside its header, after \(byteCount) bytes; fetch or save it again"
    case .unknownVersion(let major, let minor):
      "version \(major).\(minor) of the .npy format is unknown; save the array as version 1.0"
    case .headerTooLong(let byteCount):
      "the header has \(byteCount) bytes, more than \(NumPyArray.maximumHeaderLength); "
        + "save a plain array"
    case .unexpected(let offset, let expected):
      "byte \(offset) of the header is not \(expected); save the array again with numpy.save"
    case .unknownKey(let key, let offset):
      "the header has the unknown key '\(Printable(key))' at byte \(offset); "
        + "save the array again with numpy.save"
    case .duplicateKey(let key): "the header has the key \(key) twice; save the array again"
    case .missingKey(let key): "the header has no key \(key); save the array again"
    case .unsupportedType(let type):
      "the element type '\(Printable(type))' is not read; convert with astype to "
        + "float32, float64 or int64"
    case .columnMajor: "the array is column-major; convert it with numpy.ascontiguousarray"
    case .rankTooHigh: "the array has more than \(NumPyArray.maximumRank) axes; reshape it"
    case .numberTooLarge(let offset): "the number at byte \(offset) is too large; save it again"
    case .sizeOverflow: "the array is larger than any memory; save it again"
    case .sizeMismatch(let expected, let found):
      "the shape needs \(expected) bytes of elements, but the file has \(found); "
        + "fetch or save it again"
    }
  }
}

/// The parser of the header: exactly the dictionary that ``NumPyArray`` describes.
struct NumPyHeader {
  enum Element: String, CaseIterable {
    case float32 = "<f4"
    case float64 = "<f8"
    case int64 = "<i8"

    var size: Int { self == .float32 ? 4 : 8 }
  }

  let type: Element
  let shape: Shape
  /// Where the elements lie in the file.
  let range: Range<Int>

  private enum Key: String {
    case type = "descr"
    case order = "fortran_order"
    case shape
  }

  init(_ file: FileBytes) throws(NumPyProblem) {
    var cursor = try Self.frame(file)
    var typeName: String?
    var isColumnMajor: Bool?
    var extents: [Int]?
    try cursor.expect("{", "'{'")
    while !cursor.takesAfterSpace("}") {
      let offset = cursor.offset
      let name = try cursor.quoted("a key in quotation marks")
      guard let key = Key(rawValue: name) else { throw .unknownKey(name, offset: offset) }
      try cursor.expect(":", "':'")
      switch key {
      case .type:
        guard typeName == nil else { throw .duplicateKey(name) }
        typeName = try cursor.quoted("an element type in quotation marks")
      case .order:
        guard isColumnMajor == nil else { throw .duplicateKey(name) }
        isColumnMajor = try cursor.truth()
      case .shape:
        guard extents == nil else { throw .duplicateKey(name) }
        extents = try cursor.tuple()
      }
      if !cursor.takesAfterSpace(",") {
        try cursor.expect("}", "',' or '}'")
        break
      }
    }
    cursor.take { $0 == 0x20 || $0 == 0x0A }
    guard cursor.peek == nil else {
      throw .unexpected(offset: cursor.offset, expected: "a space behind the end")
    }

    guard let typeName else { throw .missingKey(Key.type.rawValue) }
    guard let isColumnMajor else { throw .missingKey(Key.order.rawValue) }
    guard let extents else { throw .missingKey(Key.shape.rawValue) }
    guard let type = Element(rawValue: typeName) else { throw .unsupportedType(typeName) }
    // With at most one axis the two orders are the same.
    guard !isColumnMajor || extents.count < 2 else { throw .columnMajor }
    guard let count = Shape.checkedCount(extents),
      case (let byteCount, false) = count.multipliedReportingOverflow(by: type.size)
    else { throw .sizeOverflow }
    guard byteCount == file.count - cursor.end else {
      throw .sizeMismatch(expected: byteCount, found: file.count - cursor.end)
    }
    self.type = type
    shape = Shape(extents)
    range = cursor.end..<file.count
  }

  /// The place of the header's text.
  private static func frame(_ file: FileBytes) throws(NumPyProblem) -> ByteCursor {
    guard file.has(NumPyArray.magic) else { throw .notNumPy }
    guard let major = file.integer(UInt8.self, at: 6), let minor = file.integer(UInt8.self, at: 7)
    else { throw .truncatedHeader(byteCount: file.count) }
    guard (1...3).contains(major), minor == 0 else {
      throw .unknownVersion(major: major, minor: minor)
    }
    let start = major == 1 ? 10 : 12
    let length =
      major == 1
      ? file.integer(UInt16.self, at: 8).map { Int($0) }
      : file.integer(UInt32.self, at: 8).map { Int($0) }
    guard let length else { throw .truncatedHeader(byteCount: file.count) }
    guard length <= NumPyArray.maximumHeaderLength else {
      throw .headerTooLong(byteCount: length)
    }
    guard length <= file.count - start else { throw .truncatedHeader(byteCount: file.count) }
    return ByteCursor(file, start..<start + length)
  }
}

// The parts of Python that occur.
extension ByteCursor {
  fileprivate mutating func takesAfterSpace(_ character: Unicode.Scalar) -> Bool {
    take { $0 == 0x20 }
    return take(UInt8(ascii: character))
  }

  fileprivate mutating func expect(
    _ character: Unicode.Scalar, _ expected: String
  ) throws(NumPyProblem) {
    guard takesAfterSpace(character) else {
      throw .unexpected(offset: offset, expected: expected)
    }
  }

  /// A string without escapes, in either kind of quotation marks.
  fileprivate mutating func quoted(_ expected: String) throws(NumPyProblem) -> String {
    take { $0 == 0x20 }
    let start = offset
    guard let mark = peek, mark == UInt8(ascii: "'") || mark == UInt8(ascii: "\""), take(mark)
    else { throw .unexpected(offset: start, expected: expected) }
    let range = take { $0 != mark && $0 != UInt8(ascii: "\\") && $0 >= 0x20 }
    guard let text = file.text(in: range), take(mark) else {
      throw .unexpected(offset: start, expected: expected)
    }
    return text
  }

  fileprivate mutating func truth() throws(NumPyProblem) -> Bool {
    take { $0 == 0x20 }
    let word = take { (UInt8(ascii: "A")...UInt8(ascii: "z")).contains($0) }
    switch file.text(in: word) {
    case "True": return true
    case "False": return false
    default: throw .unexpected(offset: word.lowerBound, expected: "True or False")
    }
  }

  fileprivate mutating func tuple() throws(NumPyProblem) -> [Int] {
    try expect("(", "a tuple")
    var extents: [Int] = []
    while !takesAfterSpace(")") {
      guard extents.count < NumPyArray.maximumRank else { throw .rankTooHigh }
      let (value, range) = takeNumber()
      guard !range.isEmpty else { throw .unexpected(offset: offset, expected: "a whole number") }
      guard let value else { throw .numberTooLarge(offset: range.lowerBound) }
      extents.append(value)
      if takesAfterSpace(",") { continue }
      // `(3)` is a number in brackets; a tuple of one number ends in a comma.
      guard extents.count > 1, takesAfterSpace(")") else {
        throw .unexpected(offset: offset, expected: "','")
      }
      break
    }
    return extents
  }
}
