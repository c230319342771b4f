/// Decodes JPEG and PNG files to ``Image``.
///
/// The first bytes decide the codec. Pixels are taken as stored: colour profiles, gamma and the
/// orientation of EXIF are not applied, as `PIL.Image.convert("RGB")` does not.
///
/// A decoder keeps the codec's working memory, which for small files costs more to make than a
/// decoding does: use one for many files, and one for each thread.
public final class ImageDecoder {
  /// 8,192 × 10,922 and some: an image of that size takes 256 MiB.
  public static let defaultPixelLimit = 89_478_485

  /// The largest number of pixels that is decoded; more are refused when the header is read.
  public let pixelLimit: Int

  #if JPEG
    private var jpeg: JPEGDecoder?
  #endif

  /// - Precondition: the limit is positive and at most ``defaultPixelLimit``.
  public init(pixelLimit: Int = ImageDecoder.defaultPixelLimit) {
    precondition(
      (1...Self.defaultPixelLimit).contains(pixelLimit), "\(pixelLimit) is no limit of pixels")
    self.pixelLimit = pixelLimit
  }

  /// Decodes one file.
  ///
  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - file: What errors call the file.
  /// - Throws: ``ImageError``, also if only the last bytes of the file are missing.
  /// - Complexity: Linear in pixels; memory of 3 bytes a pixel, for a progressive JPEG up to 9.
  public func decode(_ bytes: UnsafeRawBufferPointer, file: String) throws(ImageError) -> Image {
    guard !bytes.isEmpty else { throw .empty(file: file) }
    guard let codec = ImageCodec(startOf: bytes) else {
      throw .unrecognized(file: file, found: Self.describe(startOf: bytes))
    }
    switch codec {
    case .jpeg:
      #if JPEG
        let decoder: JPEGDecoder
        if let jpeg { decoder = jpeg } else { decoder = try JPEGDecoder() }
        // A handle that has failed can be left in the middle of a header: only one that succeeds is
        // kept.
        jpeg = nil
        let image = try decoder.decode(bytes, file: file, pixelLimit: pixelLimit)
        jpeg = decoder
        return image
      #else
        throw .codecMissing(file: file, codec: codec)
      #endif
    case .png:
      #if PNG
        return try PNG.decode(bytes, file: file, pixelLimit: pixelLimit)
      #else
        throw .codecMissing(file: file, codec: codec)
      #endif
    }
  }

  /// Decodes one file that lies in an array.
  public func decode(_ bytes: [UInt8], file: String) throws(ImageError) -> Image {
    try bytes.withUnsafeBufferPointer { (buffer) throws(ImageError) in
      try decode(UnsafeRawBufferPointer(buffer), file: file)
    }
  }

  /// Checks extents that a header announces.
  static func check(width: Int, height: Int, file: String, limit: Int) throws(ImageError) {
    let (count, overflow) = width.multipliedReportingOverflow(by: height)
    guard !overflow, count <= limit else {
      throw .tooLarge(file: file, width: width, height: height, limit: limit)
    }
  }

  /// A word for a file that is not an image we read: its format if that is known, else its bytes.
  private static func describe(startOf bytes: UnsafeRawBufferPointer) -> String {
    let known: [(name: String, offset: Int, signature: String)] = [
      ("GIF", 0, "GIF8"), ("WebP", 8, "WEBP"), ("BMP", 0, "BM"), ("TIFF", 0, "II*\0"),
      ("TIFF", 0, "MM\0*"), ("HEIC", 4, "ftyphei"), ("AVIF", 4, "ftypavi"), ("ZIP", 0, "PK"),
    ]
    for (name, offset, signature) in known
    where bytes.dropFirst(offset).starts(with: signature.utf8) { return name }
    let digits = bytes.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return "bytes " + digits.joined(separator: " ")
  }
}
