/// The machine that carries out a pickle: see ``PickleReader``.
struct PickleMachine {
  /// Every object made so far; others name it by its place here.
  var objects: [PickleObject] = []
  /// The place of the next byte of the stream.
  var offset: Int
  let file: FileBytes
  let end: Int
  private var stack: [Int] = []
  /// The heights of the stack at each mark.
  private var marks: [Int] = []
  private var memo: [UInt32: Int] = [:]
  /// The operation that is being carried out, and its place.
  private(set) var operation = PickleOperation.proto
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
      try makeTensor(try instance(of: try pop(), arguments))
    case .build:
      let state = try pop()
      try build(try top, state)
    case .binPersID:
      // Before the call, which would otherwise hold a copy of the stack while it is popped.
      let identifier = try pop()
      try makeTensor(.storage(try storage(identifier)))
    }
  }
}

// The stack, the memo and the table of objects.
extension PickleMachine {
  private var tooMany: PickleProblem {
    .tooManyObjects(limit: PickleReader.maximumObjects, offset: operationOffset)
  }

  func wrongOperand(_ expected: String) -> PickleProblem {
    .wrongOperand(operation: operation.name, expected: expected, offset: operationOffset)
  }

  private var emptyStack: PickleProblem {
    .emptyStack(operation: operation.name, offset: operationOffset)
  }

  mutating func make(_ object: PickleObject) throws(PickleProblem) {
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

  /// The objects on top of the stack, above the last mark.
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
    // Not an array of the slice: where that is all of the stack, it would take over its memory.
    let items = stack[mark...].map(\.self)
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
