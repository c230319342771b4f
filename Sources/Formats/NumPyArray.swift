import ResidualTensors

/// The NumPy array format (`.npy`): one array in one file.
///
/// Layout of a file, integers little-endian:
///
/// | bytes              | content                                                          |
/// |--------------------|------------------------------------------------------------------|
/// | 0..<6              | 93 and `NUMPY`                                                   |
/// | 6..<8              | version: 1.0, 2.0 or 3.0                                         |
/// | 8..<10, or 8..<12  | n, the length of the header: 16 bits in version 1.0, else 32     |
/// | next n             | the header: a Python dictionary, spaces, a line feed             |
/// | rest               | the elements, row-major                                          |
///
/// The header is `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, its three keys in
/// any order, each once; a tuple of one number ends in a comma. Read are float32 (`<f4`), float64
/// (`<f8`) and int64 (`<i8`); every other type, column-major order, and bytes behind the elements
/// are refused. The writer writes version 1.0, with the elements at a multiple of 64 bytes.
package enum NumPyArray: Equatable, Sendable {
  case float32(Tensor<Float>)
  case float64(Tensor<Double>)
  case int64(Tensor<Int64>)

  /// The longest header in bytes.
  package static let maximumHeaderLength = 1 << 16
  /// The highest number of axes, as in NumPy 2.
  package static let maximumRank = 64

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  static let alignment = 64

  /// The extents of the axes, outermost first.
  package var shape: Shape {
    switch self {
    case .float32(let tensor): tensor.shape
    case .float64(let tensor): tensor.shape
    case .int64(let tensor): tensor.shape
    }
  }

  /// Reads the whole array.
  ///
  /// - Throws: ``NumPyError`` where the file breaks the layout above or holds what is not read.
  /// - Complexity: O(bytes).
  package init(_ file: FileBytes) throws(NumPyError) {
    do throws(NumPyProblem) {
      let header = try NumPyHeader(file)
      self = file.withUnsafeBytes(in: header.range) { bytes in
        switch header.type {
        case .float32:
          .float32(
            Tensor(header.shape, read(bytes) { Float(bitPattern: UInt32(littleEndian: $0)) }))
        case .float64:
          .float64(
            Tensor(header.shape, read(bytes) { Double(bitPattern: UInt64(littleEndian: $0)) }))
        case .int64:
          .int64(Tensor(header.shape, read(bytes) { Int64(littleEndian: $0) }))
        }
      }
    } catch {
      throw NumPyError(file.name, error)
    }
  }

  /// The bytes of a file.
  package var encoded: [UInt8] {
    switch self {
    case .float32(let tensor):
      Self.header(.float32, tensor.shape) + bytes(tensor.scalars.map(\.bitPattern.littleEndian))
    case .float64(let tensor):
      Self.header(.float64, tensor.shape) + bytes(tensor.scalars.map(\.bitPattern.littleEndian))
    case .int64(let tensor):
      Self.header(.int64, tensor.shape) + bytes(tensor.scalars.map(\.littleEndian))
    }
  }

  /// Writes a file whole or not at all.
  package func write(to path: String) throws(FileError) {
    try AtomicFile.write(encoded, to: path)
  }

  private static func header(_ type: NumPyHeader.Element, _ shape: Shape) -> [UInt8] {
    let extents = shape.extents.map(String.init).joined(separator: ", ")
    let tuple = shape.rank == 1 ? "(\(extents),)" : "(\(extents))"
    var text = Array(
      "{'descr': '\(type.rawValue)', 'fortran_order': False, 'shape': \(tuple), }".utf8)
    let start = magic.count + 4
    let padding = alignment - (start + text.count + 1) % alignment
    text += Array(repeating: UInt8(ascii: " "), count: padding % alignment) + [0x0A]
    precondition(text.count <= UInt16.max, "a header of \(text.count) bytes")
    return magic + [1, 0, UInt8(text.count & 0xFF), UInt8(text.count >> 8)] + text
  }
}

private func read<Stored: BitwiseCopyable, Scalar>(
  _ bytes: UnsafeRawBufferPointer, _ convert: (Stored) -> Scalar
) -> [Scalar] {
  stride(from: 0, to: bytes.count, by: MemoryLayout<Stored>.size).map {
    convert(bytes.loadUnaligned(fromByteOffset: $0, as: Stored.self))
  }
}

private func bytes<Element: BitwiseCopyable>(_ elements: [Element]) -> [UInt8] {
  elements.withUnsafeBytes { Array($0) }
}
