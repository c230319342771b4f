import ResidualPlatform

/// A file that is written whole or not at all.
///
/// Bytes go to a temporary file in the same folder; ``commit()`` makes them durable and renames the
/// file to its path. Until then a file that was there before stays as it is, and a value that goes
/// out of scope without a commit removes its temporary file. After a crash of the machine the path
/// holds either the old bytes or the new ones. (Pillai et al., All File Systems Are Not Created
/// Equal, OSDI 2014, is why file and folder are both synchronised.)
///
/// A symbolic link at the path is replaced, not followed.
package struct AtomicFile: ~Copyable {
  /// Temporary files are named `.residual-<process>-<random>.tmp`; a killed process leaves one.
  package static let temporaryPrefix = ".residual-"

  /// The path of the file after ``commit()``, as it was given.
  package let path: String
  private let folder: String
  private let temporaryPath: String
  private let calls: SystemCalls
  /// Open as long as the temporary file exists.
  private var descriptor: Int32?

  /// Creates the temporary file.
  ///
  /// - Throws: ``FileError`` if the path is a folder, or its folder is missing or cannot be
  ///   written.
  package init(at path: String) throws(FileError) {
    try self.init(at: path, calls: .real)
  }

  /// As `init(at:)`, with system calls that a test can make fail.
  ///
  /// - Throws: ``FileError``.
  package init(at path: String, calls: SystemCalls) throws(FileError) {
    self.path = path
    self.calls = calls
    folder = Self.folder(of: path)
    var status = stat()
    if path.isEmpty { throw FileError(writing: path, .missing) }
    if path.hasSuffix("/") || (stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR) {
      throw FileError(writing: path, .isFolder)
    }
    var code: Int32 = 0
    for _ in 0..<100 {
      let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
      let candidate = "\(folder)/\(Self.temporaryPrefix)\(getpid())-\(random).tmp"
      let opened = calls.create(candidate)
      if opened >= 0 {
        temporaryPath = candidate
        descriptor = opened
        return
      }
      code = errno
      guard code == EEXIST || code == EINTR else { break }
    }
    throw FileError(writing: path, FileProblem(code: code, operation: "creating", folder: folder))
  }

  deinit {
    if let descriptor {
      close(descriptor)
      unlink(temporaryPath)
    }
  }

  /// Adds bytes at the end.
  package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    guard let descriptor else { preconditionFailure("\(path) is written after its end") }
    try calls.writeAll(bytes, to: descriptor, path: path)
  }

  /// Adds the bytes of an array at the end, elements in the order of this machine.
  package mutating func append<Element: BitwiseCopyable>(
    _ elements: [Element]
  ) throws(FileError) {
    try elements.span.bytes.withUnsafeBytes { bytes throws(FileError) in try append(bytes) }
  }

  /// Adds text at the end, as UTF-8.
  package mutating func append(_ text: String) throws(FileError) {
    try append(Array(text.utf8))
  }

  /// Makes the bytes durable and gives them their path, in place of what was there.
  ///
  /// - Parameter isDurable: whether they must outlive a crash of the machine, which takes some milliseconds.
  /// - Throws: ``FileError``; the path then holds what it held before, unless only the folder could
  ///   not be synchronised.
  package consuming func commit(isDurable: Bool = true) throws(FileError) {
    guard let descriptor else { preconditionFailure("\(path) is committed twice") }
    guard !isDurable || calls.synchronize(descriptor) == 0 else {
      throw FileError(writing: path, FileProblem(code: errno, operation: "synchronising"))
    }
    guard calls.rename(temporaryPath, path) == 0 else {
      throw FileError(
        writing: path, FileProblem(code: errno, operation: "renaming", folder: folder))
    }
    self.descriptor = nil
    close(descriptor)
    if isDurable { try Self.synchronizeFolder(folder, of: path, calls) }
  }

  static func synchronizeFolder(
    _ folder: String, of path: String, _ calls: SystemCalls
  ) throws(FileError) {
    let opened = open(folder, O_RDONLY | O_CLOEXEC)
    // A folder that may be written but not listed cannot be opened, nor synchronised.
    guard opened >= 0 else { return }
    defer { close(opened) }
    guard calls.synchronize(opened) != 0 else { return }
    // Some file systems do not synchronise folders at all, and say so.
    if errno == EINVAL || errno == ENOTSUP { return }
    throw FileError(writing: path, FileProblem(code: errno, operation: "synchronising the folder"))
  }

  /// The folder in which the last component of a path lies.
  package static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

