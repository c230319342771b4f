import Foundation
import ResidualTensors

/// Arrays of float32 that NumPy has written, as an independent truth.
package enum NumPyFile {
  /// Reads version 1.0 of the format, row-major.
  package static func floats(at path: String) throws -> Tensor<Float> {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let end = 10 + Int(bytes[8]) + 256 * Int(bytes[9])
    let header = String(decoding: bytes[10..<end], as: UTF8.self)
    guard header.contains("'<f4'"), header.contains("False"),
      let tuple = header.firstMatch(of: /\(([0-9, ]*)\)/)
    else { throw CocoaError(.fileReadCorruptFile) }
    let extents = tuple.1.split(separator: ",").compactMap {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    let scalars = bytes[end...].withUnsafeBytes { data in
      (0..<data.count / 4).map { data.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
    return Tensor(Shape(extents), scalars)
  }
}
