import ResidualPlatform

#if GZIP
  import CZlib
#endif

/// The gzip format (RFC 1952): compressed bytes with a checksum, inflated by zlib.
///
/// Layout of a file: one or more members, one after another; their contents are joined.
///
/// | bytes of a member | content                                                          |
/// |-------------------|------------------------------------------------------------------|
/// | 0..<2             | 1F 8B                                                            |
/// | 2                 | 8: deflate                                                       |
/// | 3                 | flags: which of the optional fields follow                       |
/// | 4..<10            | time, extra flags, system                                        |
/// | …                 | optional fields, then a deflate stream (RFC 1951)                |
/// | last 8            | CRC-32 of the content, its length modulo 2³², little-endian      |
///
/// After the last member zeros are ignored, as tapes leave them. Anything else is refused, because
/// it is a damaged member or not meant to be read.
///
/// Deflate reaches 1032 bytes for each byte of the file, so the output is limited: see
/// ``defaultLimit(for:)``.
package enum Gzip {
  /// The largest output for each byte of input.
  package static let maximumRatio = 200
  /// An output up to this size is allowed for any input.
  package static let alwaysAllowed = 64 << 20
  /// The largest output for any input.
  package static let maximumOutput = 8 << 30

  static let magic: [UInt8] = [0x1F, 0x8B]

  /// Whether a file starts as a gzip file does.
  package static func isGzip(_ file: FileBytes) -> Bool { file.has(magic) }

  /// Whether the program was built with zlib.
  package static var isAvailable: Bool {
    #if GZIP
      true
    #else
      false
    #endif
  }

  /// The largest output of an input of that many bytes: ``maximumRatio`` for each, but at least
  /// ``alwaysAllowed`` and at most ``maximumOutput``.
  package static func defaultLimit(for byteCount: Int) -> Int {
    let (product, overflow) = byteCount.multipliedReportingOverflow(by: maximumRatio)
    return overflow ? maximumOutput : min(max(product, alwaysAllowed), maximumOutput)
  }

  /// The content of all members.
  ///
  /// - Parameter limit: the largest output in bytes; by default ``defaultLimit(for:)``.
  /// - Returns: the bytes, under the name of the file.
  /// - Throws: ``GzipError``; always, if the package is built without its trait `GZIP`.
  /// - Complexity: linear in the output; memory stays under twice the output.
  package static func inflate(
    _ file: FileBytes, limit: Int? = nil
  ) throws(GzipError) -> FileBytes {
    #if GZIP
      do throws(GzipProblem) {
        guard isGzip(file) else { throw .notGzip }
        var inflation = Inflation(limit: limit ?? defaultLimit(for: file.count))
        try file.withUnsafeBytes { input throws(GzipProblem) in try inflation.run(input) }
        return inflation.finish(name: file.name)
      } catch {
        throw GzipError(file.name, error)
      }
    #else
      throw GzipError(file.name, .notBuilt)
    #endif
  }
}

/// A gzip file that cannot be unpacked, and why.
package typealias GzipError = FormatError<GzipProblem>

/// What can be wrong with a gzip file. Offsets count from the start of the file.
package enum GzipProblem: Error, Equatable, Sendable, CustomStringConvertible {
  case notBuilt
  case notGzip
  /// A header of a member with an unknown method, reserved flags or a wrong checksum of its own.
  case invalidHeader(offset: Int)
  case corrupt(offset: Int)
  case wrongChecksum(offset: Int)
  case wrongLength(offset: Int)
  case truncated(byteCount: Int)
  case trailingBytes(offset: Int)
  case tooLarge(limit: Int)
  case notEnoughMemory(byteCount: Int)

  package var description: String {
    switch self {
    case .notBuilt:
      "this program is built without gzip; unpack the file, or build with the trait GZIP"
    case .notGzip: "not a gzip file; it does not start with the bytes 1F 8B"
    case .invalidHeader(let offset):
      "the gzip header at byte \(offset) is not valid; fetch the file again"
    case .corrupt(let offset):
      "the compressed data are damaged before byte \(offset); fetch the file again"
    case .wrongChecksum(let offset):
      "the checksum before byte \(offset) does not fit the content; fetch the file again"
    case .wrongLength(let offset):
      "the length before byte \(offset) does not fit the content; fetch the file again"
    case .truncated(let byteCount):
      "the file is cut off after \(byteCount) bytes; fetch it again"
    case .trailingBytes(let offset):
      "byte \(offset) behind the compressed data belongs to nothing; compress the file again"
    case .tooLarge(let limit):
      "the content exceeds \(limit) bytes; if the file can be trusted, unpack it with gunzip"
    case .notEnoughMemory(let byteCount):
      "not enough memory for \(byteCount) bytes of content; unpack the file with gunzip"
    }
  }
}

