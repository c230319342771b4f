import ResidualTensors
import Synchronization

/// A checkpoint of PyTorch (`.pth`, `.pt`, `.th`, `.tar`), read as data: nothing in it is run.
///
/// Two layouts are read, told apart by their first bytes.
///
/// **ZIP**, since PyTorch 1.6. All entries are stored without compression, in one folder:
///
/// | entry                        | content                                            |
/// |------------------------------|----------------------------------------------------|
/// | `NAME/data.pkl`              | the value: a pickle                                |
/// | `NAME/data/KEY`              | the elements of the storage with this key          |
/// | `NAME/byteorder`             | `little`, or nothing in older files                |
/// | `NAME/version`               | the version of the layout                          |
/// | `NAME/.data/…`, `NAME/.…`    | what only PyTorch needs                            |
///
/// **Stream**, before, and with `_use_new_zipfile_serialization=False`: five pickles one after
/// another, which are the number 0x1950A86A20F9469CFC6C, the version 1001, facts about the machine,
/// the value, and the list of the storages' keys; then for each key the number of elements in 64
/// bits and the elements, little-endian.
///
/// In the pickle a tensor is a view of a storage: its first element, extents and strides. Views may
/// share a storage and may be of any order, but lie within it. All tensors of a file have at most
/// ``maximumRatio`` elements for each of its bytes. TorchScript archives, the tar files of PyTorch
/// 0.1, numbers of the other byte order, and pickles that ask for more than data are refused.
///
/// Opening reads the pickle only; elements, and in ZIP files their checksums, are read when they are
/// asked for.
package struct TorchFile: Sendable {
  /// How a file is laid out.
  package enum Layout: Sendable { case zip, stream }

  /// The most elements of all tensors together for each byte of the file.
  package static let maximumRatio = 4
  /// This many elements are allowed in any file.
  package static let alwaysAllowed = 1 << 20

  /// What tensors are read from when they are asked for.
  package let file: FileBytes
  /// How the file is laid out.
  package let layout: Layout
  /// What was saved: a dictionary in nearly every file.
  package let root: TorchValue
  private let checksums: Checksums?

  /// Reads everything but the elements, and checks all of it.
  ///
  /// - Throws: ``TorchError`` if the file breaks its layout or holds what is not read.
  /// - Complexity: O(pickle) in time and memory.
  package init(_ file: FileBytes) throws(TorchError) {
    self.file = file
    do throws(TorchProblem) {
      let content: TorchContent
      if ZIPArchive.isZIP(file) {
        layout = .zip
        content = try TorchContent(zip: file)
      } else {
        layout = .stream
        content = try TorchContent(stream: file)
      }
      checksums = content.archive.map { Checksums($0) }
      root = try content.located()
    } catch {
      throw TorchError(file.name, error)
    }
  }
}

/// A value from a checkpoint.
package typealias TorchValue = PickleValue<TorchTensor>

/// A tensor of a checkpoint: a view of a storage, checked to lie within it.
package struct TorchTensor: Hashable, Sendable {
  /// The keys that lead to it, joined by full stops: see ``PickleValue/tensors``.
  package let name: String
  /// The key of its storage, which other tensors may share.
  package let storageKey: String
  /// How the elements are stored.
  package let type: ElementType
  /// The extents of the axes, outermost first.
  package let shape: Shape
  /// The distance of neighbours along each axis, in elements.
  package let strides: [Int]
  /// The place of the first element, in elements from the start of the storage.
  package let offset: Int
  /// Where the storage lies in the file, in bytes.
  package let storage: Range<Int>
}

extension TorchFile {
  /// A tensor as float32, row-major; other numbers are rounded to the nearest.
  ///
  /// - Precondition: the tensor is one of this file.
  /// - Throws: ``TorchError`` if the checksum of its storage is wrong.
  package func floats(_ tensor: TorchTensor) throws(TorchError) -> Tensor<Float> {
    try verify(tensor)
    let scalars: [Float] = file.withUnsafeBytes(in: tensor.storage) { bytes in
      switch tensor.type {
      case .float32: tensor.gather(bytes, UInt32.self) { Float(bitPattern: $0) }
      case .float64: tensor.gather(bytes, UInt64.self) { Float(Double(bitPattern: $0)) }
      case .float16: tensor.gather(bytes, UInt16.self, HalfPrecision.float)
      case .bfloat16: tensor.gather(bytes, UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
      case .bool: tensor.gather(bytes, UInt8.self) { $0 == 0 ? 0 : 1 }
      case .uint8: tensor.gather(bytes, UInt8.self) { Float($0) }
      case .int8: tensor.gather(bytes, Int8.self) { Float($0) }
      case .int16: tensor.gather(bytes, Int16.self) { Float($0) }
      case .int32: tensor.gather(bytes, Int32.self) { Float($0) }
      case .int64: tensor.gather(bytes, Int64.self) { Float($0) }
      }
    }
    return Tensor(tensor.shape, scalars)
  }

  /// A tensor of whole numbers or truth values, row-major.
  ///
  /// - Precondition: the tensor is one of this file.
  /// - Throws: ``TorchError`` if the elements are not whole numbers, or the checksum of the
  ///   storage is wrong.
  package func integers(_ tensor: TorchTensor) throws(TorchError) -> Tensor<Int64> {
    try verify(tensor)
    let scalars: [Int64]? = file.withUnsafeBytes(in: tensor.storage) { bytes in
      switch tensor.type {
      case .bool: tensor.gather(bytes, UInt8.self) { $0 == 0 ? 0 : 1 }
      case .uint8: tensor.gather(bytes, UInt8.self) { Int64($0) }
      case .int8: tensor.gather(bytes, Int8.self) { Int64($0) }
      case .int16: tensor.gather(bytes, Int16.self) { Int64($0) }
      case .int32: tensor.gather(bytes, Int32.self) { Int64($0) }
      case .int64: tensor.gather(bytes, Int64.self) { $0 }
      case .float16, .bfloat16, .float32, .float64: nil
      }
    }
    guard let scalars else {
      let problem = TorchProblem.notConvertible(
        tensor: tensor.name, type: tensor.type, to: .int64)
      throw TorchError(file.name, problem)
    }
    return Tensor(tensor.shape, scalars)
  }

  private func verify(_ tensor: TorchTensor) throws(TorchError) {
    do throws(ZIPProblem) {
      try checksums?.verify(storage: tensor.storageKey)
    } catch {
      throw TorchError(file.name, .zip(error))
    }
  }
}

/// Checks the checksum of each storage once, however many tensors share it.
private final class Checksums: Sendable {
  private let archive: TorchArchive
  private let verified = Mutex<Set<String>>([])

  init(_ archive: TorchArchive) { self.archive = archive }

  func verify(storage key: String) throws(ZIPProblem) {
    guard let entry = archive.storage(key), !verified.withLock({ $0.contains(key) }) else {
      return
    }
    do throws(ZIPError) {
      try archive.zip.verify(entry)
    } catch {
      throw error.problem
    }
    _ = verified.withLock { $0.insert(key) }
  }
}
