/// A ZIP archive that cannot be read, and why.
public typealias ZIPError = FormatError<ZIPProblem>

/// What can be wrong with a ZIP archive. Offsets count from the start of the file.
public enum ZIPProblem: Error, Equatable, Sendable, CustomStringConvertible {
  // The end records.
  case notZIP
  case missingEnd
  case comment(byteCount: Int)
  case bytesBehindEnd(offset: Int)
  case severalDisks
  case wrongLargeEnd(offset: Int)
  case endRecordsDiffer
  case directoryBeyondEnd(offset: UInt64, byteCount: UInt64)
  case tooManyEntries(count: UInt64, most: Int)

  // The directory.
  case wrongRecord(offset: Int)
  case truncatedRecord(offset: Int)
  case unusedDirectory(begin: Int, end: Int)
  case invalidName(offset: Int)
  case unsafeName(String)
  case duplicateName(String)
  case nameTooLong(offset: Int)
  case encrypted(name: String)
  case unsupportedFlags(name: String, flags: UInt16)
  case compressed(name: String, method: UInt16)
  case sizesDiffer(name: String, stored: UInt64, content: UInt64)
  case wrongExtraField(name: String)
  case anotherName(name: String)
  case folderWithContent(name: String)

  // The entries.
  case wrongLocalHeader(name: String, offset: UInt64)
  case headersDiffer(name: String, field: String)
  case beyondEnd(name: String, end: UInt64, available: Int)
  case wrongDescriptor(name: String, offset: Int)
  case overlap(name: String, begin: Int, previousEnd: Int)
  case hole(begin: Int, end: Int)
  case wrongChecksum(name: String, stored: UInt32, computed: UInt32)

  public var description: String { "\(cause); \(remedy)" }

  private var cause: String {
    switch self {
    case .notZIP: "not a ZIP archive; it does not start with PK\\3\\4"
    case .missingEnd: "the archive has no end record in its last 22 bytes"
    case .comment(let byteCount): "the archive ends in a comment of \(byteCount) bytes"
    case .bytesBehindEnd(let offset): "bytes from \(offset) on stand behind the end record"
    case .severalDisks: "the archive is one part of several"
    case .wrongLargeEnd(let offset):
      "the ZIP64 end record is not at byte \(offset), or not of the length that it should have"
    case .endRecordsDiffer: "the two end records disagree about the directory"
    case .directoryBeyondEnd(let offset, let byteCount):
      "the directory of \(byteCount) bytes at byte \(offset) does not end where the end record "
        + "begins"
    case .tooManyEntries(let count, let most):
      "the archive claims \(count) entries, but its directory has room for at most \(most)"
    case .wrongRecord(let offset): "no directory record starts at byte \(offset)"
    case .truncatedRecord(let offset):
      "the directory record at byte \(offset) goes on behind the directory's end"
    case .unusedDirectory(let begin, let end):
      "bytes \(begin)..<\(end) of the directory belong to no entry"
    case .invalidName(let offset): "the name in the record at byte \(offset) is not UTF-8 text"
    case .unsafeName(let name): "the name \(quoted(name)) could leave its folder"
    case .duplicateName(let name): "the entry \(quoted(name)) occurs twice"
    case .nameTooLong(let offset):
      "the name in the record at byte \(offset) is longer than \(FileBytes.maximumNameLength) bytes"
    case .encrypted(let name): "the entry \(quoted(name)) is encrypted"
    case .unsupportedFlags(let name, let flags):
      "the entry \(quoted(name)) has flags of an unknown meaning, 0x\(String(flags, radix: 16))"
    case .compressed(let name, let method):
      "the entry \(quoted(name)) is compressed by method \(method)"
    case .sizesDiffer(let name, let stored, let content):
      "the entry \(quoted(name)) is stored in \(stored) bytes, but has \(content)"
    case .wrongExtraField(let name): "the extra field of \(quoted(name)) is malformed"
    case .anotherName(let name): "the entry \(quoted(name)) has a second name"
    case .folderWithContent(let name): "the folder \(quoted(name)) has content"
    case .wrongLocalHeader(let name, let offset):
      "no header of the entry \(quoted(name)) is at byte \(offset)"
    case .headersDiffer(let name, let field):
      "directory and header of \(quoted(name)) disagree about its \(field)"
    case .beyondEnd(let name, let end, let available):
      "the entry \(quoted(name)) ends at byte \(end), but only \(available) are before the "
        + "directory"
    case .wrongDescriptor(let name, let offset):
      "the descriptor of \(quoted(name)) at byte \(offset) disagrees with the directory"
    case .overlap(let name, let begin, let previousEnd):
      "the entry \(quoted(name)) begins at byte \(begin), inside another that ends at "
        + "\(previousEnd)"
    case .hole(let begin, let end): "bytes \(begin)..<\(end) belong to no entry"
    case .wrongChecksum(let name, let stored, let computed):
      "the entry \(quoted(name)) has the checksum \(hexadecimal(computed)) and should have "
        + hexadecimal(stored)
    }
  }

  private var remedy: String {
    switch self {
    case .notZIP, .missingEnd, .wrongChecksum: "fetch or save the file again"
    case .compressed: "save the file with torch.save, which compresses nothing"
    case .encrypted: "decrypt it first"
    case .severalDisks: "join the parts first"
    case .comment, .bytesBehindEnd: "remove them, or save the file again with torch.save"
    default: "save the file again with torch.save"
    }
  }

  private func hexadecimal(_ value: UInt32) -> String { "0x" + String(value, radix: 16) }
}
