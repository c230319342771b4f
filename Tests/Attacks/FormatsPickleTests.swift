import ResidualFormats
import Testing

/// Parts of pickles, by the names that Python gives their operations.
enum Pickle {
  static let proto: [UInt8] = [0x80, 2]
  static let stop = Array(".".utf8)
  static let mark = Array("(".utf8)
  static let none = Array("N".utf8)
  static let reduce = Array("R".utf8)
  static let build = Array("b".utf8)
  static let list = Array("]".utf8)
  static let dictionary = Array("}".utf8)
  static let unit = Array(")".utf8)
  static let tuple = Array("t".utf8)

  static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }
  static func text(_ text: String) -> [UInt8] {
    Array("X".utf8) + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8)
  }
  static func integer(_ number: Int32) -> [UInt8] { Array("J".utf8) + littleEndian(number) }
  static func integers(_ numbers: [Int64]) -> [UInt8] {
    mark + numbers.flatMap { [0x8A, 8] + littleEndian($0) } + tuple
  }
  static func put(_ index: UInt8) -> [UInt8] { [UInt8(ascii: "q"), index] }
  static func get(_ index: UInt8) -> [UInt8] { [UInt8(ascii: "h"), index] }

  static let orderedDictionary = global("collections", "OrderedDict") + unit + reduce

  static func storage(
    _ type: String = "FloatStorage", _ key: String = "0", count: Int64 = 4, view: [UInt8] = []
  ) -> [UInt8] {
    mark + text("storage") + global("torch", type) + text(key) + text("cpu") + [0x8A, 8]
      + littleEndian(count) + view + tuple + Array("Q".utf8)
  }
  static func tensor(
    _ storage: [UInt8] = storage(), offset: Int64 = 0, extents: [Int64] = [4],
    _ strides: [Int64] = [1]
  ) -> [UInt8] {
    global("torch._utils", "_rebuild_tensor_v2") + mark + storage + [0x8A, 8]
      + littleEndian(offset) + integers(extents) + integers(strides) + [0x89]
      + orderedDictionary + tuple + reduce
  }
  /// A dictionary of members, each a key and a value.
  static func members(_ members: [UInt8]...) -> [UInt8] {
    dictionary + mark + members.joined() + Array("u".utf8)
  }
}

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
      "a bare function", Pickle.global("_codecs", "encode"),
      .unfinished("the bare name _codecs.encode")),
    Attack("a bare storage", Pickle.storage(), .unfinished("a storage without a tensor")),
  ]

  static let machine: [Attack] = [
    Attack("APPEND without a list", bytes("a"), .emptyStack(operation: "APPEND", offset: 2)),
    Attack("TUPLE3 of two", bytes("NN") + [0x87], .emptyStack(operation: "TUPLE3", offset: 4)),
    Attack(
      "operand below the mark", Pickle.none + Pickle.mark + [0x85],
      .emptyStack(operation: "TUPLE1", offset: 4)),
    Attack("PUT of nothing", Pickle.put(0), .emptyStack(operation: "BINPUT", offset: 2)),
    Attack("TUPLE without a mark", bytes("Nt"), .missingMark(operation: "TUPLE", offset: 3)),
    Attack("APPENDS without a mark", bytes("]e"), .missingMark(operation: "APPENDS", offset: 3)),
    Attack("SETITEMS without a mark", bytes("}u"), .missingMark(operation: "SETITEMS", offset: 3)),
    Attack(
      "APPEND to a dictionary", bytes("}Na"),
      .wrongOperand(operation: "APPEND", expected: "a list", offset: 4)),
    Attack(
      "APPENDS to a tuple", bytes(")(Ne"),
      .wrongOperand(operation: "APPENDS", expected: "a list", offset: 5)),
    Attack(
      "SETITEM of a list", bytes("]NNs"),
      .wrongOperand(operation: "SETITEM", expected: "a dictionary", offset: 5)),
    Attack(
      "key without a value", bytes("}(Nu"),
      .wrongOperand(operation: "SETITEMS", expected: "a value for each key", offset: 5)),
    Attack("memo that is empty", Pickle.get(0), .unknownMemo(0, offset: 2)),
    Attack(
      "memo of another index", Pickle.none + Pickle.put(1) + Pickle.get(2),
      .unknownMemo(2, offset: 5)),
    Attack(
      "huge memo index", bytes("j") + littleEndian(UInt32.max), .unknownMemo(.max, offset: 2)),
    Attack(
      "one memo index for two",
      Pickle.none + bytes("r") + littleEndian(UInt32.max)
        + bytes("j") + littleEndian(UInt32.max - 1), .unknownMemo(.max - 1, offset: 8)),
    Attack(
      "a number as persistent identifier", Pickle.none + bytes("Q"),
      .wrongPersistentID(offset: 3)),
    Attack(
      "a class as persistent identifier",
      Pickle.mark + Pickle.text("module") + Pickle.text("os") + Pickle.none + Pickle.none
        + Pickle.tuple + bytes("Q"), .wrongPersistentID(offset: 24)),
    Attack(
      "a storage of −1 elements", Pickle.storage(count: -1), .wrongPersistentID(offset: 60)),
    Attack(
      "a storage with half a view", Pickle.storage(view: Pickle.unit),
      .wrongPersistentID(offset: 61)),
    Attack(
      "a tensor without a storage",
      Pickle.tensor(Pickle.none),
      .wrongArguments(function: "torch._utils._rebuild_tensor_v2", offset: 100)),
    Attack(
      "a tensor of 17 axes",
      Pickle.tensor(extents: [Int64](repeating: 1, count: 17), [Int64](repeating: 1, count: 17)),
      .wrongArguments(function: "torch._utils._rebuild_tensor_v2", offset: 478)),
    Attack(
      "a size of texts",
      Pickle.global("torch", "Size") + Pickle.text("1") + [0x85, 0x85] + Pickle.reduce,
      .wrongArguments(function: "torch.Size", offset: 22)),
    Attack(
      "bytes of a text that has none",
      Pickle.global("_codecs", "encode") + Pickle.text("😀") + Pickle.text("latin1") + [0x86]
        + Pickle.reduce, .wrongArguments(function: "_codecs.encode", offset: 39)),
    Attack(
      "a NumPy number of another length",
      numPy("f8", [1, 2, 3]),
      .wrongArguments(function: "numpy.core.multiarray.scalar", offset: 73)),
    Attack(
      "a NumPy object", numPy("O8", [0, 0, 0, 0, 0, 0, 0, 0]),
      .wrongArguments(function: "numpy.core.multiarray.scalar", offset: 78)),
    Attack(
      "a big-endian NumPy number", numPy("f8", [0, 0, 0, 0, 0, 0, 0, 0], order: ">"),
      .wrongArguments(function: "numpy.dtype", offset: 66)),
  ]

  static func numPy(_ code: String, _ bytes: [UInt8], order: String = "<") -> [UInt8] {
    Pickle.global("numpy.core.multiarray", "scalar") + Pickle.global("numpy", "dtype")
      + Pickle.text(code) + [0x89, 0x88, 0x87] + Pickle.reduce + Pickle.mark + [0x4B, 3]
      + Pickle.text(order) + Pickle.tuple + Pickle.build + [0x43, UInt8(bytes.count)] + bytes
      + [0x86] + Pickle.reduce
  }

  static let values: [Attack] = [
    Attack(
      "100,000 nested lists",
      [UInt8](repeating: 0x5D, count: 100_000) + [UInt8](repeating: 0x61, count: 99_999),
      .tooDeep(limit: 64)),
    Attack(
      "100,000 nested tuples", Pickle.unit + [UInt8](repeating: 0x85, count: 100_000),
      .tooDeep(limit: 64)),
    Attack(
      "100,000 nested dictionaries",
      repeated([0x7D, 0x4B, 0], 100_000) + Pickle.none + repeated([0x73], 100_000),
      .tooDeep(limit: 64)),
    Attack(
      "100,000 marks", [UInt8](repeating: 0x28, count: 100_000), .leftOver(count: 100_000)),
    Attack(
      "100,000 marks and tuples",
      [UInt8](repeating: 0x28, count: 100_000) + [UInt8](repeating: 0x74, count: 100_000),
      .tooDeep(limit: 64)),
    Attack(
      "depth through the memo",
      // Two halves, neither of which is too deep by itself.
      nested(40) + Pickle.put(0) + nested(40, around: Pickle.get(0)) + [0x86],
      .tooDeep(limit: 64)),
    Attack(
      "too many objects", [UInt8](repeating: 0x4E, count: (1 << 19) + 1),
      .tooManyObjects(limit: 1 << 19, offset: 2 + 1 << 19)),
    Attack(
      "too many marks", [UInt8](repeating: 0x28, count: (1 << 19) + 1),
      .tooManyObjects(limit: 1 << 19, offset: 2 + 1 << 19)),
    Attack(
      "too much on the stack",
      Pickle.none + Pickle.put(0) + repeated(Pickle.get(0), 1 << 19),
      .tooManyObjects(limit: 1 << 19, offset: 3 + 1 << 20)),
    Attack(
      "too many tensors",
      Pickle.storage() + Pickle.put(0) + repeated(tensorAgain, 1 << 16),
      .tooManyTensors(limit: 1 << 16, offset: 62 + tensorAgain.count << 16)),
    Attack(
      "dictionaries copied again and again",
      manyCounters,
      .tooManyObjects(limit: 1 << 19, offset: 7345)),
    Attack("a list in itself", bytes("]") + Pickle.put(0) + Pickle.get(0) + bytes("a"), .cyclic),
    Attack(
      "a tuple in itself by its list",
      bytes("]") + Pickle.put(0) + Pickle.get(0) + [0x85] + bytes("a"), .cyclic),
    Attack(
      "a dictionary in itself",
      bytes("}") + Pickle.put(0) + Pickle.text("a") + Pickle.get(0) + bytes("s"), .cyclic),
    Attack(
      "2⁴⁰ values in 40 lists",
      doublings, .expandsTooFar(limit: 1 << 19)),
    Attack("list as key", bytes("}]Ns"), .unsupportedKey),
    Attack("truth value as key", bytes("}") + [0x88] + bytes("Ns"), .unsupportedKey),
    Attack(
      "one key twice", Pickle.members(Pickle.text("w"), Pickle.none, Pickle.text("w"), Pickle.none),
      .duplicateKey("w")),
    Attack(
      "equivalent keys",
      Pickle.members(Pickle.text("é"), Pickle.none, Pickle.text("e\u{301}"), Pickle.none),
      .duplicateKey("e\u{301}")),
    Attack(
      "one whole number twice", Pickle.members([0x4B, 1], Pickle.none, [0x4D, 1, 0], Pickle.none),
      .duplicateKey("1")),
    Attack(
      "key of 513 bytes",
      Pickle.members(Pickle.text(String(repeating: "k", count: 513)), Pickle.none),
      .keyTooLong(limit: 512)),
    Attack(
      "keys of 600 bytes together",
      Pickle.members(
        Pickle.text(String(repeating: "k", count: 300)),
        Pickle.members(Pickle.text(String(repeating: "k", count: 300)), Pickle.none)),
      .keyTooLong(limit: 512)),
  ]

  static func repeated(_ part: [UInt8], _ count: Int) -> [UInt8] {
    Array(repeatElement(part, count: count).joined())
  }

  /// A dictionary of 1000 members, and 1000 calls that copy it.
  static var manyCounters: [UInt8] {
    var result = Pickle.global("collections", "Counter") + Pickle.put(0)
    result += Pickle.dictionary + Pickle.mark
    for number in 0..<Int32(1000) { result += Pickle.integer(number) + Pickle.none }
    result += bytes("u") + [0x85] + Pickle.put(1)
    return result + repeated(Pickle.get(0) + Pickle.get(1) + Pickle.reduce, 1000)
  }

  /// Each pair holds the one before twice.
  static var doublings: [UInt8] {
    var result = Pickle.none + Pickle.put(0)
    for index in 0..<UInt8(40) {
      result += Pickle.get(index) + [0x86] + Pickle.put(index + 1)
    }
    return result
  }

  /// Another tensor of the storage in the memo.
  static let tensorAgain =
    Pickle.global("torch._utils", "_rebuild_tensor") + Pickle.mark + Pickle.get(0) + [0x4B, 0]
    + Pickle.unit + Pickle.unit + Pickle.tuple + Pickle.reduce

  /// Tuples of one, around a value.
  static func nested(_ count: Int, around value: [UInt8] = Pickle.unit) -> [UInt8] {
    value + [UInt8](repeating: 0x85, count: count)
  }

  @Test(arguments: stream + code + machine + values)
  func isRefused(_ attack: Attack) {
    let error = #expect(throws: PickleError.self) {
      try PickleReader.read(FileBytes(attack.bytes, name: "hostile"))
    }
    guard let error else { return }
    #expect(error.problem == attack.problem)
    expectGoodMessage(error)
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

  @Test func mutationsNeverTrap() throws {
    let tensor = Pickle.tensor(extents: [2, 2], [2, 1])
    let bases = [
      Pickle.proto + Pickle.orderedDictionary + Pickle.put(1) + Pickle.mark + Pickle.text("é.w")
        + tensor + Pickle.text("n") + Pickle.get(1) + Self.bytes("u}b") + Pickle.stop,
      Pickle.proto
        + Pickle.members(
          Pickle.text("best"), Self.numPy("f8", [0, 0, 0, 0, 0, 0, 12, 64]), [0x4B, 1],
          Self.bytes("](NNe"), [0x4D, 2, 1], [0x8B] + littleEndian(Int32(9)) + Array(0..<9))
        + Pickle.stop,
      [0x80, 4, 0x95] + littleEndian(UInt64(20)) + [0x7D, 0x94, 0x8C, 1, 119, 0x94]
        + [0x8C, 5] + Self.bytes("torch") + [0x8C, 4] + Self.bytes("Size") + [0x93, 0x94]
        + [0x4B, 1, 0x4B, 2, 0x86, 0x85, 0x52, 0x73] + Pickle.stop,
    ]
    var mutator = Mutator("pickle")
    var accepted = 0
    for trial in 0..<mutationCount {
      do {
        let bytes = mutator.mutate(bases[trial % bases.count])
        let value = try PickleReader.read(FileBytes(bytes, name: "hostile"))
        _ = value.tensors
        accepted += 1
      } catch {
        expectGoodMessage(error)
      }
    }
    #expect((mutationCount / 100..<mutationCount / 2).contains(accepted), "\(accepted)")
  }
}
