import ResidualTensors

/// The NumPy array format (`.npy`), version 1.0: one array of float32 in one file.
///
/// | bytes   | content                                                     |
/// |---------|-------------------------------------------------------------|
/// | 0..<6   | 93 and `NUMPY`                                              |
/// | 6..<8   | version: 1, 0                                               |
/// | 8..<10  | n, the length of the header, little-endian                  |
/// | next n  | the header: a Python dictionary, spaces, a line feed        |
/// | rest    | the elements, row-major, from a multiple of 64 bytes on     |
package enum NumPyArray {
  /// Writes a tensor whole or not at all.
  ///
  /// - Throws: ``FileError``.
  package static func write(_ tensor: Tensor<Float>, to path: String) throws(FileError) {
    let extents = tensor.shape.extents.map(String.init).joined(separator: ", ")
    let tuple = tensor.shape.rank == 1 ? "(\(extents),)" : "(\(extents))"
    var header = Array("{'descr': '<f4', 'fortran_order': False, 'shape': \(tuple), }".utf8)
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    let padding = 64 - (start.count + 2 + header.count + 1) % 64
    header += Array(repeating: UInt8(ascii: " "), count: padding % 64) + [0x0A]
    precondition(header.count <= UInt16.max, "a header of \(header.count) bytes")
    var file = try AtomicFile(at: path)
    try file.append(start + [UInt8(header.count & 0xFF), UInt8(header.count >> 8)] + header)
    try file.append(tensor.scalars.map(\.bitPattern.littleEndian))
    try file.commit()
  }
}
