import Foundation
import ResidualImages

/// The files that `Tests/Fixtures/Images/make.py` has made.
enum Fixtures {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/Images")

  static func bytes(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: folder.appending(path: name)))
  }

  /// An image as width and height, little-endian of 32 bits, then its pixels.
  static func expected(_ name: String) throws -> Image {
    try image(raw: bytes(name + ".rgb"))
  }

  static func image(raw bytes: [UInt8]) -> Image {
    let extents = bytes.withUnsafeBytes { raw in
      (0..<2).map { Int(raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self).littleEndian) }
    }
    return Image(width: extents[0], height: extents[1], checked: Array(bytes.dropFirst(8)))
  }
}

/// The Python with Pillow that live tests compare with, where the environment names one.
let python = ProcessInfo.processInfo.environment["RESNET_PYTHON"]

/// The largest difference of two images' bytes; `nil` where their extents differ.
func distance(_ a: Image, _ b: Image) -> Int? {
  guard a.width == b.width, a.height == b.height else { return nil }
  return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max()
}