extension AtomicFile {
  /// Writes a whole file: opens it, lets `body` append, and commits if `body` does not throw.
  package static func write(
    to path: String, _ body: (inout AtomicFile) throws -> Void
  ) throws {
    var file = try AtomicFile(at: path)
    try body(&file)
    try file.commit()
  }

  /// Writes a whole file of elements, in the byte order of this machine.
  package static func write<Element: BitwiseCopyable>(
    _ elements: [Element], to path: String
  ) throws(FileError) {
    var file = try AtomicFile(at: path)
    try file.append(elements)
    try file.commit()
  }

  /// Writes a whole file of text, as UTF-8.
  package static func write(
    _ text: String, to path: String, calls: SystemCalls = .real
  ) throws(FileError) {
    var file = try AtomicFile(at: path, calls: calls)
    try file.append(text)
    try file.commit()
  }
}

/// The system calls that can fail for lack of space or because of a broken disk, so that tests can
/// make each of them fail.
package struct SystemCalls: Sendable {
  /// Makes a new file at a path and opens it for writing; gives its descriptor, or −1 with `errno`.
  package var create: @Sendable (String) -> Int32
  /// Makes a folder; gives 0, or −1 with `errno`.
  package var makeFolder: @Sendable (String) -> Int32
  /// Descriptor, bytes and their number; gives the number written, or −1 with `errno`.
  package var write: @Sendable (Int32, UnsafeRawPointer, Int) -> Int
  /// Waits until a descriptor's bytes are on the disk; gives 0, or −1 with `errno`.
  package var synchronize: @Sendable (Int32) -> Int32
  /// Old path and new path; gives 0, or −1 with `errno`.
  package var rename: @Sendable (String, String) -> Int32

  /// Calls of one's own.
  package init(
    create: @escaping @Sendable (String) -> Int32,
    makeFolder: @escaping @Sendable (String) -> Int32,
    write: @escaping @Sendable (Int32, UnsafeRawPointer, Int) -> Int,
    synchronize: @escaping @Sendable (Int32) -> Int32,
    rename: @escaping @Sendable (String, String) -> Int32
  ) {
    (self.create, self.makeFolder, self.write) = (create, makeFolder, write)
    (self.synchronize, self.rename) = (synchronize, rename)
  }

  /// The system's own.
  package static let real = SystemCalls(
    create: { path in
      open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    },
    makeFolder: { path in mkdir(path, 0o777) },
    write: { descriptor, start, count in
      ResidualPlatform.write(descriptor, start, count)
    },
    synchronize: { descriptor in
      #if canImport(Darwin)
        // `fsync` leaves bytes in the drive's own buffer there.
        if fcntl(descriptor, F_FULLFSYNC) == 0 { return 0 }
      #endif
      return fsync(descriptor)
    },
    rename: { old, new in
      ResidualPlatform.rename(old, new)
    })

  /// Writes every byte, in as many calls as the system needs.
  func writeAll(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
  ) throws(FileError) {
    guard let start = bytes.baseAddress else { return }
    var written = 0
    while written < bytes.count {
      let result = write(descriptor, start + written, min(bytes.count - written, 1 << 30))
      if result < 0 && errno == EINTR { continue }
      guard result > 0 else {
        let code = result == 0 ? ENOSPC : errno
        throw FileError(writing: path, FileProblem(code: code, operation: "writing"))
      }
      written += result
    }
  }
}
