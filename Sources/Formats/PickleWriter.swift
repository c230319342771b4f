import ResidualTensors

/// Writes the pickle of a state dict, in protocol 2 and with the operations that PyTorch uses:
/// an `OrderedDict` of tensors, each with a storage of its own.
struct PickleWriter {
  private(set) var bytes: [UInt8] = []
  /// The names and texts that are written once and then referred to.
  private var memo: [String: Int] = [:]

  /// One tensor; its storage is contiguous and has the key given.
  struct Item {
    let name: String
    let key: String
    let type: SafetensorsType
    let shape: Shape
  }

  /// The pickle of tensors in their order.
  static func stateDict(_ items: [Item]) -> [UInt8] {
    var writer = PickleWriter()
    writer.emit(.proto)
    writer.bytes.append(2)
    writer.orderedDictionary()
    writer.emit(.mark)
    for item in items {
      writer.text(item.name)
      writer.tensor(item)
    }
    writer.emit(.setItems)
    writer.emit(.stop)
    return writer.bytes
  }

  private mutating func tensor(_ item: Item) {
    global("torch._utils", "_rebuild_tensor_v2")
    emit(.mark)
    emit(.mark)
    repeated("storage")
    global("torch", item.type == .int64 ? "LongStorage" : "FloatStorage")
    text(item.key)
    repeated("cpu")
    integer(item.shape.count)
    emit(.tuple)
    emit(.binPersID)
    integer(0)
    tuple(item.shape.extents)
    tuple(Self.strides(item.shape))
    emit(.newFalse)
    orderedDictionary()
    emit(.tuple)
    emit(.reduce)
  }

  /// The strides that PyTorch gives a contiguous tensor, in which no extent counts as zero.
  private static func strides(_ shape: Shape) -> [Int] {
    var product = 1
    var strides: [Int] = []
    for extent in shape.extents.reversed() {
      strides.append(product)
      product *= max(extent, 1)
    }
    return strides.reversed()
  }

  private mutating func emit(_ operation: PickleOperation) { bytes.append(operation.rawValue) }

  private mutating func emit<Number: FixedWidthInteger>(
    _ operation: PickleOperation, _ number: Number
  ) {
    emit(operation)
    bytes += withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  private mutating func text(_ text: String) {
    emit(.binUnicode, UInt32(text.utf8.count))
    bytes += text.utf8
  }

  private mutating func orderedDictionary() {
    global("collections", "OrderedDict")
    emit(.emptyTuple)
    emit(.reduce)
  }

  private mutating func global(_ module: String, _ name: String) {
    once("\(module).\(name)") { writer in
      writer.emit(.global)
      writer.bytes += "\(module)\n\(name)\n".utf8
    }
  }

  private mutating func repeated(_ text: String) {
    once(text) { $0.text(text) }
  }

  /// Writes what is new and puts it into the memo, and gets it from there afterwards.
  private mutating func once(_ key: String, _ write: (inout PickleWriter) -> Void) {
    if let index = memo[key] {
      emit(.binGet, UInt8(index))
    } else {
      write(&self)
      emit(.binPut, UInt8(memo.count))
      memo[key] = memo.count
    }
  }

  private mutating func integer(_ number: Int) {
    switch number {
    case 0...0xFF: emit(.binInt1, UInt8(number))
    case 0...0xFFFF: emit(.binInt2, UInt16(number))
    case 0...Int(Int32.max): emit(.binInt, Int32(number))
    default:
      emit(.long1, UInt8(8))
      bytes += withUnsafeBytes(of: Int64(number).littleEndian) { Array($0) }
    }
  }

  private mutating func tuple(_ numbers: [Int]) {
    switch numbers.count {
    case 0:
      emit(.emptyTuple)
      return
    case 1...3: break
    default: emit(.mark)
    }
    for number in numbers { integer(number) }
    switch numbers.count {
    case 1: emit(.tuple1)
    case 2: emit(.tuple2)
    case 3: emit(.tuple3)
    default: emit(.tuple)
    }
  }
}
