import ResidualPlatform

/// The most memory that this process may have, and what sets the limit.
package struct MemoryLimit: Sendable {
  package let byteCount: Int
  /// Completes «…, and 6.0 GiB»: `the device has`, `ulimit -v allows`.
  package let words: String

  /// Of all limits the smallest one.
  package static let current: MemoryLimit = {
    let (bytes, overflow) = Int(sysconf(Int32(_SC_PHYS_PAGES)))
      .multipliedReportingOverflow(by: Int(sysconf(Int32(_SC_PAGESIZE))))
    let machine = MemoryLimit(
      byteCount: overflow || bytes <= 0 ? .max : bytes, words: "the device has")
    return [ofAddressSpace, ofControlGroups()].compactMap(\.self).reduce(machine) {
      $1.byteCount < $0.byteCount ? $1 : $0
    }
  }()

  /// The words for a number of bytes that a device has.
  package static func words(for byteCount: Int) -> String {
    byteCount == current.byteCount ? current.words : "the device has"
  }

  private static var ofAddressSpace: MemoryLimit? {
    var limit = rlimit()
    #if canImport(Glibc)
      let status = getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    #else
      let status = getrlimit(RLIMIT_AS, &limit)
    #endif
    guard status == 0, let bytes = Int(exactly: limit.rlim_cur) else { return nil }
    return MemoryLimit(byteCount: bytes, words: "ulimit -v allows")
  }

  /// The smallest limit of the process's control group and of those that it lies in, of version 2 or 1.
  ///
  /// - Parameter root: of the file system.
  package static func ofControlGroups(under root: String = "") -> MemoryLimit? {
    var least: MemoryLimit?
    for line in text(root + "/proc/self/cgroup").split(separator: "\n") {
      // A number, the controllers (none in version 2), and the path.
      let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, parts[1].isEmpty || parts[1].split(separator: ",").contains("memory")
      else { continue }
      let (folder, name) =
        parts[1].isEmpty ? ("", "memory.max") : ("/memory", "memory.limit_in_bytes")
      var path = parts[2]
      while true {
        let file = "/sys/fs/cgroup\(folder)\(path == "/" ? "" : path)/\(name)"
        // Version 2 writes "max" where there is no limit, version 1 a number near the largest.
        let bytes = Int(text(root + file).prefix { $0.isNumber })
        if let bytes, bytes > 0, bytes < least?.byteCount ?? .max {
          least = MemoryLimit(byteCount: bytes, words: "the control group (\(file)) allows")
        }
        guard let slash = path.lastIndex(of: "/"), !path.isEmpty else { break }
        path = path[..<slash]
      }
    }
    return least
  }

  /// The beginning of a small file; empty if it cannot be read.
  private static func text(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 14) { buffer, count in
      count = fread(buffer.baseAddress, 1, buffer.count, file)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
