/// The machine that carries out a pickle: see ``PickleReader``.
struct PickleMachine {
  /// Every object made so far; others name it by its place here.
  var objects: [PickleObject] = []
  private(set) var offset: Int
  private let file: FileBytes
  private let end: Int
  private var stack: [Int] = []
  /// The heights of the stack at each mark.
  private var marks: [Int] = []
  private var memo: [UInt32: Int] = [:]
  /// The operation that is being carried out, and its place.
  private var operation = PickleOperation.proto
  var operationOffset: Int
  /// How many tensors and storages there are, and how much calls have copied: each is limited,
  /// because a short pickle can call a function often with large arguments.
  private var tensorCount = 0
  private var copyCount = 0

  /// - Precondition: the range lies within the file.
  init(_ file: FileBytes, _ range: Range<Int>) {
    self.file = file
    offset = range.lowerBound
    operationOffset = range.lowerBound
    end = range.upperBound
  }

  /// Carries out everything up to the end mark, and gives the place of the object that is left.
  mutating func run() throws(PickleProblem) -> Int {
    guard end - offset >= 2, file[offset] == PickleOperation.proto.rawValue else {
      throw .missingProtocol(offset: offset)
    }
    guard (2...5).contains(file[offset + 1]) else {
      throw .unknownProtocol(file[offset + 1], offset: offset)
    }
    let start = offset
    offset += 2
    while true {
      operationOffset = offset
      guard offset - start <= PickleReader.maximumLength else {
        throw .tooLong(byteCount: offset - start)
      }
      guard offset < end else { throw .missingStop(offset: offset) }
      let byte = file[offset]
      guard let known = PickleOperation(rawValue: byte) else {
        guard let name = PickleOperation.refused[byte] else {
          throw .unknownOperation(byte, offset: offset)
        }
        throw .refusedOperation(name, offset: offset)
      }
      operation = known
      offset += 1
      if operation == .stop {
        guard let root = stack.last, stack.count == 1, marks.isEmpty else {
          throw .leftOver(count: stack.count + marks.count)
        }
        return root
      }
      try carryOut()
    }
  }

  private mutating func carryOut() throws(PickleProblem) {
    switch operation {
    case .proto: throw .refusedOperation("PROTO in the middle", offset: operationOffset)
    case .stop: preconditionFailure("the end mark is no step")
    // Frames tell how much to read at once, which means nothing here.
    case .frame: _ = try length(UInt64.self)
    case .mark:
      guard marks.count < PickleReader.maximumObjects else { throw tooMany }
      marks.append(stack.count)
    case .none: try make(.leaf(.none))
    case .newTrue: try make(.leaf(.bool(true)))
    case .newFalse: try make(.leaf(.bool(false)))
    case .binInt, .binInt1, .binInt2, .long1, .long4, .binFloat: try makeNumber()
    case .shortBinString, .binString, .shortBinUnicode, .binUnicode, .binUnicode8, .shortBinBytes,
      .binBytes, .binBytes8:
      try makeText()
    case .emptyTuple: try make(.tuple([]))
    case .tuple1: try make(.tuple([try pop()]))
    case .tuple2:
      let second = try pop()
      try make(.tuple([try pop(), second]))
    case .tuple3:
      let (third, second) = (try pop(), try pop())
      try make(.tuple([try pop(), second, third]))
    case .tuple: try make(.tuple(try popToMark()))
    case .emptyList: try make(.list([]))
    case .emptyDict: try make(.dictionary([]))
    case .append: try append([try pop()])
    case .appends: try append(try popToMark())
    case .setItem:
      let value = try pop()
      try setItems([try pop(), value])
    case .setItems: try setItems(try popToMark())
    case .binPut: try put(UInt32(try number(UInt8.self)))
    case .longBinPut: try put(try number(UInt32.self))
    case .memoize: try put(UInt32(memo.count))
    case .binGet: try get(UInt32(try number(UInt8.self)))
    case .longBinGet: try get(try number(UInt32.self))
    case .global:
      let module = try line()
      try makeGlobal(module, try line())
    case .stackGlobal:
      let name = try pop()
      guard case .leaf(.text(let name)) = objects[name],
        case .leaf(.text(let module)) = objects[try pop()]
      else { throw wrongOperand("two texts") }
      try makeGlobal(module, name)
    case .reduce:
      let arguments = try pop()
      try makeTensor(try call(try pop(), arguments))
    case .newObj:
      let arguments = try pop()
      try make(try instance(of: try pop(), arguments))
    case .build:
      let state = try pop()
      try build(try top, state)
    case .binPersID: try makeTensor(.storage(try storage(try pop())))
    }
  }
}

