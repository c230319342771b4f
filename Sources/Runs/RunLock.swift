import ResidualPlatform
import ResidualTraining

/// Says that one process, and no other, writes a run's folder.
///
/// The system holds the lock (`flock`), for the life of the process at the longest: of one that has died
/// nothing is left, on a server for files neither. What the file says is for people.
package struct RunLock: ~Copyable {
  package static let name = "run.lock"
  private let path: String
  private let descriptor: Int32

  /// Takes the lock of a folder.
  ///
  /// - Throws: ``RunInUse``, ``FileError``.
  package init(of folder: String) throws {
    path = folder + "/" + Self.name
    while true {
      let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard opened >= 0 else {
        throw FileError(
          writing: path, FileProblem(code: errno, operation: "opening", folder: folder))
      }
      // A file system without locks cannot tell; every other failure means that somebody has it.
      if flock(opened, LOCK_EX | LOCK_NB) != 0,
        ![ENOLCK, ENOSYS, ENOTSUP, EOPNOTSUPP, EINVAL].contains(errno)
      {
        let code = errno
        defer { close(opened) }
        if code == EINTR { continue }
        throw RunInUse(folder: folder, holder: Self.holder(path))
      }
      // Another process may have removed the file between the two calls.
      var (held, there) = (stat(), stat())
      guard fstat(opened, &held) == 0, stat(path, &there) == 0,
        FileIdentity(held) == FileIdentity(there)
      else {
        close(opened)
        continue
      }
      descriptor = opened
      break
    }
    let text = "process \(getpid()) on \(Self.host)\n"
    // The lock counts, not the text.
    if ftruncate(descriptor, 0) == 0 {
      _ = Array(text.utf8).withUnsafeBytes {
        ResidualPlatform.write(descriptor, $0.baseAddress, $0.count)
      }
    }
  }

  deinit {
    unlink(path)
    close(descriptor)
  }

  /// Whether a process holds the lock of a folder.
  package static func isHeld(in folder: String) -> Bool {
    let opened = open(folder + "/" + name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard opened >= 0 else { return false }
    defer { close(opened) }
    return flock(opened, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }

  private static func holder(_ path: String) -> String {
    let file = try? FileBytes(at: path, access: .copied, allowingEmpty: true)
    let text = file?.text(in: 0..<min(file?.count ?? 0, 200)) ?? ""
    return "\(Printable(text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""))"
  }

  private static var host: String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "?" }
    return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
