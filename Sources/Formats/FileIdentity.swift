import ResidualPlatform

/// What a file or folder is, whichever links and spellings lead to it.
package struct FileIdentity: Hashable {
  private let device: UInt64, number: UInt64

  package init(_ status: stat) {
    device = UInt64(truncatingIfNeeded: status.st_dev)
    number = UInt64(truncatingIfNeeded: status.st_ino)
  }

  /// `nil` if there is nothing at the path.
  package init?(at path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}
