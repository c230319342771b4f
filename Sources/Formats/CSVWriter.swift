// Comma-separated values: rows end in a line feed; a field that holds a comma, a quotation mark or
// an end of line, or starts or ends with a space, is in quotation marks, and quotation marks
// inside are doubled (RFC 4180, which ends rows in CR LF; the tools that read our files take both).

import ResidualPlatform

/// A table that grows by rows. Each row reaches the system as one call, so a killed process leaves
/// whole rows, and another program can read the table while it grows.
package struct CSVWriter: ~Copyable {
  /// The path as it was given.
  package let path: String
  /// The first row, which says how many fields every row has.
  package let columns: [String]
  private let descriptor: Int32

  /// Opens a table.
  ///
  /// - Parameters:
  ///   - columns: the first row.
  ///   - appending: whether rows of an existing table stay, whose first row must then be the same;
  ///     a last row without its end, left by a crash of the machine, is removed.
  /// - Throws: ``FileError`` if the file cannot be opened or is another table.
  package init(at path: String, columns: [String], appending: Bool = false) throws(FileError) {
    precondition(!columns.isEmpty, "a table without columns")
    descriptor = try Self.descriptor(of: path, first: Self.line(columns), appending: appending)
    self.path = path
    self.columns = columns
  }

  deinit { close(descriptor) }

  /// Appends one row.
  ///
  /// - Precondition: there is one field for each column.
  package mutating func append(_ fields: [String]) throws(FileError) {
    try append(rows: [fields])
  }

  /// Appends rows in one call.
  ///
  /// - Precondition: each has one field for each column.
  package mutating func append(rows: [[String]]) throws(FileError) {
    for fields in rows {
      precondition(
        fields.count == columns.count, "\(fields.count) fields for \(columns.count) columns")
    }
    try Self.write(rows.map(Self.line).joined(), to: descriptor, path: path)
  }

  /// Waits until the rows are on the disk.
  package mutating func flush() throws(FileError) {
    guard SystemCalls.real.synchronize(descriptor) == 0 else {
      throw FileError(writing: path, FileProblem(code: errno, operation: "synchronising"))
    }
  }

  /// One row with its end.
  package static func line(_ fields: [String]) -> String {
    fields.map(quoted).joined(separator: ",") + "\n"
  }

  private static func quoted(_ field: String) -> String {
    let needsQuotes =
      field.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13].contains($0) }
      || field.utf8.first == UInt8(ascii: " ") || field.utf8.last == UInt8(ascii: " ")
    guard needsQuotes else { return field }
    var result = "\""
    for scalar in field.unicodeScalars {
      result.unicodeScalars.append(scalar)
      if scalar == "\"" { result.unicodeScalars.append(scalar) }
    }
    return result + "\""
  }

  /// Opens the table, shortens it to the rows that stay, and gives a new one its first row.
  private static func descriptor(
    of path: String, first: String, appending: Bool
  ) throws(FileError) -> Int32 {
    let kept = appending ? try wholeRows(of: path, first: first) : 0
    let opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard opened >= 0 else {
      let code = errno
      let folder = AtomicFile.folder(of: path)
      throw FileError(writing: path, FileProblem(code: code, operation: "opening", folder: folder))
    }
    do throws(FileError) {
      guard ftruncate(opened, off_t(kept)) == 0 else {
        throw FileError(writing: path, FileProblem(code: errno, operation: "shortening"))
      }
      if kept == 0 { try write(first, to: opened, path: path) }
    } catch {
      close(opened)
      throw error
    }
    return opened
  }

  private static func write(
    _ line: String, to descriptor: Int32, path: String
  ) throws(FileError) {
    try Array(line.utf8).span.bytes.withUnsafeBytes { bytes throws(FileError) in
      try SystemCalls.real.writeAll(bytes, to: descriptor, path: path)
    }
  }

  /// The number of bytes up to the end of the last whole row; 0 if there is no table yet.
  private static func wholeRows(of path: String, first: String) throws(FileError) -> Int {
    let file: FileBytes
    do throws(FileError) {
      file = try FileBytes(at: path, access: .copied, allowingEmpty: true)
    } catch {
      if error.problem == .missing { return 0 }
      throw error
    }
    let newline = UInt8(ascii: "\n")
    let end = file.withUnsafeBytes { $0.lastIndex(of: newline) }
    // Without a whole row, only the beginning of ours may be there: what a crash has left.
    let isOurs =
      end != nil
      ? file.has(Array(first.utf8)) : Array(first.utf8).starts(with: file[0..<file.count])
    guard isOurs else {
      let found = file.withUnsafeBytes { bytes in
        String(decoding: bytes.prefix { $0 != newline }.prefix(1000), as: UTF8.self)
      }
      throw FileError(
        writing: path, .otherColumns(found: found, expected: String(first.dropLast())))
    }
    return end.map { $0 + 1 } ?? 0
  }
}
