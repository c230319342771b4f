/// The tar format: a sequence of files, one after another.
///
/// Layout: blocks of 512 bytes. An entry is a header block and its content, padded with zeros to a
/// whole block; the archive ends in blocks of zeros. A header holds, by byte offset,
///
/// | offset | length | field                                                              |
/// |--------|--------|--------------------------------------------------------------------|
/// | 0      | 100    | name, up to the first zero byte                                    |
/// | 124    | 12     | size of the content: octal digits, or base 256 if its top bit is 1 |
/// | 148    | 8      | sum of the header's bytes, this field taken as spaces: octal       |
/// | 156    | 1      | kind                                                               |
/// | 257    | 6      | `ustar\0`, or `ustar ` of GNU tar, or neither in old archives      |
/// | 345    | 155    | with `ustar\0`: what stands before the name, and a `/`             |
///
/// An entry of kind `x` (pax, POSIX.1-2001) holds records `length key=value\n` that override fields
/// of the next entry; `path` and `size` matter here. One of kind `L` (GNU) holds the name of the
/// next entry, one of kind `K` its link's target. Kind `g` (pax) applies to all that follow.
///
/// Names never become paths: an archive is read in place and nothing is unpacked. It is refused
/// if two readers could disagree about it: sizes or names for all entries (`g`), keys or
/// extensions that occur twice, content of a kind that has none, sparse files, a missing end, bytes
/// after the end. There is no limit on entries; memory stays under the two limits below.
package struct TarArchive: Sendable {
  /// The longest name in bytes.
  package static let maximumNameLength = 4096
  /// The longest pax record block in bytes.
  package static let maximumExtensionLength = 1 << 20

  static let blockSize = 512

  /// What an entry stands for.
  package enum Kind: Hashable, Sendable {
    case file, folder, hardLink, symbolicLink
    /// Devices, pipes, and kinds that only their maker knows, by their letter.
    case other(UInt8)
  }

  /// One member of an archive.
  package struct Entry: Hashable, Sendable {
    /// The name as the archive has it; it may contain `..` and may start with `/`.
    package let name: String
    /// What the entry stands for; folders and links have no content.
    package let kind: Kind
    /// Where the content lies in the archive.
    package let range: Range<Int>
  }

  /// The archive's bytes, in which every entry's content lies.
  package let file: FileBytes
  private var offset = 0
  private var isFinished = false

  /// Starts at the first entry.
  package init(_ file: FileBytes) { self.file = file }

  /// The next entry, `nil` at the end of the archive. After an error there is no more to read.
  package mutating func next() throws(TarError) -> Entry? {
    guard !isFinished else { return nil }
    do throws(TarProblem) {
      let entry = try readEntry()
      isFinished = entry == nil
      return entry
    } catch {
      isFinished = true
      throw TarError(file.name, error)
    }
  }

  /// Calls `body` with every entry from here on.
  package mutating func forEach(_ body: (Entry) throws -> Void) throws {
    while let entry = try next() { try body(entry) }
  }
}

extension TarArchive {
  /// What extension entries say about the entry that follows them.
  private struct Overrides {
    var pax: PaxRecords?
    var longName: String?
    var hasLongLink = false
    var isEmpty: Bool { pax == nil && longName == nil && !hasLongLink }
  }

  private mutating func readEntry() throws(TarProblem) -> Entry? {
    var overrides = Overrides()
    while true {
      let start = offset
      guard file.count - start >= Self.blockSize else {
        throw start == file.count ? .missingEnd(offset: start) : .truncatedHeader(offset: start)
      }
      let header = TarHeader(file, at: start)
      if header.isZero {
        guard overrides.isEmpty else { throw .danglingExtension(offset: start) }
        try checkTail(from: start)
        return nil
      }
      try header.checkSum()
      if let entry = try readBlock(header, &overrides) { return entry }
    }
  }

  /// Reads one header and its content; `nil` if it was an extension for the next one.
  private mutating func readBlock(
    _ header: TarHeader, _ overrides: inout Overrides
  ) throws(TarProblem) -> Entry? {
    let start = header.offset
    switch header.kind {
    case UInt8(ascii: "x"):
      let range = try takeExtension(header)
      guard overrides.pax == nil else { throw .repeatedExtension(offset: start) }
      overrides.pax = try PaxRecords(file, range)
    case UInt8(ascii: "g"):
      let records = try PaxRecords(file, try takeExtension(header))
      if let key = records.override { throw .globalOverride(key: key, offset: start) }
    case UInt8(ascii: "L"):
      let range = try takeExtension(header)
      guard overrides.longName == nil else { throw .repeatedExtension(offset: start) }
      overrides.longName = try TarHeader.name(in: file, range)
    case UInt8(ascii: "K"):
      _ = try takeExtension(header)
      guard !overrides.hasLongLink else { throw .repeatedExtension(offset: start) }
      overrides.hasLongLink = true
    case UInt8(ascii: "S"), UInt8(ascii: "M"), UInt8(ascii: "N"), UInt8(ascii: "X"):
      throw .unsupportedKind(header.kind, offset: start)
    default:
      return try entry(header, overrides)
    }
    return nil
  }

  private mutating func entry(
    _ header: TarHeader, _ overrides: Overrides
  ) throws(TarProblem) -> Entry {
    let name =
      if let name = overrides.pax?.path ?? overrides.longName { name } else { try header.name() }
    guard !name.isEmpty else { throw .emptyName(offset: header.offset) }
    let size = if let size = overrides.pax?.size { size } else { try header.size() }
    let kind: Kind =
      switch header.kind {
      // Old archives mark a folder by the end of its name only.
      case 0, UInt8(ascii: "0"): name.utf8.last == UInt8(ascii: "/") ? .folder : .file
      case UInt8(ascii: "7"): .file
      case UInt8(ascii: "1"): .hardLink
      case UInt8(ascii: "2"): .symbolicLink
      case UInt8(ascii: "5"): .folder
      default: .other(header.kind)
      }
    let mayHaveContent =
      switch kind {
      case .file: true
      case .folder, .hardLink, .symbolicLink: false
      case .other(let letter): !(UInt8(ascii: "3")...UInt8(ascii: "6")).contains(letter)
      }
    guard size == 0 || mayHaveContent else {
      throw .unexpectedContent(name: name, offset: header.offset)
    }
    return Entry(name: name, kind: kind, range: try takeContent(header, size: size, name: name))
  }

  private mutating func takeExtension(_ header: TarHeader) throws(TarProblem) -> Range<Int> {
    let size = try header.size()
    guard size <= Self.maximumExtensionLength else {
      throw .extensionTooLong(byteCount: size, offset: header.offset)
    }
    return try takeContent(header, size: size, name: "extension")
  }

  /// Moves past the content of a header, padding included.
  private mutating func takeContent(
    _ header: TarHeader, size: Int, name: String
  ) throws(TarProblem) -> Range<Int> {
    let begin = header.offset + Self.blockSize
    let available = file.count - begin
    let padding = (Self.blockSize - size % Self.blockSize) % Self.blockSize
    // The padding of the last block must be there too.
    guard size <= available, padding <= available - size else {
      throw .truncatedContent(name: name, byteCount: size, available: available)
    }
    offset = begin + size + padding
    return begin..<begin + size
  }

  /// After the end there may be any number of zeros, and nothing else.
  private func checkTail(from start: Int) throws(TarProblem) {
    let tail = file.withUnsafeBytes(in: start..<file.count) { $0.firstIndex { $0 != 0 } }
    if let tail { throw .dataBehindEnd(offset: start + tail) }
  }
}
