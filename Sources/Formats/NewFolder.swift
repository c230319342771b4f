import Foundation

/// A folder that is written whole or not at all.
package enum NewFolder {
  /// Makes a folder next to a path, lets `body` fill it, and then renames it to the path.
  ///
  /// - Throws: ``FileError`` if something is at the path, or the folder cannot be made; and what
  ///   `body` throws, after which nothing is left.
  package static func write(to path: String, _ body: (_ folder: String) throws -> Void) throws {
    var status = stat()
    guard lstat(path, &status) != 0 else { throw FileError(writing: path, .isThere) }
    let parent = AtomicFile.folder(of: path)
    let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let partial = "\(parent)/\(AtomicFile.temporaryPrefix)\(getpid())-\(random)"
    func check(_ result: Int32, _ operation: String) throws(FileError) {
      guard result == 0 else {
        throw FileError(
          writing: path, FileProblem(code: errno, operation: operation, folder: parent))
      }
    }
    try check(mkdir(partial, 0o777), "creating")
    do {
      try body(partial)
      try check(rename(partial, path), "renaming")
    } catch {
      try? FileManager.default.removeItem(atPath: partial)
      throw error
    }
  }
}

/// A file or folder that is written under another name, checked there, and only then given its path.
package enum CheckedPlace {
  /// Lets `body` write and check, and gives the result its path. Where `body` throws, nothing is left and
  /// nothing has changed.
  ///
  /// - Parameter body: is given a path in the same folder, with the same ending.
  /// - Throws: ``FileError``, and what `body` throws.
  package static func write<Result>(
    to path: String, _ body: (_ partial: String) throws -> Result
  ) throws -> Result {
    let folder = AtomicFile.folder(of: path)
    let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let name = path.split(separator: "/").last ?? ""
    let partial = "\(folder)/\(AtomicFile.temporaryPrefix)\(getpid())-\(random)-\(name)"
    defer { try? FileManager.default.removeItem(atPath: partial) }
    let result = try body(partial)
    guard SystemCalls.real.rename(partial, path) == 0 else {
      throw FileError(
        writing: path, FileProblem(code: errno, operation: "renaming", folder: folder))
    }
    try AtomicFile.synchronizeFolder(folder, of: path, .real)
    return result
  }
}
