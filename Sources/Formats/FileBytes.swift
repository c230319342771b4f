import ResidualPlatform

/// The bytes of one file, or of a buffer in memory, for readers of formats.
///
/// Large files are mapped read only, so that reading a part costs that part; small ones are copied.
/// Bytes never change after opening, as long as no other program shortens a mapped file: the
/// system then ends the process (SIGBUS). ``Access/copied`` rules that out.
///
/// Every access is checked against the size. One that lies outside is a mistake of the caller,
/// because a reader of a format tests each offset that it finds before it uses it.
package final class FileBytes: @unchecked Sendable {
  /// How the bytes come into memory.
  package enum Access: Sendable {
    /// Mapped from ``FileBytes/mappingThreshold`` on, copied below.
    case automatic
    case mapped
    case copied
  }

  /// From this size in bytes on, files are mapped.
  package static let mappingThreshold = 1 << 20

  /// Who gives the memory back, and how.
  private enum Owner { case mapping, malloc, allocate }

  /// The path as it was given, or the name of the bytes in memory: for messages.
  package let name: String
  /// The size in bytes.
  package let count: Int
  private let memory: UnsafeRawBufferPointer
  private let owner: Owner

  private init(_ memory: UnsafeRawBufferPointer, _ owner: Owner, name: String) {
    self.name = name
    self.memory = memory
    self.owner = owner
    count = memory.count
  }

  /// Opens a regular file.
  ///
  /// - Throws: ``FileError`` if the file is missing, is a folder or not a regular file, cannot
  ///   be read, or is empty and must not be.
  package convenience init(
    at path: String, access: Access = .automatic, allowingEmpty: Bool = false
  ) throws(FileError) {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw FileError(path, FileProblem(code: errno, operation: "opening"))
    }
    defer { close(descriptor) }
    let size = try Self.size(ofRegular: descriptor, path: path)
    guard size > 0 || allowingEmpty else { throw FileError(path, .empty) }
    let maps = access == .mapped || (access == .automatic && size >= Self.mappingThreshold)
    if size > 0 && maps {
      try self.init(mapping: descriptor, size: size, path: path)
    } else {
      try self.init(reading: descriptor, size: size, path: path)
    }
  }

  /// A copy of bytes in memory, under a name for messages.
  package convenience init(_ bytes: some Collection<UInt8>, name: String = "bytes in memory") {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
    copy.copyBytes(from: bytes)
    self.init(UnsafeRawBufferPointer(copy), .allocate, name: name)
  }

  /// Takes over memory that came from `malloc`.
  convenience init(adopting memory: UnsafeMutableRawPointer, count: Int, name: String) {
    self.init(UnsafeRawBufferPointer(start: memory, count: count), .malloc, name: name)
  }

  private convenience init(
    mapping descriptor: Int32, size: Int, path: String
  ) throws(FileError) {
    let pointer = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let pointer, pointer != MAP_FAILED else {
      throw FileError(path, FileProblem(code: errno, operation: "mapping"))
    }
    self.init(UnsafeRawBufferPointer(start: pointer, count: size), .mapping, name: path)
  }

  private convenience init(
    reading descriptor: Int32, size: Int, path: String
  ) throws(FileError) {
    guard let start = malloc(max(size, 1)) else {
      throw FileError(path, .notEnoughMemory(byteCount: size))
    }
    var filled = 0
    while filled < size {
      let result = read(descriptor, start + filled, min(size - filled, 1 << 30))
      if result < 0 && errno == EINTR { continue }
      if result < 0 {
        let code = errno
        free(start)
        throw FileError(path, FileProblem(code: code, operation: "reading"))
      }
      // The file has become shorter since its size was asked for.
      if result == 0 { break }
      filled += result
    }
    self.init(adopting: start, count: filled, name: path)
  }

  deinit {
    switch owner {
    case .mapping: munmap(UnsafeMutableRawPointer(mutating: memory.baseAddress), memory.count)
    case .malloc: free(UnsafeMutableRawPointer(mutating: memory.baseAddress))
    case .allocate: memory.deallocate()
    }
  }

  private static func size(
    ofRegular descriptor: Int32, path: String
  ) throws(FileError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileError(path, FileProblem(code: errno, operation: "asking for the size"))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw FileError(path, .isFolder)
    default: throw FileError(path, .notRegular)
    }
    guard let size = Int(exactly: status.st_size), size >= 0 else {
      throw FileError(path, .tooLarge)
    }
    return size
  }
}

extension FileBytes {
  /// Lends all bytes. The pointer must not leave `body`.
  package func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(memory)
  }

  /// Lends the bytes of a range. The pointer must not leave `body`.
  ///
  /// - Precondition: the range lies within `0..<count`.
  package func withUnsafeBytes<Result, Failure: Error>(
    in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    check(range)
    return try body(UnsafeRawBufferPointer(rebasing: memory[range]))
  }

  /// One byte.
  ///
  /// - Precondition: the offset lies within `0..<count`.
  package subscript(offset: Int) -> UInt8 {
    precondition(offset >= 0 && offset < count, "byte \(offset) of \(count) in \(name)")
    return memory[offset]
  }

  /// A copy of a range of bytes.
  ///
  /// - Precondition: the range lies within `0..<count`.
  package subscript(range: Range<Int>) -> [UInt8] {
    check(range)
    return Array(memory[range])
  }

  /// The little-endian integer at an offset, `nil` if it does not lie wholly in the file.
  package func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type, at offset: Int
  ) -> Value? {
    guard offset >= 0, offset <= count, count - offset >= MemoryLayout<Value>.size else {
      return nil
    }
    return Value(littleEndian: memory.loadUnaligned(fromByteOffset: offset, as: type))
  }

  /// The longest name within a file, in bytes. The time of comparing texts by Unicode's rules grows
  /// with the square of a hostile name's length.
  package static let maximumNameLength = 512

  /// Whether the file has these bytes at an offset.
  package func has(_ bytes: [UInt8], at offset: Int = 0) -> Bool {
    guard offset >= 0, offset <= count, count - offset >= bytes.count else { return false }
    return memory[offset..<offset + bytes.count].elementsEqual(bytes)
  }

  /// The text of a range, `nil` if it is not UTF-8.
  ///
  /// - Precondition: the range lies within `0..<count`.
  package func text(in range: Range<Int>) -> String? {
    check(range)
    return String(validating: memory[range], as: UTF8.self)
  }

  private func check(_ range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count, "bytes \(range) of \(count) in \(name)")
  }
}