#if GZIP
  /// A buffer that grows as zlib fills it.
  private struct Inflation: ~Copyable {
    private let limit: Int
    private var output: UnsafeMutableRawPointer?
    private var capacity = 0
    private var count = 0

    init(limit: Int) {
      precondition(limit >= 0, "a negative limit of \(limit) bytes")
      self.limit = limit
    }

    deinit { free(output) }

    consuming func finish(name: String) -> FileBytes {
      // Giving back what is not needed cannot fail in a way that matters.
      let bytes = output.flatMap { realloc($0, max(count, 1)) ?? $0 }
      output = nil
      guard let bytes else { return FileBytes([], name: name) }
      return FileBytes(adopting: bytes, count: count, name: name)
    }

    mutating func run(_ input: UnsafeRawBufferPointer) throws(GzipProblem) {
      var stream = z_stream()
      // 15 bits of window, and 16 for "gzip only".
      let size = Int32(MemoryLayout<z_stream>.size)
      guard inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, size) == Z_OK else {
        throw .notEnoughMemory(byteCount: 1 << 16)
      }
      defer { inflateEnd(&stream) }
      var offset = 0
      repeat {
        offset = try member(input, at: offset, &stream)
        inflateReset(&stream)
      } while try hasAnotherMember(input, at: offset)
    }

    private func hasAnotherMember(
      _ input: UnsafeRawBufferPointer, at offset: Int
    ) throws(GzipProblem) -> Bool {
      let rest = input[offset...]
      if rest.starts(with: Gzip.magic) { return true }
      if let other = rest.firstIndex(where: { $0 != 0 }) { throw .trailingBytes(offset: other) }
      return false
    }

    /// Inflates one member and returns the offset after it.
    private mutating func member(
      _ input: UnsafeRawBufferPointer, at start: Int, _ stream: inout z_stream
    ) throws(GzipProblem) -> Int {
      var offset = start
      while true {
        if count == capacity { try grow(inputCount: input.count) }
        let given = min(input.count - offset, 1 << 30)
        let room = min(capacity - count, 1 << 30)
        stream.next_in = UnsafeMutablePointer(
          mutating: input.baseAddress?.advanced(by: offset).assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(given)
        stream.next_out = output?.advanced(by: count).assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(room)
        let status = CZlib.inflate(&stream, Z_NO_FLUSH)
        offset += given - Int(stream.avail_in)
        count += room - Int(stream.avail_out)
        // The room has one byte more than the limit, so that the end can be seen at the limit.
        guard count <= limit else { throw .tooLarge(limit: limit) }
        switch status {
        case Z_STREAM_END: return offset
        case Z_OK, Z_BUF_ERROR:
          if offset == input.count && count < capacity { throw .truncated(byteCount: offset) }
        case Z_MEM_ERROR: throw .notEnoughMemory(byteCount: capacity)
        default: throw problem(stream, start: start, offset: offset)
        }
      }
    }

    private mutating func grow(inputCount: Int) throws(GzipProblem) {
      // `limit` may be the largest integer, and so may twice the capacity.
      let most = limit == Int.max ? limit : limit + 1
      let wanted = max(1 << 16, capacity == 0 ? min(inputCount, 1 << 30) * 4 : capacity)
      let (doubled, overflow) = capacity.addingReportingOverflow(wanted)
      let larger = overflow ? most : min(doubled, most)
      guard larger > capacity, let memory = realloc(output, larger) else {
        throw .notEnoughMemory(byteCount: larger)
      }
      output = memory
      capacity = larger
    }

    /// zlib tells its data errors apart by their text only, which has been the same for decades.
    private func problem(_ stream: z_stream, start: Int, offset: Int) -> GzipProblem {
      switch stream.msg.map({ String(cString: $0) }) {
      case "incorrect data check": .wrongChecksum(offset: offset)
      case "incorrect length check": .wrongLength(offset: offset)
      case "incorrect header check", "unknown compression method", "unknown header flags set",
        "header crc mismatch":
        .invalidHeader(offset: start)
      default: .corrupt(offset: offset)
      }
    }
  }
#endif
