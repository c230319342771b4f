/// What EXIF says of an image.
package enum EXIF {
  /// Whether a JPEG or PNG file is to be turned or mirrored before it is shown: its orientation is one of
  /// 2 to 8.
  ///
  /// Source: CIPA DC-008 (Exif 3.0), tag 274.
  package static func isTurned(_ file: UnsafeRawBufferPointer) -> Bool {
    let bytes = Bytes(file: file)
    switch ImageCodec(startOf: file) {
    case .jpeg: return (2...8).contains(orientation(jpeg: bytes) ?? 1)
    case .png: return (2...8).contains(orientation(png: bytes) ?? 1)
    case nil: return false
    }
  }

  /// The segments before the picture: `FF`, a code, a length that counts itself.
  private static func orientation(jpeg bytes: Bytes) -> Int? {
    var start = 2
    while let marker = bytes.number(at: start, 2), marker >> 8 == 0xff, marker != 0xffda,
      let length = bytes.number(at: start + 2, 2)
    {
      if marker == 0xffe1, bytes.number(at: start + 4, 6) == 0x4578_6966_0000 {
        return orientation(block: bytes, start + 10)
      }
      start += 2 + length
    }
    return nil
  }

  /// The chunks: a length, a name, as many bytes, a checksum.
  private static func orientation(png bytes: Bytes) -> Int? {
    var start = 8
    while let length = bytes.number(at: start, 4), let name = bytes.number(at: start + 4, 4) {
      if name == 0x6558_4966 { return orientation(block: bytes, start + 8) }
      start += 12 + length
    }
    return nil
  }

  /// A TIFF header, and the first list of entries: a tag, a type, a count, a value.
  private static func orientation(block bytes: Bytes, _ start: Int) -> Int? {
    var bytes = bytes
    bytes.isLittleEndian = bytes.number(at: start, 2) == 0x4949
    guard bytes.number(at: start + 2, 2) == 42, let list = bytes.number(at: start + 4, 4),
      let count = bytes.number(at: start + list, 2)
    else { return nil }
    for entry in 0..<count where bytes.number(at: start + list + 2 + 12 * entry, 2) == 274 {
      return bytes.number(at: start + list + 10 + 12 * entry, 2)
    }
    return nil
  }

  private struct Bytes {
    let file: UnsafeRawBufferPointer
    var isLittleEndian = false

    /// A number of so many bytes; `nil` where the file ends before.
    func number(at start: Int, _ count: Int) -> Int? {
      guard start <= file.count - count else { return nil }
      let bytes = file[start..<start + count]
      return (isLittleEndian ? Array(bytes.reversed()) : Array(bytes)).reduce(0) {
        $0 << 8 | Int($1)
      }
    }
  }
}
