/// Pickles, the serialization of Python, read as data: nothing that a file names is looked up,
/// imported or called.
///
/// A pickle is a program for a small machine with a stack and a memo (Python's `pickletools.py`
/// defines it). PyTorch writes protocol 2 and can write those up to 5. Of their operations, only
/// those that a state dict needs are carried out, with the names of ``PickleGlobal``; every other
/// one is an error.
///
/// Work and memory are limited by the length of the pickle, which is itself limited. The machine
/// keeps objects in one table and refers to them by index, so that building them never recurses; at
/// the end the value is taken out of the table, which refuses cycles, depth beyond
/// ``maximumDepth`` and sharing that would multiply values.
package enum PickleReader {
  /// The longest pickle in bytes. A network of 1,202 layers with its optimizer takes two mebibytes.
  package static let maximumLength = 64 << 20
  /// The most objects of a pickle, marks, and places on its stack and in its memo. A network of
  /// 1,202 layers with an optimizer of two moments takes two thirds of it.
  package static let maximumObjects = 3 << 17
  /// The longest name of a module or of something in it, in bytes.
  package static let maximumNameLength = 256
  /// The most storages and tensors of a pickle.
  package static let maximumTensors = 1 << 16
  /// The most axes of a tensor.
  package static let maximumRank = 16
  /// The most bytes of the keys that lead to a value, together.
  package static let maximumKeyLength = FileBytes.maximumNameLength
  /// The deepest nesting of values.
  package static let maximumDepth = 64
  /// The longest whole number in bytes.
  package static let maximumNumberLength = 255

  /// The value of a pickle that starts at the start of a range, and the offset after it.
  ///
  /// - Complexity: O(bytes) in time and memory.
  package static func read(
    _ file: FileBytes, in range: Range<Int>
  ) throws(PickleProblem) -> (value: PickleValue<PickledTensor>, end: Int) {
    var machine = PickleMachine(file, range)
    let root = try machine.run()
    var freezer = PickleFreezer(machine.objects)
    return (try freezer.value(root), machine.offset)
  }

  /// As `read(_:in:)`, for a pickle that takes up a whole file.
  package static func read(_ file: FileBytes) throws(PickleError) -> PickleValue<PickledTensor> {
    do throws(PickleProblem) {
      let (value, end) = try read(file, in: 0..<file.count)
      guard end == file.count else { throw .leftOver(count: 1) }
      return value
    } catch {
      throw PickleError(file.name, error)
    }
  }
}

/// An object of the machine. Those inside it are named by their place in the table.
enum PickleObject {
  /// A value without others inside.
  case leaf(PickleValue<PickledTensor>)
  case tuple([Int])
  case list([Int])
  /// Keys and values in turn.
  case dictionary([Int])
  case global(PickleGlobal)
  indirect case storage(PickledStorage)
  /// The code of a NumPy type such as `f8`, and whether it is known to be little-endian.
  indirect case numberType(String, isLittleEndian: Bool)
}
