import Foundation

/// A folder that is removed with the value.
package final class TemporaryFolder {
  package let url = FileManager.default.temporaryDirectory.appending(
    path: "residual-\(UUID().uuidString)")

  package init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  }
  deinit { try? FileManager.default.removeItem(at: url) }

  package var path: String { url.path }
  package var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }

  /// The names of what a folder in it holds.
  package func files(in name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self[name]).sorted()
  }

  /// The path of a file, whether it is there or not.
  package subscript(name: String) -> String { path + "/" + name }
  package func contains(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: self[name])
  }

  package func data(_ name: String) throws -> Data {
    try Data(contentsOf: url.appending(path: name))
  }
  package func bytes(_ name: String) throws -> [UInt8] { [UInt8](try data(name)) }
  package func text(_ name: String) throws -> String {
    String(decoding: try data(name), as: UTF8.self)
  }

  /// Writes a file, with the folders that it lies in, and returns its path.
  @discardableResult
  package func write(_ bytes: [UInt8], _ name: String) throws -> String {
    let file = url.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
    return file.path
  }
  package func write(_ files: [String: [UInt8]]) throws {
    for (name, bytes) in files { try write(bytes, name) }
  }

  /// A folder without files.
  package func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      at: url.appending(path: name), withIntermediateDirectories: true)
  }

  /// Copies a file or a folder over what was there.
  package func copy(_ name: String, to other: String) throws {
    try? FileManager.default.removeItem(atPath: self[other])
    try FileManager.default.copyItem(atPath: self[name], toPath: self[other])
  }
}
