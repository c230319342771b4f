import Foundation

/// A folder that is written whole or not at all.
package enum NewFolder {
  /// Makes a folder beside a path, lets `body` fill it, and gives it the path.
  ///
  /// - Throws: ``FileError`` where something is at the path, or the folder cannot be made; and what
  ///   `body` throws, after which nothing is left.
  package static func write(to path: String, _ body: (_ folder: String) throws -> Void) throws {
    var status = stat()
    guard lstat(path, &status) != 0 else { throw FileError(path, .isThere) }
    let parent = AtomicFile.folder(of: path)
    let random = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let partial = "\(parent)/\(AtomicFile.temporaryPrefix)\(getpid())-\(random)"
    func check(_ result: Int32, _ operation: String) throws(FileError) {
      guard result == 0 else {
        throw FileError(path, FileProblem(code: errno, operation: operation, folder: parent))
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
