import Foundation
import ResidualExecution
import Testing

/// Limits of control groups, from files as the system has them.
@Suite struct MemoryLimitTests {
  /// Writes files into a folder that stands for the file system.
  private func limit(_ files: [String: String]) throws -> MemoryLimit? {
    let root = FileManager.default.temporaryDirectory.appending(path: "residual-\(UUID())")
    defer { try? FileManager.default.removeItem(at: root) }
    for (name, text) in files {
      let file = root.appending(path: name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return MemoryLimit.ofControlGroups(under: root.path)
  }

  @Test("of version 2, the smallest limit from the group up to the root counts")
  func ancestors() throws {
    var files = [
      "proc/self/cgroup": "0::/user.slice/job.scope\n",
      "sys/fs/cgroup/user.slice/job.scope/memory.max": "max\n",
      "sys/fs/cgroup/user.slice/memory.max": "4000000\n",
      "sys/fs/cgroup/memory.max": "9000000\n",
    ]
    let parent = try limit(files)
    #expect(parent?.byteCount == 4_000_000)
    #expect(parent?.words == "the control group (/sys/fs/cgroup/user.slice/memory.max) allows")
    files["sys/fs/cgroup/user.slice/job.scope/memory.max"] = "3000000\n"
    #expect(try limit(files)?.byteCount == 3_000_000)
    files["sys/fs/cgroup/memory.max"] = "2000000\n"
    #expect(try limit(files)?.byteCount == 2_000_000)
  }

  @Test("version 1 has a folder of its own, and beside it version 2 may be empty")
  func versionOne() throws {
    let files = [
      "proc/self/cgroup": "12:cpu,memory:/docker/1:2\n0::/\n",
      "sys/fs/cgroup/memory/docker/1:2/memory.limit_in_bytes": "5000000\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    ]
    #expect(try limit(files)?.byteCount == 5_000_000)
    #expect(try limit(["proc/self/cgroup": "0::/a\n"]) == nil)
    #expect(try limit([:]) == nil)
  }
}
