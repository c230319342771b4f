// The operands that follow an operation in the stream.
extension PickleMachine {
  mutating func number<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type
  ) throws(PickleProblem) -> Value {
    guard end - offset >= MemoryLayout<Value>.size, let value = file.integer(type, at: offset)
    else { throw .truncated(operation: operation.name, offset: operationOffset) }
    offset += MemoryLayout<Value>.size
    return value
  }

  /// A length of what follows; it lies within the stream.
  mutating func length<Value: FixedWidthInteger & BitwiseCopyable>(
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
  mutating func line() throws(PickleProblem) -> String {
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

  mutating func makeNumber() throws(PickleProblem) {
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

  /// A number of little-endian bytes in two's complement; `nil` if it exceeds `Int64`.
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

  mutating func makeText() throws(PickleProblem) {
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

  mutating func makeGlobal(
    _ module: String, _ name: String
  ) throws(PickleProblem) {
    guard module.utf8.count <= PickleReader.maximumNameLength,
      name.utf8.count <= PickleReader.maximumNameLength
    else { throw .invalidName(offset: operationOffset) }
    guard let global = PickleGlobal(module: module, name: name) else {
      throw .forbiddenGlobal(module: module, name: name, offset: operationOffset)
    }
    try make(.global(global))
  }
}
