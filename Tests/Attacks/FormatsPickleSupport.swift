import ResidualFormats

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
