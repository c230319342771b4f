import ResidualFormats

/// Parts of pickles, by the names that Python gives their operations.
package enum Pickle {
  package static let proto: [UInt8] = [0x80, 2]
  package static let stop = Array(".".utf8)
  package static let mark = Array("(".utf8)
  package static let none = Array("N".utf8)
  package static let reduce = Array("R".utf8)
  package static let build = Array("b".utf8)
  package static let list = Array("]".utf8)
  package static let dictionary = Array("}".utf8)
  package static let unit = Array(")".utf8)
  package static let tuple = Array("t".utf8)

  package static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }
  package static func text(_ text: String) -> [UInt8] {
    Array("X".utf8) + littleEndian(UInt32(text.utf8.count)) + Array(text.utf8)
  }
  package static func integer(_ number: Int32) -> [UInt8] { Array("J".utf8) + littleEndian(number) }
  package static func integers(_ numbers: [Int64]) -> [UInt8] {
    mark + numbers.flatMap { [0x8A, 8] + littleEndian($0) } + tuple
  }
  package static func put(_ index: UInt8) -> [UInt8] { [UInt8(ascii: "q"), index] }
  package static func get(_ index: UInt8) -> [UInt8] { [UInt8(ascii: "h"), index] }

  package static let orderedDictionary = global("collections", "OrderedDict") + unit + reduce

  package static func storage(
    _ type: String = "FloatStorage", _ key: String = "0", count: Int64 = 4, view: [UInt8] = []
  ) -> [UInt8] {
    mark + text("storage") + global("torch", type) + text(key) + text("cpu") + [0x8A, 8]
      + littleEndian(count) + view + tuple + Array("Q".utf8)
  }
  package static func tensor(
    _ storage: [UInt8] = storage(), offset: Int64 = 0, extents: [Int64] = [4],
    _ strides: [Int64] = [1]
  ) -> [UInt8] {
    global("torch._utils", "_rebuild_tensor_v2") + mark + storage + [0x8A, 8]
      + littleEndian(offset) + integers(extents) + integers(strides) + [0x89]
      + orderedDictionary + tuple + reduce
  }
  /// A number of NumPy, by the code of its type.
  package static func numPy(_ code: String, _ bytes: [UInt8], order: String = "<") -> [UInt8] {
    global("numpy.core.multiarray", "scalar") + global("numpy", "dtype") + text(code)
      + [0x89, 0x88, 0x87] + reduce + mark + [0x4B, 3] + text(order) + tuple + build
      + [0x43, UInt8(bytes.count)] + bytes + [0x86] + reduce
  }
  /// A dictionary of members, each a key and a value.
  package static func members(_ members: [UInt8]...) -> [UInt8] {
    dictionary + mark + members.joined() + Array("u".utf8)
  }
  /// A whole pickle: a dictionary with one tensor.
  package static func dictionary(_ tensor: [UInt8] = tensor()) -> [UInt8] {
    proto + members(text("t"), tensor) + stop
  }
}
