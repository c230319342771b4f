import Foundation
import ResidualFormats
import ResidualTestSupport
import Testing

@Suite struct TarArchiveTests {
  static func entries(_ file: FileBytes) throws -> [TarArchive.Entry] {
    var archive = TarArchive(file)
    var entries: [TarArchive.Entry] = []
    try archive.forEach { entries.append($0) }
    return entries
  }

  /// A header and its content, as POSIX describes them.
  static func entry(
    _ name: String, _ content: [UInt8] = [], kind: Character = "0", prefix: String = "",
    magic: String = "ustar\u{0}00", size: [UInt8]? = nil
  ) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: [UInt8], at offset: Int) {
      header.replaceSubrange(offset..<offset + text.count, with: text)
    }
    put(Array(name.utf8), at: 0)
    let octal = String(content.count, radix: 8)
    put(size ?? Array((String(repeating: "0", count: 11 - octal.count) + octal).utf8), at: 124)
    put(Array("        ".utf8), at: 148)
    put([kind.asciiValue ?? 0], at: 156)
    put(Array(magic.utf8), at: 257)
    put(Array(prefix.utf8), at: 345)
    let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
    put(Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8) + [0, 0x20], at: 148)
    return header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  static let end = [UInt8](repeating: 0, count: 1024)

  @Test func filesFoldersAndLinks() throws {
    var bytes = Self.entry("folder/", kind: "5")
    bytes += Self.entry("folder/file", Array("content".utf8))
    bytes += Self.entry("empty") + Self.entry("soft", kind: "2") + Self.entry("hard", kind: "1")
    bytes += Self.entry("device", kind: "3")
    let file = FileBytes(bytes + Self.end)
    let entries = try Self.entries(file)
    #expect(
      entries.map(\.name) == ["folder/", "folder/file", "empty", "soft", "hard", "device"])
    #expect(
      entries.map(\.kind) == [.folder, .file, .file, .symbolicLink, .hardLink, .other(0x33)])
    #expect(file[entries[1].range] == Array("content".utf8))
    #expect(entries[2].range.isEmpty)
  }

  @Test func prefixesBelongToUstarOnly() throws {
    let posix = Self.entry("name", prefix: "a/b")
    let gnu = Self.entry("name", prefix: "a/b", magic: "ustar  \u{0}")
    #expect(
      try Self.entries(FileBytes(posix + gnu + Self.end)).map(\.name) == ["a/b/name", "name"])
  }

  @Test func archivesOfOldMarkFoldersByTheName() throws {
    let bytes = Self.entry("d/", kind: "\0", magic: "") + Self.entry("f", kind: "\0", magic: "")
    #expect(try Self.entries(FileBytes(bytes + Self.end)).map(\.kind) == [.folder, .file])
  }

  @Test func longNames() throws {
    let name = String(repeating: "long/", count: 60) + "é"
    let gnu = Self.entry("././@LongLink", Array(name.utf8) + [0], kind: "L")
    let record = "path=\(name)\n"
    let pax = Self.entry("x", Array("\(record.utf8.count + 4) \(record)".utf8), kind: "x")
    for start in [gnu, pax] {
      let bytes = start + Self.entry("short", [7]) + Self.entry("next") + Self.end
      let entries = try Self.entries(FileBytes(bytes))
      #expect(entries.map(\.name) == [name, "next"])
      #expect(FileBytes(bytes)[entries[0].range] == [7])
    }
  }

  @Test func paxSizeOverridesTheHeader() throws {
    let records = Array("9 size=3\n21 comment=no matter\n".utf8)
    let global = Self.entry("g", Array("21 comment=no matter\n".utf8), kind: "g")
    let zero = [UInt8](repeating: 0x30, count: 11)
    let bytes =
      global + Self.entry("x", records, kind: "x") + Self.entry("f", [1, 2, 3], size: zero)
    #expect(try Self.entries(FileBytes(bytes + Self.end)).map(\.range.count) == [3])
  }

  @Test func sizesInBase256() throws {
    let size: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1]
    let content = [UInt8](repeating: 9, count: 513)
    let bytes = Self.entry("f", content, size: size) + Self.end
    #expect(try Self.entries(FileBytes(bytes)).map(\.range) == [512..<1025])
  }

  @Test func oneBlockOfZerosEndsAnArchive() throws {
    #expect(try Self.entries(FileBytes(Self.entry("f") + Self.end.prefix(512))).count == 1)
    #expect(try Self.entries(FileBytes(Self.end)).isEmpty)
  }

  @Test func nothingIsReadBehindAnError() throws {
    var archive = TarArchive(FileBytes([1, 2, 3]))
    #expect(throws: TarError("bytes in memory", .truncatedHeader(offset: 0))) {
      try archive.next()
    }
    #expect(try archive.next() == nil)
  }

  @Test(
    .enabled(if: Python.has("numpy"), "RESNET_PYTHON names no Python with numpy"),
    arguments: ["USTAR_FORMAT", "GNU_FORMAT", "PAX_FORMAT"])
  func readsWhatPythonPacks(_ format: String) throws {
    let folder = try TemporaryFolder()
    let script = """
      import io, sys, tarfile
      with tarfile.open(sys.argv[1], "w", format=getattr(tarfile, sys.argv[2])) as t:
        d = tarfile.TarInfo("train"); d.type = tarfile.DIRTYPE; t.addfile(d)
        for i in range(3):
          f = tarfile.TarInfo("train/" + "n" * 60 * i + f"/{i}.jpg"); f.size = 600 * i
          t.addfile(f, io.BytesIO(bytes([i]) * f.size))
        l = tarfile.TarInfo("link"); l.type = tarfile.SYMTYPE; l.linkname = "t" * 90; t.addfile(l)
      """
    try Python.run(script, folder["t.tar"], format)
    let file = try FileBytes(at: folder["t.tar"])
    let entries = try Self.entries(file)
    let names = (0..<3).map { "train/" + String(repeating: "n", count: 60 * $0) + "/\($0).jpg" }
    #expect(entries.map(\.name) == ["train/"] + names + ["link"])
    #expect(entries.map(\.kind) == [.folder, .file, .file, .file, .symbolicLink])
    for i in 0..<3 {
      #expect(file[entries[i + 1].range] == [UInt8](repeating: UInt8(i), count: 600 * i))
    }
  }

  #if GZIP
    static let photographs = ProcessInfo.processInfo.environment["RESNET_SHARED"]
      .map { $0 + "/data/cifar10-jpeg.tar.gz" }

    @Test(
      .enabled(
        if: photographs.map { FileManager.default.fileExists(atPath: $0) } ?? false,
        "RESNET_SHARED names no folder with data/cifar10-jpeg.tar.gz"))
    func everyImageOfCIFAR() throws {
      let file = try Gzip.inflate(FileBytes(at: try #require(Self.photographs)))
      let images = try Self.entries(file).filter { $0.kind == .file && $0.name.hasSuffix(".jpg") }
      #expect(images.count == 60_000)
      #expect(images.allSatisfy { file.has([0xFF, 0xD8, 0xFF], at: $0.range.lowerBound) })
    }
  #endif
}
