import ResidualTensors

/// Why an image cannot be read or written. Every case of reading names the file.
public enum ImageError: Refusal, Hashable {
  /// The file has no bytes.
  case empty(file: String)
  /// The first bytes belong to no codec; `found` describes them.
  case unrecognized(file: String, found: String)
  /// The file cannot be decoded; `reason` is the codec's own.
  case damaged(file: String, codec: ImageCodec, reason: String)
  /// The header announces more pixels than the limit.
  case tooLarge(file: String, width: Int, height: Int, limit: Int)
  /// The package was built without this codec.
  case codecMissing(file: String, codec: ImageCodec)
  /// The codec's library cannot start.
  case codecUnavailable(codec: ImageCodec, reason: String)
  /// An image cannot be encoded.
  case notEncoded(codec: ImageCodec, reason: String)
  /// A block of bytes that is not three for each pixel of one or several images.
  case wrongByteCount(Int, width: Int, height: Int, images: Int)
  /// Decoded, the images of a source would take more memory than the machine has.
  case setTooLarge(location: String, images: Int, memory: Int)

  public var kind: RefusalKind {
    switch self {
    case .codecMissing, .codecUnavailable: .unavailable
    case .notEncoded: .output
    case .empty, .unrecognized, .damaged, .tooLarge, .wrongByteCount, .setTooLarge: .input
    }
  }

  public var description: String { text.onOneLine }

  private var text: String {
    switch self {
    case .empty(let file):
      "\(file): the file is empty; restore or remove it"
    case .unrecognized(let file, let found):
      "\(file): neither JPEG nor PNG: it starts as \(found); convert or remove it"
    case .damaged(let file, let codec, let reason):
      "\(file): this \(codec) file cannot be decoded (\(reason)); restore or remove it"
    case .tooLarge(let file, let width, let height, let limit):
      "\(file): \(width)×\(height) pixels are more than the limit of \(limit); make it smaller"
    case .codecMissing(let file, let codec):
      "\(file): this program was built without \(codec); build it with the package trait \(codec)"
    case .codecUnavailable(let codec, let reason):
      "the \(codec) library cannot start (\(reason)); free memory or install the library again"
    case .notEncoded(let codec, let reason):
      "an image cannot be encoded as \(codec) (\(reason)); use a smaller image"
    case .wrongByteCount(let count, let width, let height, let images):
      "\(count) bytes for \(images) \(images == 1 ? "image" : "images") of \(width)×\(height) pixels; "
        + "give three bytes a pixel, and an extent of at least 1"
    case .setTooLarge(let location, let images, let memory):
      "\(location): \(images) images, once decoded, take more than this machine's memory of "
        + "\(memory) bytes; use fewer"
    }
  }
}

/// A file format of images; the raw value is also the name of the package trait that brings it.
public enum ImageCodec: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
  case jpeg = "JPEG"
  case png = "PNG"

  public var description: String { rawValue }

  /// Whether this program was built with the codec.
  public var isAvailable: Bool {
    switch self {
    case .jpeg:
      #if JPEG
        true
      #else
        false
      #endif
    case .png:
      #if PNG
        true
      #else
        false
      #endif
    }
  }

  /// The codec of a file that begins with `bytes`, whatever its name; `nil` for any other file.
  public init?(startOf bytes: UnsafeRawBufferPointer) {
    guard let codec = Self.allCases.first(where: { bytes.starts(with: $0.signature) }) else {
      return nil
    }
    self = codec
  }

  var signature: [UInt8] {
    switch self {
    case .jpeg: [0xff, 0xd8, 0xff]
    case .png: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    }
  }
}
