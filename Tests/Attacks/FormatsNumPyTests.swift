import ResidualFormats
import ResidualFuzzSupport
import ResidualTensors
import Testing

@Suite struct FormatsNumPyAttacks {
  struct Attack: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let problem: NumPyProblem

    init(_ name: String, _ bytes: [UInt8], _ problem: NumPyProblem) {
      (testDescription, self.bytes, self.problem) = (name, bytes, problem)
    }

    init(_ name: String, _ header: String, data: Int = 0, _ problem: NumPyProblem) {
      self.init(name, file(header, data: data), problem)
    }
  }

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  static func file(_ header: String, data: Int = 0) -> [UInt8] {
    let count = header.utf8.count
    return magic + [1, 0, UInt8(count & 0xFF), UInt8(count >> 8)] + Array(header.utf8)
      + [UInt8](repeating: 0, count: data)
  }

  static func header(
    type: String = "'<f4'", order: String = "False", shape: String = "(2,)"
  ) -> String {
    "{'descr': \(type), 'fortran_order': \(order), 'shape': \(shape), }\n"
  }

  static let frame: [Attack] = [
    Attack("no bytes", [UInt8](), .notNumPy),
    Attack("another format", Array("PK\u{3}\u{4}xxxxxxxxxx".utf8), .notNumPy),
    Attack("first bytes only", magic, .truncatedHeader(byteCount: 6)),
    Attack("no length", magic + [1, 0, 5], .truncatedHeader(byteCount: 9)),
    Attack("no length in version 2", magic + [2, 0, 5, 0, 0], .truncatedHeader(byteCount: 11)),
    Attack("version 4", magic + [4, 0, 0, 0], .unknownVersion(major: 4, minor: 0)),
    Attack("version 1.1", magic + [1, 1, 0, 0], .unknownVersion(major: 1, minor: 1)),
    Attack("cut header", magic + [1, 0, 9, 0, 0x7B], .truncatedHeader(byteCount: 11)),
    Attack(
      "header of four gigabytes", magic + [2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x7B],
      .headerTooLong(byteCount: 0xFFFF_FFFF)),
  ]

  static let text: [Attack] = [
    Attack("no dictionary", "[]", .unexpected(offset: 10, expected: "'{'")),
    Attack("empty dictionary", "{}", .missingKey("descr")),
    Attack("no shape", "{'descr': '<f4', 'fortran_order': False}", .missingKey("shape")),
    Attack("no order", "{'descr': '<f4', 'shape': ()}", .missingKey("fortran_order")),
    Attack("unknown key", "{'x': 1}", .unknownKey("x", offset: 11)),
    Attack("key twice", "{'descr': '<f4', 'descr': '<f8'}", .duplicateKey("descr")),
    Attack(
      "code", "{'descr': __import__('os')}",
      .unexpected(offset: 20, expected: "an element type in quotation marks")),
    Attack(
      "record type", header(type: "[('a', '<f4')]"),
      .unexpected(offset: 20, expected: "an element type in quotation marks")),
    Attack(
      "open string", "{'descr", .unexpected(offset: 11, expected: "a key in quotation marks")),
    Attack(
      "escape in a string", "{'de\\x73cr': '<f4'}",
      .unexpected(offset: 11, expected: "a key in quotation marks")),
    Attack(
      "order as number", header(order: "0"), .unexpected(offset: 44, expected: "True or False")),
    Attack(
      "text behind the end", header() + "x",
      .unexpected(offset: 68, expected: "a space behind the end")),
    Attack("objects", header(type: "'|O'"), .unsupportedType("|O")),
    Attack("big-endian", header(type: "'>f4'"), .unsupportedType(">f4")),
    Attack("column-major", header(order: "True", shape: "(2, 2)"), data: 16, .columnMajor),
  ]

  static let shapes: [Attack] = [
    Attack("negative", header(shape: "(-1,)"), .unexpected(offset: 61, expected: "a whole number")),
    Attack("list", header(shape: "[2]"), .unexpected(offset: 60, expected: "a tuple")),
    Attack("bracket", header(shape: "(2)"), .unexpected(offset: 62, expected: "','")),
    Attack("nested", header(shape: "((2,),)"), .unexpected(offset: 61, expected: "a whole number")),
    Attack(
      "above Int", header(shape: "(99999999999999999999,)"), .numberTooLarge(offset: 61)),
    Attack("product above Int", header(shape: "(4294967296, 4294967296)"), .sizeOverflow),
    Attack(
      "product above Int behind a zero", header(shape: "(0, 4294967296, 4294967296)"),
      .sizeOverflow),
    Attack("bytes above Int", header(shape: "(4611686018427387904,)"), .sizeOverflow),
    Attack(
      "65 axes", header(shape: "(" + String(repeating: "1, ", count: 65) + ")"), .rankTooHigh),
    Attack("too few elements", header(), data: 7, .sizeMismatch(expected: 8, found: 7)),
    Attack("too many elements", header(), data: 9, .sizeMismatch(expected: 8, found: 9)),
    Attack(
      "a terabyte", header(shape: "(274877906944,)"), data: 8,
      .sizeMismatch(expected: 1 << 40, found: 8)),
  ]

  @Test(arguments: frame + text + shapes)
  func isRefused(_ attack: Attack) {
    let error = #expect(throws: NumPyError.self) {
      try NumPyArray(FileBytes(attack.bytes, name: "hostile"))
    }
    guard let error else { return }
    #expect(error.problem == attack.problem)
    expectGoodMessage(error)
  }

  @Test func mutationsNeverTrap() throws {
    let whole = Self.file(Self.header(shape: "(1, 2)"), data: 8)
    var mutator = Mutator("npy")
    var accepted = 0
    for _ in 0..<mutationCount {
      do {
        _ = try NumPyArray(FileBytes(mutator.mutate(whole), name: "hostile"))
        accepted += 1
      } catch {
        expectGoodMessage(error)
      }
    }
    #expect((mutationCount / 100..<mutationCount / 2).contains(accepted), "\(accepted)")
  }
}
