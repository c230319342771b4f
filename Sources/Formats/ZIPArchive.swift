/// The ZIP format (PKWARE's APPNOTE 6.3), as far as programs store model files in it: entries that
/// are not compressed.
///
/// Layout of a file, integers little-endian: for each entry a local header, its content and, if
/// bit 3 of its flags is set, a data descriptor; then the directory; then the end record.
///
/// | local header | directory record | field                                                    |
/// |--------------|------------------|----------------------------------------------------------|
/// | 0..<4        | 0..<4            | `PK\3\4`; `PK\1\2`                                       |
/// | 6..<8        | 8..<10           | flags: 0 encrypted, 3 descriptor, 11 name in UTF-8       |
/// | 8..<10       | 10..<12          | method: 0 stored                                         |
/// | 14..<18      | 16..<20          | CRC-32 of the content; 0 with a descriptor               |
/// | 18..<22      | 20..<24          | bytes in the file; 0 with a descriptor                   |
/// | 22..<26      | 24..<28          | bytes of the content; 0 with a descriptor                |
/// | 26..<28      | 28..<30          | length of the name                                       |
/// | 28..<30      | 30..<32          | length of the extra field                                |
/// |              | 32..<34          | length of the comment                                    |
/// |              | 34..<36          | disk                                                     |
/// |              | 42..<46          | offset of the local header                               |
/// | 30           | 46               | name, extra field, comment                               |
///
/// A descriptor is `PK\7\8`, the CRC-32, and the two sizes in 32 bits each, or in 64 if the local
/// header has an extra field of kind 1 (ZIP64). In the directory this field holds, in 64 bits and
/// in this order, those of content, bytes and offset that are all ones in their own place. The end
/// record of 22 bytes starts with `PK\5\6`; with ZIP64 another of 56 bytes (`PK\6\6`) and a locator
/// of 20 (`PK\6\7`) stand before it.
///
/// A file is refused if two readers could disagree about it: if header and directory differ,
/// entries overlap or leave holes, bytes stand before the first entry or after the end record, or
/// names occur twice or could leave a folder. Memory stays in proportion to the directory, and
/// content is read when it is asked for, when its checksum is verified too.
package struct ZIPArchive: Sendable {
  static let localHeaderLength = 30
  static let directoryRecordLength = 46
  static let endLength = 22
  static let locatorLength = 20
  static let largeEndLength = 56
  /// The kind of the extra field with sizes of 64 bits.
  static let largeField: UInt16 = 1
  /// The kind of an extra field with another name for the entry (Info-ZIP).
  static let unicodePathField: UInt16 = 0x7075

  /// What the file starts with: the first local header.
  static let magic: [UInt8] = [0x50, 0x4B, 3, 4]

  /// One file in the archive.
  package struct Entry: Hashable, Sendable {
    /// The name, which no other entry has; folders are separated by `/`.
    package let name: String
    /// Where the content lies in the archive.
    package let range: Range<Int>
    /// The CRC-32 that the content should have.
    package let checksum: UInt32
  }

  /// What content is read from when it is asked for.
  package let file: FileBytes
  /// Every entry, in the order of the directory.
  package let entries: [Entry]
  private let indices: [String: Int]

  /// Whether a file starts as an archive with an entry does.
  package static func isZIP(_ file: FileBytes) -> Bool { file.has(magic) }

  /// Reads the directory and every local header, and checks all of it.
  ///
  /// - Complexity: O(n log n) in the number of entries.
  package init(_ file: FileBytes) throws(ZIPError) {
    self.file = file
    do throws(ZIPProblem) {
      entries = try ZIPDirectory(file).entries()
    } catch {
      throw ZIPError(file.name, error)
    }
    indices = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
  }

  /// The entry of a name, `nil` if there is none.
  package subscript(name: String) -> Entry? { indices[name].map { entries[$0] } }

  /// Checks that the content of an entry has its checksum.
  ///
  /// - Complexity: O(bytes).
  package func verify(_ entry: Entry) throws(ZIPError) {
    let computed = file.withUnsafeBytes(in: entry.range) { CRC32.checksum($0) }
    guard computed == entry.checksum else {
      let problem = ZIPProblem.wrongChecksum(
        name: entry.name, stored: entry.checksum, computed: computed)
      throw ZIPError(file.name, problem)
    }
  }
}
