import ResidualTensors

// What the names of ``PickleGlobal`` stand for when a pickle calls them.
extension PickleMachine {
  /// What a call of a function or class gives.
  mutating func call(_ function: Int, _ arguments: Int) throws(PickleProblem) -> PickleObject {
    guard case .global(let global) = objects[function] else { throw wrongOperand("a function") }
    let wrong = PickleProblem.wrongArguments(function: global.name, offset: operationOffset)
    guard case .tuple(let items) = objects[arguments] else { throw wrong }
    let result: PickleObject? =
      switch global {
      case .orderedDictionary: try orderedDictionary(items)
      case .counter: try counter(items)
      case .rebuildTensor: items.count == 4 ? tensor(items) : nil
      case .rebuildTensorVersion2: tensorVersion2(items)
      case .rebuildParameter: items.count == 3 ? parameter(items[0]) : nil
      case .parameter: (1...2).contains(items.count) ? parameter(items[0]) : nil
      case .size: items.count == 1 ? size(items[0]) : nil
      case .numberOfNumPy: numberOfNumPy(items)
      case .typeOfNumPy: typeOfNumPy(items)
      case .encode: try encoded(items)
      case .device: .leaf(.opaque(global.name))
      case .namespace: items.isEmpty ? .leaf(.opaque(global.name)) : nil
      case .storage, .constant: nil
      }
    guard let result else { throw wrong }
    return result
  }

  /// What the creation of an object gives before its state is set.
  mutating func instance(of type: Int, _ arguments: Int) throws(PickleProblem) -> PickleObject {
    switch objects[type] {
    case .global(.orderedDictionary), .global(.namespace), .global(.parameter):
      return try call(type, arguments)
    default: throw wrongOperand("a class of plain data")
    }
  }

  /// Sets the state of an object. Attributes of dictionaries, such as `_metadata` of a state dict,
  /// and those of opaque objects are ignored.
  mutating func build(_ target: Int, _ state: Int) throws(PickleProblem) {
    switch (objects[target], objects[state]) {
    case (.dictionary, .dictionary), (.leaf(.opaque), .dictionary): return
    // PyTorch 0.3: whether a parameter needs a gradient, an old flag, and hooks.
    case (.leaf(.tensor), .tuple(let items)):
      guard items.count == 3, isTruth(items[0]), case .dictionary = objects[items[2]] else {
        throw .wrongArguments(function: PickleGlobal.parameter.name, offset: operationOffset)
      }
    case (.numberType(let code, _), .tuple(let items)):
      guard items.count > 1, isText(items[1], "<") || isText(items[1], "|") else {
        throw .wrongArguments(function: "numpy.dtype", offset: operationOffset)
      }
      objects[target] = .numberType(code, isLittleEndian: true)
    default: throw wrongOperand("a dictionary and its attributes")
    }
  }

  /// The storage that a persistent identifier names:
  /// `('storage', type, key, location, elements)`, and in the older format a sixth item, which is
  /// `None` or a view `(key, offset, elements)` of that storage.
  func storage(_ identifier: Int) throws(PickleProblem) -> PickledStorage {
    let wrong = PickleProblem.wrongPersistentID(offset: operationOffset)
    guard case .tuple(let items) = objects[identifier], (5...6).contains(items.count),
      isText(items[0], "storage"), case .global(.storage(let type)) = objects[items[1]],
      let key = text(items[2]), key.utf8.count <= PickleReader.maximumKeyLength,
      text(items[3]) != nil, let count = integer(items[4]), count >= 0
    else { throw wrong }
    var view: PickledStorage.View?
    if items.count == 6 {
      switch objects[items[5]] {
      case .leaf(.none): break
      case .tuple(let parts):
        guard parts.count == 3, text(parts[0]) != nil, let offset = integer(parts[1]),
          let length = integer(parts[2])
        else { throw wrong }
        view = PickledStorage.View(offset: offset, count: length)
      default: throw wrong
      }
    }
    return PickledStorage(key: key, type: type, count: count, view: view)
  }
}

extension PickleMachine {
  private func text(_ index: Int) -> String? {
    if case .leaf(.text(let text)) = objects[index] { text } else { nil }
  }

  /// Whether an object is a text: byte by byte, as a long one takes long to compare as Unicode.
  private func isText(_ index: Int, _ wanted: String) -> Bool {
    text(index)?.utf8.elementsEqual(wanted.utf8) == true
  }

  private func integer(_ index: Int) -> Int64? {
    if case .leaf(.integer(let number)) = objects[index] { number } else { nil }
  }

  private func isTruth(_ index: Int) -> Bool {
    if case .leaf(.bool) = objects[index] { true } else { false }
  }

