import ResidualFormats
import ResidualFuzzSupport

// Attacks on what a pickle does and builds; those on how it is written are in FormatsPickleTests.
extension FormatsPickleAttacks {
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
      "a storage with a key of 513 bytes",
      Pickle.storage("FloatStorage", String(repeating: "0", count: 513)),
      .wrongPersistentID(offset: 572)),
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
      Pickle.numPy("f8", [1, 2, 3]),
      .wrongArguments(function: "numpy.core.multiarray.scalar", offset: 73)),
    Attack(
      "a NumPy object", Pickle.numPy("O8", [0, 0, 0, 0, 0, 0, 0, 0]),
      .wrongArguments(function: "numpy.core.multiarray.scalar", offset: 78)),
    Attack(
      "a big-endian NumPy number", Pickle.numPy("f8", [0, 0, 0, 0, 0, 0, 0, 0], order: ">"),
      .wrongArguments(function: "numpy.dtype", offset: 66)),
  ]

  /// A letter with marks in an order that comparing has to change.
  private static let long = Pickle.text("s" + String(repeating: "\u{301}\u{316}", count: 100_000))

  /// Texts that would take long to compare as Unicode.
  static let texts: [Attack] = [
    Attack(
      "kind of identifier",
      Pickle.mark + long + Pickle.global("torch", "FloatStorage")
        + Pickle.text("0") + Pickle.text("cpu") + Pickle.integer(4) + Pickle.tuple
        + bytes("Q"), .wrongPersistentID(offset: 400_049)),
    Attack(
      "encoding",
      Pickle.global("_codecs", "encode") + Pickle.mark + Pickle.text("a") + long
        + Pickle.tuple + Pickle.reduce,
      .wrongArguments(function: "_codecs.encode", offset: 400_032)),
    Attack(
      "order of bytes",
      Pickle.global("numpy", "dtype") + Pickle.text("f8") + [0x89, 0x88, 0x87] + Pickle.reduce
        + Pickle.mark + [0x4B, 3] + long + Pickle.tuple + Pickle.build,
      .wrongArguments(function: "numpy.dtype", offset: 400_036)),
  ]

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
      "too many objects", [UInt8](repeating: 0x4E, count: PickleReader.maximumObjects + 1),
      .tooManyObjects(limit: PickleReader.maximumObjects, offset: 2 + PickleReader.maximumObjects)),
    Attack(
      "too many marks", [UInt8](repeating: 0x28, count: PickleReader.maximumObjects + 1),
      .tooManyObjects(limit: PickleReader.maximumObjects, offset: 2 + PickleReader.maximumObjects)),
    Attack(
      "too much on the stack",
      Pickle.none + Pickle.put(0) + repeated(Pickle.get(0), PickleReader.maximumObjects),
      .tooManyObjects(
        limit: PickleReader.maximumObjects, offset: 3 + 2 * PickleReader.maximumObjects)),
    Attack(
      "too many tensors",
      manyTensors,
      .tooManyTensors(limit: 1 << 16, offset: 104 + 5 << 16)),
    Attack(
      "too many parameters",
      parameter + repeated(Pickle.get(0) + Pickle.get(1) + [0x81], 1 << 16),
      .tooManyTensors(limit: 1 << 16, offset: 1 + parameter.count + 5 * 0xFFFF)),
    Attack(
      "dictionaries copied again and again",
      manyCounters,
      .tooManyObjects(limit: PickleReader.maximumObjects, offset: 7015)),
    Attack("a list in itself", bytes("]") + Pickle.put(0) + Pickle.get(0) + bytes("a"), .cyclic),
    Attack(
      "a tuple in itself by its list",
      bytes("]") + Pickle.put(0) + Pickle.get(0) + [0x85] + bytes("a"), .cyclic),
    Attack(
      "a dictionary in itself",
      bytes("}") + Pickle.put(0) + Pickle.text("a") + Pickle.get(0) + bytes("s"), .cyclic),
    Attack(
      "2⁴⁰ values in 40 lists",
      doublings, .expandsTooFar(limit: PickleReader.maximumObjects)),
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

  /// A tensor, and what makes a parameter of it.
  static var parameter: [UInt8] {
    Pickle.global("torch.nn.parameter", "Parameter") + Pickle.put(0) + Pickle.tensor() + [0x85]
      + Pickle.put(1)
  }

  /// One call of a tensor after another, with the same arguments.
  static var manyTensors: [UInt8] {
    var result = Pickle.storage() + Pickle.put(0)
    result += Pickle.global("torch._utils", "_rebuild_tensor") + Pickle.put(1) + Pickle.mark
    result += Pickle.get(0) + [0x4B, 0] + Pickle.unit + Pickle.unit + Pickle.tuple + Pickle.put(2)
    return result + repeated(Pickle.get(1) + Pickle.get(2) + Pickle.reduce, 1 << 16)
  }

  /// Tuples of one, around a value.
  static func nested(_ count: Int, around value: [UInt8] = Pickle.unit) -> [UInt8] {
    value + [UInt8](repeating: 0x85, count: count)
  }
}
