import ResidualFormats
import ResidualFuzzSupport
import ResidualTestSupport
import Testing

@Suite struct FormatsPickleAttacks {
  struct Attack: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let problem: PickleProblem

    /// A pickle of protocol 2 that ends behind `body`.
    init(_ name: String, _ body: [UInt8], _ problem: PickleProblem) {
      self.init(name, whole: Pickle.proto + body + Pickle.stop, problem)
    }

    init(_ name: String, whole bytes: [UInt8], _ problem: PickleProblem) {
      (testDescription, self.bytes, self.problem) = (name, bytes, problem)
    }
  }

  static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  static let stream: [Attack] = [
    Attack("no bytes", whole: [], .missingProtocol(offset: 0)),
    Attack("one byte", whole: [0x80], .missingProtocol(offset: 0)),
    Attack("protocol 0", whole: bytes("(lp0\n."), .missingProtocol(offset: 0)),
    Attack("protocol 1", whole: [0x80, 1, 0x4E, 0x2E], .unknownProtocol(1, offset: 0)),
    Attack("protocol 6", whole: [0x80, 6, 0x4E, 0x2E], .unknownProtocol(6, offset: 0)),
    Attack("no end", whole: Pickle.proto + Pickle.none, .missingStop(offset: 3)),
    Attack("only a start", whole: Pickle.proto, .missingStop(offset: 2)),
    Attack("no value", [], .leftOver(count: 0)),
    Attack("two values", Pickle.none + Pickle.none, .leftOver(count: 2)),
    Attack("open mark", Pickle.none + Pickle.mark, .leftOver(count: 2)),
    Attack("protocol twice", Pickle.proto, .refusedOperation("PROTO in the middle", offset: 2)),
    Attack("unknown operation", [0xFF], .unknownOperation(0xFF, offset: 2)),
    Attack("zero byte", [0], .unknownOperation(0, offset: 2)),
    Attack(
      "cut number", whole: Pickle.proto + [0x4A, 1, 2],
      .truncated(operation: "BININT", offset: 2)),
    Attack(
      "cut floating point", whole: Pickle.proto + bytes("G1234567"),
      .truncated(operation: "BINFLOAT", offset: 2)),
    Attack(
      "cut length", whole: Pickle.proto + bytes("X12"),
      .truncated(operation: "BINUNICODE", offset: 2)),
    Attack(
      "frame behind the end", [0x95] + littleEndian(UInt64(2)),
      .lengthBeyondEnd(2, offset: 2, available: 1)),
    Attack(
      "frame of 2⁶⁴ − 1 bytes", [0x95] + littleEndian(UInt64.max),
      .lengthBeyondEnd(.max, offset: 2, available: 1)),
    Attack(
      "text of four gigabytes", bytes("X") + littleEndian(UInt32.max),
      .lengthBeyondEnd(0xFFFF_FFFF, offset: 2, available: 1)),
    Attack(
      "text of 2⁶⁴ − 1 bytes", [0x8D] + littleEndian(UInt64.max),
      .lengthBeyondEnd(.max, offset: 2, available: 1)),
    Attack(
      "bytes of 2⁶³ bytes", [0x8E] + littleEndian(UInt64(1) << 63),
      .lengthBeyondEnd(1 << 63, offset: 2, available: 1)),
    Attack(
      "string of −1 bytes", bytes("T") + littleEndian(Int32(-1)),
      .negativeLength(-1, offset: 2)),
    Attack(
      "number of −1 bytes", [0x8B] + littleEndian(Int32(-1)), .negativeLength(-1, offset: 2)),
    Attack(
      "number of −2³¹ bytes", [0x8B] + littleEndian(Int32.min),
      .negativeLength(Int(Int32.min), offset: 2)),
    Attack(
      "number of two gigabytes", [0x8B] + littleEndian(Int32.max),
      .lengthBeyondEnd(UInt64(Int32.max), offset: 2, available: 1)),
    Attack(
      "number of a million digits",
      [0x8B] + littleEndian(Int32(500_000)) + [UInt8](repeating: 1, count: 500_000),
      .numberTooLong(byteCount: 500_000, offset: 2)),
    Attack("text that is not UTF-8", [0x8C, 2, 0xC3, 0x28], .invalidText(offset: 2)),
    Attack("half a surrogate pair", [0x8C, 3, 0xED, 0xA0, 0x80], .invalidText(offset: 2)),
  ]

  static let code: [Attack] = [
    Attack(
      "os.system", Pickle.global("os", "system") + Pickle.text("id") + [0x85] + Pickle.reduce,
      .forbiddenGlobal(module: "os", name: "system", offset: 2)),
    Attack(
      "posix.system", Pickle.global("posix", "system"),
      .forbiddenGlobal(module: "posix", name: "system", offset: 2)),
    Attack(
      "os.system from the stack",
      whole: [0x80, 4] + Pickle.text("os") + Pickle.text("system") + [0x93] + Pickle.stop,
      .forbiddenGlobal(module: "os", name: "system", offset: 20)),
    Attack(
      "os.system through a longer name",
      whole: [0x80, 4] + Pickle.text("torch") + Pickle.text("os.system") + [0x93] + Pickle.stop,
      .forbiddenGlobal(module: "torch", name: "os.system", offset: 26)),
    Attack(
      "os.system by INST", Pickle.mark + Pickle.text("id") + bytes("ios\nsystem\n"),
      .refusedOperation("INST", offset: 10)),
    Attack(
      "an object by OBJ", Pickle.mark + Pickle.global("collections", "OrderedDict") + bytes("o"),
      .refusedOperation("OBJ", offset: 28)),
    Attack("extension of one byte", [0x82, 1], .refusedOperation("EXT1", offset: 2)),
    Attack("extension of two bytes", [0x83, 1, 0], .refusedOperation("EXT2", offset: 2)),
    Attack("extension of four bytes", [0x84, 1, 0, 0, 0], .refusedOperation("EXT4", offset: 2)),
    Attack("PERSID", bytes("Pkey\n"), .refusedOperation("PERSID", offset: 2)),
    Attack(
      "an object with keywords", [0x92], .refusedOperation("NEWOBJ_EX", offset: 2)),
    Attack("buffer from outside", [0x97], .refusedOperation("NEXT_BUFFER", offset: 2)),
    Attack("number as text", bytes("I1\n"), .refusedOperation("INT", offset: 2)),
    Attack(
      "builtins.eval", Pickle.global("builtins", "eval"),
      .forbiddenGlobal(module: "builtins", name: "eval", offset: 2)),
    Attack(
      "builtins.getattr", Pickle.global("__builtin__", "getattr"),
      .forbiddenGlobal(module: "__builtin__", name: "getattr", offset: 2)),
    Attack(
      "a function of torch", Pickle.global("torch.hub", "load"),
      .forbiddenGlobal(module: "torch.hub", name: "load", offset: 2)),
    Attack(
      "an unknown storage", Pickle.global("torch", "QInt8Storage"),
      .forbiddenGlobal(module: "torch", name: "QInt8Storage", offset: 2)),
    Attack(
      "a name with a dot in the middle", Pickle.global("collections.OrderedDict", ""),
      .forbiddenGlobal(module: "collections.OrderedDict", name: "", offset: 2)),
    Attack(
      "name without an end", whole: Pickle.proto + bytes("cos"),
      .truncated(operation: "GLOBAL", offset: 2)),
    Attack(
      "name of a mebibyte", Pickle.global(String(repeating: "a", count: 1 << 20), "b"),
      .invalidName(offset: 3)),
    Attack(
      "name that takes long to compare",
      Pickle.text("torch") + Pickle.text("e" + String(repeating: "\u{301}", count: 100_000)) + [
        0x93
      ],
      .invalidName(offset: 200_018)),
    Attack("name that is not UTF-8", [0x63, 0xC3, 0x28, 10, 10], .invalidName(offset: 3)),
    Attack(
      "names that are no texts", Pickle.none + Pickle.none + [0x93],
      .wrongOperand(operation: "STACK_GLOBAL", expected: "two texts", offset: 4)),
    Attack(
      "call of a text", Pickle.text("f") + Pickle.unit + Pickle.reduce,
      .wrongOperand(operation: "REDUCE", expected: "a function", offset: 9)),
    Attack(
      "call of a type", Pickle.global("torch", "FloatStorage") + Pickle.unit + Pickle.reduce,
      .wrongArguments(function: "torch's storage of float32", offset: 23)),
    Attack(
      "call without a tuple",
      Pickle.global("collections", "OrderedDict") + Pickle.list + Pickle.reduce,
      .wrongArguments(function: "collections.OrderedDict", offset: 28)),
    Attack(
      "an object of a function", Pickle.global("_codecs", "encode") + Pickle.unit + [0x81],
      .wrongOperand(operation: "NEWOBJ", expected: "a class of plain data", offset: 19)),
    Attack(
      "state of a text", Pickle.text("f") + Pickle.dictionary + Pickle.build,
      .wrongOperand(
        operation: "BUILD", expected: "a dictionary and its attributes", offset: 9)),
    Attack(
      "state of a function", Pickle.global("torch", "Size") + Pickle.dictionary + Pickle.build,
      .wrongOperand(
        operation: "BUILD", expected: "a dictionary and its attributes", offset: 15)),
    Attack(
      "state of a tensor that sets its data",
      Pickle.tensor() + Pickle.integers([0, 0, 0]) + Pickle.build,
      .wrongArguments(function: "torch.nn.parameter.Parameter", offset: 191)),
    Attack(
      "a parameter of a text",
      Pickle.global("torch.nn.parameter", "Parameter") + Pickle.text("w") + [0x85]
        + Pickle.reduce,
      .wrongArguments(function: "torch.nn.parameter.Parameter", offset: 39)),
    Attack(
      "a bare function", Pickle.global("_codecs", "encode"),
      .unfinished("the bare name _codecs.encode")),
    Attack("a bare storage", Pickle.storage(), .unfinished("a storage without a tensor")),
  ]

  @Test(arguments: stream + code + machine + values)
  func isRefused(_ attack: Attack) { expectRefusal(of: attack, factor: Self.bytesOfAnOperation) }

  @Test(arguments: texts)
  func textsAreNotCompared(_ attack: Attack) { expectRefusal(of: attack, factor: 4) }

  /// What an operation of one byte may take at the most: an object with its place in the table, on the
  /// stack and among the marks, in arrays that double, and the same in the value.
  private static let bytesOfAnOperation = 300

  private func expectRefusal(of attack: Attack, factor: Int) {
    let refusal = refusal(of: attack.bytes, by: PickleError.self, factor: factor) {
      _ = try PickleReader.read($0)
    }
    #expect(refusal?.problem == attack.problem)
  }

  @Test func longPickleIsRefused() {
    func text(_ count: Int) -> [UInt8] {
      [0x8D] + littleEndian(UInt64(count)) + [UInt8](repeating: 0, count: count)
    }
    #expect(throws: PickleError("hostile", .tooLong(byteCount: 65 << 20))) {
      try PickleReader.read(FileBytes(Pickle.proto + text(65 << 20) + Pickle.stop, name: "hostile"))
    }
    let bytes = Pickle.proto + text(40 << 20) + text(30 << 20) + Pickle.stop
    #expect(throws: PickleError("hostile", .tooLong(byteCount: 20 + 70 << 20))) {
      try PickleReader.read(FileBytes(bytes, name: "hostile"))
    }
  }

  /// Steps on a high stack, none of which may copy it: each body is repeated, on top of what the one
  /// before left. Twice as many must take about twice the memory; with copies they take four times.
  @Test(
    .enabled(if: Allocation.isCounted, "allocations are not counted here"),
    arguments: [
      (
        "storages", Pickle.storage().dropLast() + Pickle.put(0) + Array("Q".utf8),
        Pickle.get(0) + Array("Q".utf8)
      ),
      ("names", [], Pickle.text("torch") + Pickle.text("Size") + [0x93]),
      (
        "objects", Pickle.global("argparse", "Namespace") + Pickle.put(0),
        Pickle.get(0) + Pickle.unit + [0x81] + Pickle.dictionary + Pickle.build
      ),
      (
        "calls", Pickle.global("torch", "device") + Pickle.put(0),
        Pickle.get(0) + Pickle.unit + Pickle.reduce
      ),
      ("tuples", [], Array("NNN".utf8) + [0x87]), ("marked tuples", [], Array("(Nt".utf8)),
      ("lists", [], Array("](NNe".utf8)),
      ("members", [], Array("}K\u{1}Ns".utf8)),
    ] as [(String, [UInt8], [UInt8])])
  func stepsDoNotCopyTheStack(_ name: String, _ start: [UInt8], _ step: [UInt8]) {
    let growth = Allocation.growth(of: 4_000) { count in
      let bytes = Pickle.proto + start + Self.repeated(step, count) + Pickle.stop
      let error = #expect(throws: PickleError.self) {
        try PickleReader.read(FileBytes(bytes, name: "hostile"))
      }
      guard case .leftOver? = error?.problem else {
        Issue.record("\(error.map { "\($0)" } ?? "no error")")
        return
      }
    }
    #expect(growth < 2.5, "\(name)")
  }
}
