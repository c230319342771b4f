import ResidualFormats
import ResidualPlatform

/// The files of a folder or of an archive, by their paths in it.
///
/// Hidden files and folders (names with a leading dot, AppleDouble's `._` among them) and macOS's
/// `__MACOSX` are left out. Links in archives are left out, links in folders are followed.
struct FileTree: Sendable {
  /// Folders within folders are read to this depth.
  static let maximumDepth = 8

  struct File: Sendable {
    /// The path of the folder in the tree, `""` for the topmost, and the name in it.
    let folder: String
    let name: String
    let content: Content
  }

  enum Content: Sendable {
    case path(String)
    case archived(FileBytes, Range<Int>)
  }

  /// The location as it was given.
  let location: String
  /// Whether paths in the tree are paths of the system.
  let isFolder: Bool
  /// All files, by folder, then by name, in the order of their bytes.
  private(set) var files: [File] = []
  /// Links in archives, and folders that lie too deep: left out, and worth a remark.
  private(set) var leftOutCount = 0
  /// The paths of all folders, also of empty ones, but for the topmost.
  private(set) var folders: Set<String> = []

  /// Reads the list of files.
  init(_ location: String) throws(DatasetError) {
    self.location = location
    var status = stat()
    guard stat(location, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw .missing(location) }
      throw Self.unreadable(location)
    }
    isFolder = Self.isFolder(status)
    if isFolder {
      try list(location, folder: "", inside: [FileIdentity(status)])
    } else {
      try list(archive: Self.archive(at: location))
    }
    sort()
    guard !files.isEmpty else { throw .empty(location) }
  }

  /// Whether there is a folder at a path.
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && isFolder(status)
  }

  private static func isFolder(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFDIR }

  /// What errors call a file or folder of the tree.
  func name(of path: String) -> String {
    path.isEmpty ? location : isFolder ? Self.join(location, path) : location + ":" + path
  }

  func name(of file: File) -> String { name(of: Self.join(file.folder, file.name)) }

  /// The bytes of a file, which may be a part of an archive's.
  struct Bytes: Sendable {
    fileprivate let file: FileBytes
    fileprivate let range: Range<Int>
    var count: Int { range.count }

    func withUnsafeBytes<Result, Failure: Error>(
      _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result { try file.withUnsafeBytes(in: range, body) }
  }

  /// Opens a file.
  func bytes(of file: File) throws(DatasetError) -> Bytes {
    switch file.content {
    case .archived(let archive, let range): return Bytes(file: archive, range: range)
    case .path(let path):
      do throws(FileError) {
        let file = try FileBytes(at: path, allowingEmpty: true)
        return Bytes(file: file, range: 0..<file.count)
      } catch {
        throw .unreadable(reason: error.description)
      }
    }
  }

  /// Lends the bytes of a file.
  func withBytes<Result>(
    of file: File, _ body: (UnsafeRawBufferPointer) throws(DatasetError) -> Result
  ) throws(DatasetError) -> Result {
    try bytes(of: file).withUnsafeBytes(body)
  }

  /// The last component of the location, for reports.
  var lastComponent: String { location.split(separator: "/").last.map(String.init) ?? location }

  static func join(_ folder: String, _ name: String) -> String {
    folder.isEmpty ? name : folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  private static func unreadable(_ path: String) -> DatasetError {
    .unreadable(reason: "\(path): \(String(cString: strerror(errno))); check its permissions")
  }
}

extension FileTree {
  /// Lists a folder that lies in the folders `inside`; one that contains itself, by a link, is
  /// listed once.
  private mutating func list(
    _ path: String, folder: String, inside: [FileIdentity]
  ) throws(DatasetError) {
    guard let directory = opendir(path) else { throw Self.unreadable(path) }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      guard Self.isVisible(name) else { continue }
      let child = Self.join(path, name)
      var status = stat()
      // A link to nothing is found by whoever reads the file.
      guard stat(child, &status) == 0, Self.isFolder(status) else {
        files.append(File(folder: folder, name: name, content: .path(child)))
        continue
      }
      let identity = FileIdentity(status)
      guard !inside.contains(identity) else { continue }
      guard inside.count <= Self.maximumDepth else {
        leftOutCount += 1
        continue
      }
      folders.insert(Self.join(folder, name))
      try list(child, folder: Self.join(folder, name), inside: inside + [identity])
    }
  }

  private static func archive(at location: String) throws(DatasetError) -> FileBytes {
    do {
      let file = try FileBytes(at: location)
      return try Gzip.isGzip(file) ? Gzip.inflate(file) : file
    } catch let error as FileError {
      throw .unreadable(reason: error.description)
    } catch {
      throw .damagedArchive(reason: "\(error)")
    }
  }

  private mutating func list(archive: FileBytes) throws(DatasetError) {
    var reader = TarArchive(archive)
    do throws(TarError) {
      while let entry = try reader.next() {
        var parts = entry.name.split(separator: "/")
        parts.removeAll { $0 == "." }
        guard parts.allSatisfy(Self.isVisible), let name = parts.popLast() else { continue }
        let folder = parts.joined(separator: "/")
        switch entry.kind {
        case .file:
          insert(folder: folder)
          files.append(
            File(folder: folder, name: String(name), content: .archived(archive, entry.range)))
        case .folder:
          insert(folder: Self.join(folder, String(name)))
        case .hardLink, .symbolicLink: leftOutCount += 1
        case .other: break
        }
      }
    } catch {
      // What is no archive at all differs from an archive that is damaged.
      if files.isEmpty && !archive.has(Array("ustar".utf8), at: 257) {
        throw archive.has(Array("PK".utf8), at: 0) ? .zip(location) : .unrecognized(location)
      }
      throw .damagedArchive(reason: error.description)
    }
  }

  /// Adds a folder and those that it lies in.
  private mutating func insert(folder: String) {
    var path = Substring(folder)
    while !path.isEmpty, folders.insert(String(path)).inserted {
      guard let slash = path.lastIndex(of: "/") else { return }
      path = path[..<slash]
    }
  }

  private static func isVisible(_ name: some StringProtocol) -> Bool {
    !name.hasPrefix(".") && name != "__MACOSX"
  }

  /// Sorts the files; of those with one path, which archives may hold, the last remains.
  private mutating func sort() {
    files.sort { first, second in
      first.folder == second.folder
        ? first.name.precedes(second.name) : first.folder.precedes(second.folder)
    }
    var unique: [File] = []
    unique.reserveCapacity(files.count)
    for file in files {
      if let last = unique.last, last.name == file.name, last.folder == file.folder {
        unique.removeLast()
      }
      unique.append(file)
    }
    files = unique
  }
}

extension String {
  /// Whether this text comes before another in the order of their UTF-8 bytes, which does not
  /// depend on language.
  func precedes(_ other: String) -> Bool {
    let fast = utf8.withContiguousStorageIfAvailable { first in
      other.utf8.withContiguousStorageIfAvailable { first.lexicographicallyPrecedes($0) }
    }
    return fast.flatMap { $0 } ?? utf8.lexicographicallyPrecedes(other.utf8)
  }
}
