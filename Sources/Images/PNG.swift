#if PNG
  import CPNG
#endif

/// The PNG format, through libpng.
public enum PNG {
  /// Encodes an image with 8 bits a channel.
  ///
  /// - Returns: The bytes of a PNG file.
  /// - Throws: ``ImageError`` if the codec is missing, memory is short or an extent exceeds
  ///   libpng's limit of 1,000,000 pixels.
  public static func encode(_ image: Image) throws(ImageError) -> [UInt8] {
    #if PNG
      guard let width = UInt32(exactly: image.width), let height = UInt32(exactly: image.height)
      else { throw .notEncoded(codec: .png, reason: "\(image.width)×\(image.height) pixels") }
      var count = 0
      var message = Message()
      guard
        let bytes = message.fill({ text, size in
          cpngEncode(image.pixels, width, height, &count, text, size)
        })
      else { throw .notEncoded(codec: .png, reason: message.text) }
      defer { cpngFree(bytes) }
      return Array(UnsafeBufferPointer(start: bytes, count: count))
    #else
      throw .codecMissing(file: "PNG.encode", codec: .png)
    #endif
  }

  #if PNG
    /// Decodes to RGB: palettes and grey are expanded, 16 bits are scaled to 8 with rounding,
    /// transparency is dropped (not composited, so that training sees what `convert("RGB")` of
    /// Pillow shows), and interlaced files are whole or an error.
    static func decode(
      _ bytes: UnsafeRawBufferPointer, file: String, pixelLimit: Int
    ) throws(ImageError) -> Image {
      var width: UInt32 = 0
      var height: UInt32 = 0
      var message = Message()
      let source = bytes.bindMemory(to: UInt8.self).baseAddress
      guard
        let reader = message.fill({ text, size in
          cpngOpen(source, bytes.count, &width, &height, text, size)
        })
      else { throw .damaged(file: file, codec: .png, reason: message.text) }
      defer { cpngClose(reader) }
      let (columns, rows) = (Int(width), Int(height))
      try ImageDecoder.check(width: columns, height: rows, file: file, limit: pixelLimit)

      var status: Int32 = -1
      let byteCount = columns * rows * 3
      let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
        status = message.fill { text, size in cpngRead(reader, buffer.baseAddress, text, size) }
        initialized = status == 0 ? byteCount : 0
      }
      guard status == 0 else { throw .damaged(file: file, codec: .png, reason: message.text) }
      return Image(width: columns, height: rows, checked: pixels)
    }

    /// A buffer for the reason of a failure.
    private struct Message {
      private var bytes = [CChar](repeating: 0, count: 256)

      var text: String {
        String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      }

      mutating func fill<Result>(_ body: (UnsafeMutablePointer<CChar>?, Int) -> Result) -> Result {
        bytes.withUnsafeMutableBufferPointer { body($0.baseAddress, $0.count) }
      }
    }
  #endif
}