  private func integers(_ index: Int) -> [Int64]? {
    guard case .tuple(let items) = objects[index], items.count <= PickleReader.maximumRank else {
      return nil
    }
    var numbers: [Int64] = []
    for item in items {
      guard let number = integer(item) else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  /// `OrderedDict()`, or `OrderedDict([[key, value], …])` of Python 2.
  private mutating func orderedDictionary(
    _ arguments: [Int]
  ) throws(PickleProblem) -> PickleObject? {
    guard let first = arguments.first else { return .dictionary([]) }
    guard arguments.count == 1, case .list(let pairs) = objects[first] else { return nil }
    try charge(pairs.count)
    var members: [Int] = []
    for pair in pairs {
      switch objects[pair] {
      case .list(let items) where items.count == 2, .tuple(let items) where items.count == 2:
        members += items
      default: return nil
      }
    }
    return .dictionary(members)
  }

  /// `Counter({key: count, …})`.
  private mutating func counter(_ arguments: [Int]) throws(PickleProblem) -> PickleObject? {
    guard arguments.count == 1, case .dictionary(let members) = objects[arguments[0]] else {
      return arguments.isEmpty ? .dictionary([]) : nil
    }
    try charge(members.count)
    return .dictionary(members)
  }

  /// `storage, offset, extents, strides`.
  private func tensor(_ arguments: [Int]) -> PickleObject? {
    guard case .storage(let storage) = objects[arguments[0]], let offset = integer(arguments[1]),
      let extents = integers(arguments[2]), let strides = integers(arguments[3])
    else { return nil }
    return .leaf(
      .tensor(
        PickledTensor(storage: storage, offset: offset, extents: extents, strides: strides)))
  }

  /// As version 1, and whether it needs a gradient, hooks, and what makes it a conjugate or a
  /// negative view, which is refused.
  private func tensorVersion2(_ arguments: [Int]) -> PickleObject? {
    guard (6...7).contains(arguments.count), isTruth(arguments[4]),
      case .dictionary = objects[arguments[5]]
    else { return nil }
    if arguments.count == 7 {
      switch objects[arguments[6]] {
      case .leaf(.none): break
      case .dictionary(let members) where members.isEmpty: break
      default: return nil
      }
    }
    return tensor(Array(arguments.prefix(4)))
  }

  private func parameter(_ data: Int) -> PickleObject? {
    if case .leaf(.tensor(let tensor)) = objects[data] { .leaf(.tensor(tensor)) } else { nil }
  }

  private func size(_ extents: Int) -> PickleObject? {
    integers(extents) != nil ? objects[extents] : nil
  }

  /// `_codecs.encode(text, 'latin1')`: bytes, as protocol 2 writes them.
  private mutating func encoded(
    _ arguments: [Int]
  ) throws(PickleProblem) -> PickleObject? {
    guard arguments.count == 2, let text = text(arguments[0]),
      isText(arguments[1], "latin1")
    else { return nil }
    try charge(text.utf8.count)
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else { return nil }
      bytes.append(byte)
    }
    return .leaf(.bytes(bytes))
  }

  /// `dtype(code, align, copy)`.
  private func typeOfNumPy(_ arguments: [Int]) -> PickleObject? {
    guard arguments.count == 3, let code = text(arguments[0]) else { return nil }
    return .numberType(code, isLittleEndian: false)
  }

  /// `scalar(dtype, bytes)`: one number.
  private func numberOfNumPy(_ arguments: [Int]) -> PickleObject? {
    guard arguments.count == 2,
      case .numberType(let code, isLittleEndian: true) = objects[arguments[0]]
    else { return nil }
    guard code.utf8.count == 2, let size = code.last?.wholeNumberValue, (1...8).contains(size)
    else { return nil }
    let bytes: [UInt8]
    switch objects[arguments[1]] {
    case .leaf(.bytes(let found)) where found.count == size: bytes = found
    // A string of Python 2 whose bytes happen to be text.
    case .leaf(.text(let text)) where text.utf8.count == size: bytes = Array(text.utf8)
    default: return nil
    }
    let bits = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let unused = UInt64(64 - 8 * size)
    switch code {
    case "f8": return .leaf(.float(Double(bitPattern: bits)))
    case "f4": return .leaf(.float(Double(Float(bitPattern: UInt32(bits)))))
    case "f2": return .leaf(.float(Double(HalfPrecision.float(UInt16(bits)))))
    case "b1": return .leaf(.bool(bits != 0))
    case "i1", "i2", "i4", "i8":
      return .leaf(.integer(Int64(bitPattern: bits << unused) >> Int64(unused)))
    case "u1", "u2", "u4": return .leaf(.integer(Int64(bits)))
    case "u8":
      return .leaf(Int64(exactly: bits).map { .integer($0) } ?? .largeInteger(bytes + [0]))
    default: return nil
    }
  }
}
