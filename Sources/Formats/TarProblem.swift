/// A tar archive that cannot be read, and why.
public typealias TarError = FormatError<TarProblem>

/// What can be wrong with a tar archive. Offsets count from the start of the archive.
public enum TarProblem: Error, Equatable, Sendable, CustomStringConvertible {
  case truncatedHeader(offset: Int)
  case truncatedContent(name: String, byteCount: Int, available: Int)
  case missingEnd(offset: Int)
  case dataBehindEnd(offset: Int)
  case wrongChecksum(offset: Int, stored: Int?, computed: Int)
  case invalidSize(offset: Int)
  case invalidName(offset: Int)
  case emptyName(offset: Int)
  case nameTooLong(offset: Int)
  case unexpectedContent(name: String, offset: Int)
  case unsupportedKind(UInt8, offset: Int)
  case extensionTooLong(byteCount: Int, offset: Int)
  case repeatedExtension(offset: Int)
  case danglingExtension(offset: Int)
  case invalidRecord(offset: Int)
  case duplicateKey(String, offset: Int)
  case globalOverride(key: String, offset: Int)

  public var description: String { "\(cause); \(remedy)" }

  private var cause: String {
    switch self {
    case .truncatedHeader(let offset): "the archive ends inside the header at byte \(offset)"
    case .truncatedContent(let name, let byteCount, let available):
      "the archive ends inside '\(Printable(name))', of whose \(byteCount) bytes and padding "
        + "\(max(available, 0)) are there"
    case .missingEnd(let offset): "the archive stops at byte \(offset) without its end mark"
    case .dataBehindEnd(let offset): "byte \(offset) behind the end mark is not zero"
    case .wrongChecksum(let offset, let stored, let computed):
      "the header at byte \(offset) has the checksum "
        + "\(stored.map(String.init) ?? "(none)") and should have \(computed)"
    case .invalidSize(let offset): "the size at byte \(offset) is not a number or too large"
    case .invalidName(let offset): "the name at byte \(offset) is not UTF-8"
    case .emptyName(let offset): "the entry at byte \(offset) has no name"
    case .nameTooLong(let offset):
      "the name at byte \(offset) is longer than \(TarArchive.maximumNameLength) bytes"
    case .unexpectedContent(let name, let offset):
      "'\(Printable(name))' at byte \(offset) has content, which its kind cannot have"
    case .unsupportedKind(let kind, let offset):
      "the entry at byte \(offset) is of the kind '\(Character(UnicodeScalar(kind)))' "
        + "(sparse, over several volumes, or of old programs), which is not read"
    case .extensionTooLong(let byteCount, let offset):
      "the extension at byte \(offset) has \(byteCount) bytes, more than "
        + "\(TarArchive.maximumExtensionLength)"
    case .repeatedExtension(let offset):
      "the extension at byte \(offset) is the second of its kind for one entry"
    case .danglingExtension(let offset):
      "the archive ends at byte \(offset) behind an extension without its entry"
    case .invalidRecord(let offset): "the pax record at byte \(offset) is malformed"
    case .duplicateKey(let key, let offset): "the pax record at byte \(offset) repeats \(key)"
    case .globalOverride(let key, let offset):
      "the extension at byte \(offset) sets \(key) for all entries"
    }
  }

  private var remedy: String {
    switch self {
    case .truncatedHeader, .truncatedContent, .missingEnd: "fetch or write the archive again"
    case .wrongChecksum: "check that this is a tar archive, or fetch it again"
    case .dataBehindEnd: "do not join archives, or join them with tar --concatenate"
    case .invalidName: "pack the archive with names in UTF-8"
    case .unsupportedKind: "pack the archive again with tar --format=posix and without --sparse"
    default: "pack the archive again with tar --format=posix"
    }
  }
}