// The stack, the memo and the table of objects.
extension PickleMachine {
  private var tooMany: PickleProblem {
    .tooManyObjects(limit: PickleReader.maximumObjects, offset: operationOffset)
  }

  private func wrongOperand(_ expected: String) -> PickleProblem {
    .wrongOperand(operation: operation.name, expected: expected, offset: operationOffset)
  }

  private var emptyStack: PickleProblem {
    .emptyStack(operation: operation.name, offset: operationOffset)
  }

  private mutating func make(_ object: PickleObject) throws(PickleProblem) {
    guard objects.count < PickleReader.maximumObjects else { throw tooMany }
    objects.append(object)
    try push(objects.count - 1)
  }

  /// As `make`, for what may be a tensor or a storage.
  private mutating func makeTensor(_ object: PickleObject) throws(PickleProblem) {
    switch object {
    case .storage, .leaf(.tensor): tensorCount += 1
    default: break
    }
    guard tensorCount <= PickleReader.maximumTensors else {
      throw .tooManyTensors(limit: PickleReader.maximumTensors, offset: operationOffset)
    }
    try make(object)
  }

  /// Counts what a call copies.
  mutating func charge(_ count: Int) throws(PickleProblem) {
    copyCount += count
    guard copyCount <= PickleReader.maximumObjects else { throw tooMany }
  }

  private mutating func push(_ index: Int) throws(PickleProblem) {
    guard stack.count < PickleReader.maximumObjects else { throw tooMany }
    stack.append(index)
  }

  /// What lies on top of the stack, above the last mark.
  private var top: Int {
    get throws(PickleProblem) {
      guard let index = stack.last, stack.count > marks.last ?? 0 else { throw emptyStack }
      return index
    }
  }

  private mutating func pop() throws(PickleProblem) -> Int {
    let index = try top
    stack.removeLast()
    return index
  }

  private mutating func popToMark() throws(PickleProblem) -> [Int] {
    guard let mark = marks.popLast() else {
      throw .missingMark(operation: operation.name, offset: operationOffset)
    }
    let items = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return items
  }

  private mutating func put(_ index: UInt32) throws(PickleProblem) {
    guard memo.count < PickleReader.maximumObjects else { throw tooMany }
    memo[index] = try top
  }

  private mutating func get(_ index: UInt32) throws(PickleProblem) {
    guard let object = memo[index] else {
      throw .unknownMemo(index, offset: operationOffset)
    }
    try push(object)
  }

  private mutating func append(_ items: [Int]) throws(PickleProblem) {
    let target = try top
    guard case .list(var list) = objects[target] else { throw wrongOperand("a list") }
    // Only one owner may be left, or each step would copy the list.
    objects[target] = .leaf(.none)
    list += items
    objects[target] = .list(list)
  }

  private mutating func setItems(_ items: [Int]) throws(PickleProblem) {
    guard items.count.isMultiple(of: 2) else { throw wrongOperand("a value for each key") }
    let target = try top
    guard case .dictionary(var members) = objects[target] else {
      throw wrongOperand("a dictionary")
    }
    objects[target] = .leaf(.none)
    members += items
    objects[target] = .dictionary(members)
  }
}

