import ResidualPlatform

/// A file that cannot be read or written, and why.
public typealias FileError = FormatError<FileProblem>

/// Why a file cannot be read or written, with the remedy.
public enum FileProblem: Equatable, Sendable, CustomStringConvertible {
  case missing
  case missingFolder(String)
  case isFolder
  /// There is something at the path of a new folder.
  case isThere
  case notRegular
  case notPermitted
  case empty
  case readOnlyFileSystem
  case diskFull
  case tooLarge
  case nameTooLong
  case tooManyOpenFiles
  case notEnoughMemory(byteCount: Int)
  /// The first row of an existing table is not the expected one.
  case otherColumns(found: String, expected: String)
  /// Any other answer of the system, by its number.
  case system(operation: String, code: Int32)

  /// The problem that the system's error number stands for.
  package init(code: Int32, operation: String, folder: String? = nil) {
    self =
      switch code {
      case ENOENT, ENOTDIR: if let folder { .missingFolder(folder) } else { .missing }
      case EISDIR: .isFolder
      case EACCES, EPERM: .notPermitted
      case EROFS: .readOnlyFileSystem
      case ENOSPC, EDQUOT: .diskFull
      case EFBIG: .tooLarge
      case ENAMETOOLONG: .nameTooLong
      case EMFILE, ENFILE: .tooManyOpenFiles
      default: .system(operation: operation, code: code)
      }
  }

  public var description: String {
    switch self {
    case .missing: "there is no such file; check the path"
    case .missingFolder(let folder): "there is no folder \(Printable(folder)); create it first"
    case .isFolder: "this is a folder, a file is needed"
    case .isThere: "there is something of that name; name another"
    case .notRegular: "this is a device, pipe or socket, a regular file is needed"
    case .notPermitted: "permission denied; change the permissions of the file or of its folder"
    case .empty: "the file is empty; fetch or write it again"
    case .readOnlyFileSystem: "the file system is read-only; choose another folder"
    case .diskFull: "the disk or the quota is full; free some space or choose another folder"
    case .tooLarge: "the file is larger than the system allows; raise the limit (ulimit -f)"
    case .nameTooLong: "the path is too long; choose a shorter one"
    case .tooManyOpenFiles: "too many files are open; raise the limit (ulimit -n)"
    case .notEnoughMemory(let byteCount):
      "not enough memory for \(byteCount) bytes; close other programs or use a smaller file"
    case .otherColumns(let found, let expected):
      "the first row is '\(Printable(found))', not '\(Printable(expected))'; "
        + "choose another file"
    case .system(let operation, let code):
      "\(operation) failed: \(String(cString: strerror(code))) (error \(code)); "
        + "check the disk and its file system"
    }
  }
}
