#if JPEG
  import CTurboJPEG

  /// A handle of TurboJPEG, used for one file after another.
  final class JPEGDecoder {
    private let handle: tjhandle

    init() throws(ImageError) {
      guard let handle = tjInitDecompress() else {
        throw .codecUnavailable(codec: .jpeg, reason: String(cString: tjGetErrorStr2(nil)))
      }
      self.handle = handle
    }

    deinit { tjDestroy(handle) }

    /// Decodes to RGB: grey is repeated, YCCK and CMYK are multiplied out.
    ///
    /// Any damage that the library reports is an error, though it could fill the rest of a
    /// truncated file with grey. The exception is surplus bytes between segments: they are known
    /// to occur in widely used data sets, and no pixel depends on them.
    func decode(
      _ bytes: UnsafeRawBufferPointer, file: String, pixelLimit: Int
    ) throws(ImageError) -> Image {
      let source = bytes.bindMemory(to: UInt8.self).baseAddress
      guard let count = UInt(exactly: bytes.count) else {
        throw .damaged(file: file, codec: .jpeg, reason: "\(bytes.count) bytes")
      }
      var width: Int32 = 0
      var height: Int32 = 0
      var subsampling: Int32 = -1
      var colours: Int32 = -1
      let status = tjDecompressHeader3(
        handle, source, count, &width, &height, &subsampling, &colours)
      // The header is read if there are extents. The status does not say so: it is 0 for a file
      // of tables without an image, and not 0 for unusual subsampling, which decoding supports.
      guard width > 0, height > 0, colours >= 0 else {
        let reason = status == 0 ? "it holds no image" : reason
        throw .damaged(file: file, codec: .jpeg, reason: reason)
      }
      let (columns, rows) = (Int(width), Int(height))
      try ImageDecoder.check(width: columns, height: rows, file: file, limit: pixelLimit)

      let inks = colours == TJCS_CMYK.rawValue || colours == TJCS_YCCK.rawValue
      let format = inks ? TJPF_CMYK : TJPF_RGB
      let byteCount = columns * rows * (inks ? 4 : 3)
      var decoded = false
      let pixels = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initialized in
        // The first attempt stops at the first complaint, which keeps damaged files cheap.
        for strictness in [TJFLAG_STOPONWARNING, 0] {
          let status = tjDecompress2(
            handle, source, count, buffer.baseAddress, width, 0, height, format.rawValue,
            TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS | strictness)
          decoded = status == 0 || (strictness == 0 && onlySurplusBytes)
          guard !decoded, onlySurplusBytes else { break }
        }
        initialized = decoded ? byteCount : 0
      }
      guard decoded else { throw .damaged(file: file, codec: .jpeg, reason: reason) }
      return Image(width: columns, height: rows, checked: inks ? Self.rgb(inks: pixels) : pixels)
    }

    /// The library's last message.
    private var reason: String { String(cString: tjGetErrorStr2(handle)) }

    private var onlySurplusBytes: Bool {
      tjGetErrorCode(handle) == Int32(TJERR_WARNING.rawValue) && reason.contains("extraneous bytes")
    }

    /// Four inks to red, green and blue: each is `ink * black / 255`, rounded. Files store inks
    /// inverted (255 is none), as Adobe's programs do.
    private static func rgb(inks: [UInt8]) -> [UInt8] {
      [UInt8](unsafeUninitializedCapacity: inks.count / 4 * 3) { buffer, initialized in
        initialized = inks.count / 4 * 3
        for pixel in 0..<inks.count / 4 {
          let black = Int(inks[4 * pixel + 3])
          for channel in 0..<3 {
            let light = Int(inks[4 * pixel + channel]) * black
            buffer[3 * pixel + channel] = UInt8((light + 127) / 255)
          }
        }
      }
    }
  }
#endif