// The operands in the stream.
extension PickleMachine {
  private mutating func number<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type
  ) throws(PickleProblem) -> Value {
    guard end - offset >= MemoryLayout<Value>.size, let value = file.integer(type, at: offset)
    else { throw .truncated(operation: operation.name, offset: operationOffset) }
    offset += MemoryLayout<Value>.size
    return value
  }

  /// A length of what follows; it lies within the stream.
  private mutating func length<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type
  ) throws(PickleProblem) -> Int {
    let value = try number(type)
    guard value >= 0 else { throw .negativeLength(Int(value), offset: operationOffset) }
    guard value <= end - offset else {
      throw .lengthBeyondEnd(UInt64(value), offset: operationOffset, available: end - offset)
    }
    guard value <= PickleReader.maximumLength else { throw .tooLong(byteCount: Int(value)) }
    return Int(value)
  }

  /// Takes as many bytes; the length must lie within the stream.
  private mutating func take(_ length: Int) -> Range<Int> {
    let range = offset..<offset + length
    offset = range.upperBound
    return range
  }

  /// Takes a name that ends in a line feed.
  private mutating func line() throws(PickleProblem) -> String {
    let start = offset
    while offset < end, offset - start <= PickleReader.maximumNameLength {
      offset += 1
      guard file[offset - 1] == 0x0A else { continue }
      guard let name = file.text(in: start..<offset - 1) else { break }
      return name
    }
    throw offset == end
      ? .truncated(operation: operation.name, offset: operationOffset)
      : .invalidName(offset: start)
  }

  private mutating func makeNumber() throws(PickleProblem) {
    switch operation {
    case .binInt: try make(.leaf(.integer(Int64(try number(Int32.self)))))
    case .binInt1: try make(.leaf(.integer(Int64(try number(UInt8.self)))))
    case .binInt2: try make(.leaf(.integer(Int64(try number(UInt16.self)))))
    case .binFloat:
      // The one number that is big-endian.
      let bits = try number(UInt64.self).byteSwapped
      try make(.leaf(.float(Double(bitPattern: bits))))
    default:
      let count = operation == .long1 ? try length(UInt8.self) : try length(Int32.self)
      guard count <= PickleReader.maximumNumberLength else {
        throw .numberTooLong(byteCount: count, offset: operationOffset)
      }
      let bytes = file[take(count)]
      try make(.leaf(Self.integer(bytes).map { .integer($0) } ?? .largeInteger(bytes)))
    }
  }

  /// A number of little-endian bytes in two's complement; `nil` where it exceeds `Int64`.
  static func integer(_ bytes: [UInt8]) -> Int64? {
    let fill: UInt8 = bytes.last.map { $0 & 0x80 } ?? 0 != 0 ? 0xFF : 0
    let rest = bytes.dropFirst(8)
    guard rest.allSatisfy({ $0 == fill }) else { return nil }
    var bits: UInt64 = 0
    for place in 0..<8 {
      bits |= UInt64(place < bytes.count ? bytes[place] : fill) << UInt64(8 * place)
    }
    let value = Int64(bitPattern: bits)
    return rest.isEmpty || (value < 0) == (fill != 0) ? value : nil
  }

  private mutating func makeText() throws(PickleProblem) {
    let count =
      switch operation {
      case .shortBinString, .shortBinUnicode, .shortBinBytes: try length(UInt8.self)
      case .binString: try length(Int32.self)
      case .binUnicode8, .binBytes8: try length(UInt64.self)
      default: try length(UInt32.self)
      }
    let range = take(count)
    switch operation {
    case .shortBinBytes, .binBytes, .binBytes8: try make(.leaf(.bytes(file[range])))
    case .shortBinString, .binString:
      // Text or bytes: Python 2 did not tell them apart.
      try make(.leaf(file.text(in: range).map { .text($0) } ?? .bytes(file[range])))
    default:
      guard let text = file.text(in: range) else {
        throw .invalidText(offset: operationOffset)
      }
      try make(.leaf(.text(text)))
    }
  }

  private mutating func makeGlobal(
    _ module: String, _ name: String
  ) throws(PickleProblem) {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw .forbiddenGlobal(module: module, name: name, offset: operationOffset)
    }
    try make(.global(global))
  }
}
