import Foundation
import ResidualFormats
import ResidualTestSupport
import Testing

@Suite struct AtomicFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func replacesTheWholeFile() throws {
    let path = folder["file"]
    try AtomicFile.write("a long first content", to: path)
    try AtomicFile.write([1, 2, 3] as [UInt8], to: path)
    #expect(try folder.bytes("file") == [1, 2, 3])
    try AtomicFile.write(to: path) { file in
      try file.append("é")
      try file.append([Int32(1)])
    }
    #expect(try folder.bytes("file") == [0xC3, 0xA9, 1, 0, 0, 0])
    #expect(try folder.names == ["file"])
  }

  @Test func theOldFileStaysUntilTheCommit() throws {
    let path = folder["file"]
    try AtomicFile.write("old", to: path)
    var file = try AtomicFile(at: path)
    try file.append("new")
    #expect(try folder.bytes("file") == Array("old".utf8))
    try file.commit()
    #expect(try folder.bytes("file") == Array("new".utf8))
  }

  @Test func nothingIsLeftWithoutACommit() throws {
    let path = folder["file"]
    do {
      var file = try AtomicFile(at: path)
      try file.append("half")
      #expect(try folder.names.count == 1)
    }
    #expect(try folder.names == [])
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try AtomicFile.write(to: path) { file in
        try file.append("half")
        throw Stop()
      }
    }
    #expect(try folder.names == [])
  }

  /// Every call in turn fails for every reason: the old file stays, and no temporary file does.
  @Test(arguments: [ENOSPC, EDQUOT, EIO])
  func aFailureOfAnyCallLeavesTheOldFile(_ code: Int32) throws {
    let path = folder["file"]
    try AtomicFile.write("old", to: path)
    for failing in 0..<7 {
      let counter = Counter()
      var calls = SystemCalls.real
      // Three bytes a call, so that one append takes several.
      calls.write = { [real = SystemCalls.real] in
        counter.next() == failing ? fail(code) : real.write($0, $1, min($2, 3))
      }
      calls.synchronize = { [real = SystemCalls.real] in
        counter.next() == failing ? Int32(fail(code)) : real.synchronize($0)
      }
      calls.rename = { [real = SystemCalls.real] in
        counter.next() == failing ? Int32(fail(code)) : real.rename($0, $1)
      }
      // Four writes, the file's synchronisation, the renaming, the folder's synchronisation.
      let error = #expect(throws: FileError.self) {
        var file = try AtomicFile(at: path, calls: calls)
        try file.append("new content")
        try file.commit()
      }
      #expect(counter.next() == failing + 1)
      #expect(error?.file == path)
      if code != EIO { #expect(error?.problem == .diskFull) }
      #expect(try folder.names == ["file"])
      let expected = failing < 6 ? "old" : "new content"
      #expect(try folder.bytes("file") == Array(expected.utf8), "call \(failing)")
      try AtomicFile.write("old", to: path)
    }
  }

  @Test func aCallThatWasInterruptedIsRepeated() throws {
    let path = folder["file"]
    let counter = Counter()
    var calls = SystemCalls.real
    calls.write = { [real = SystemCalls.real] in
      counter.next() % 2 == 0 ? fail(EINTR) : real.write($0, $1, min($2, 2))
    }
    var file = try AtomicFile(at: path, calls: calls)
    try file.append("content")
    try file.commit()
    #expect(try folder.bytes("file") == Array("content".utf8))
  }

  @Test func refusesWithTheReason() throws {
    #expect(throws: FileError(folder.path, .isFolder)) { try AtomicFile.write("", to: folder.path) }
    let slash = folder["new/"]
    #expect(throws: FileError(slash, .isFolder)) { try AtomicFile.write("", to: slash) }
    let below = folder["absent/file"]
    #expect(throws: FileError(below, .missingFolder(folder["absent"]))) {
      try AtomicFile.write("", to: below)
    }
    #expect(throws: FileError("", .missing)) { try AtomicFile.write("", to: "") }
  }

  @Test(.enabled(if: geteuid() != 0, "root may write every folder"))
  func refusesAReadOnlyFolder() throws {
    #expect(chmod(folder.path, 0o500) == 0)
    defer { chmod(folder.path, 0o700) }
    let path = folder["file"]
    #expect(throws: FileError(path, .notPermitted)) { try AtomicFile.write("", to: path) }
  }

  @Test func aLinkIsReplacedAndItsTargetStays() throws {
    _ = try folder.write([1], "target")
    #expect(symlink("target", folder["link"]) == 0)
    try AtomicFile.write([2] as [UInt8], to: folder["link"])
    #expect(try folder.bytes("target") == [1])
    #expect(try folder.bytes("link") == [2])
  }

  @Test func theFolderOfAPath() {
    #expect(AtomicFile.folder(of: "name") == ".")
    #expect(AtomicFile.folder(of: "/name") == "/")
    #expect(AtomicFile.folder(of: "a/b/name") == "a/b")
  }
}

private final class Counter: @unchecked Sendable {
  private var value = 0
  private let lock = NSLock()
  func next() -> Int {
    lock.withLock {
      defer { value += 1 }
      return value
    }
  }
}

private func fail(_ code: Int32) -> Int {
  errno = code
  return -1
}
