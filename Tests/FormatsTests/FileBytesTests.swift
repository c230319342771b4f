import Foundation
import ResidualFormats
import ResidualTestSupport
import Testing

@Suite struct FileBytesTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [FileBytes.Access.automatic, .mapped, .copied])
  func readsTheSameBytesHoweverItIsOpened(_ access: FileBytes.Access) throws {
    for count in [1, 4095, 4097, FileBytes.mappingThreshold + 3] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      let file = try FileBytes(at: folder.write(bytes, "data"), access: access)
      #expect(file.count == count)
      #expect(file[0..<count] == bytes)
      #expect(file[count - 1] == bytes[count - 1])
    }
  }

  @Test func refusesWithTheReason() throws {
    let missing = folder["absent"]
    #expect(throws: FileError(missing, .missing)) { try FileBytes(at: missing) }
    #expect(throws: FileError(folder.path, .isFolder)) { try FileBytes(at: folder.path) }
    #expect(throws: FileError("/dev/null", .notRegular)) { try FileBytes(at: "/dev/null") }
    let empty = try folder.write([], "empty")
    #expect(throws: FileError(empty, .empty)) { try FileBytes(at: empty) }
    #expect(try FileBytes(at: empty, allowingEmpty: true).count == 0)
    #expect(try FileBytes(at: empty, access: .mapped, allowingEmpty: true)[0..<0] == [])
    let below = empty + "/below"
    #expect(throws: FileError(below, .missing)) { try FileBytes(at: below) }
    let long = folder[String(repeating: "n", count: 300)]
    #expect(throws: FileError(long, .nameTooLong)) { try FileBytes(at: long) }
  }

  @Test func doesNotWaitForAPipe() throws {
    let pipe = folder["pipe"]
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(throws: FileError(pipe, .notRegular)) { try FileBytes(at: pipe) }
  }

  @Test(.enabled(if: geteuid() != 0, "root may read every file"))
  func refusesWithoutPermission() throws {
    let path = try folder.write([1], "secret")
    #expect(chmod(path, 0) == 0)
    #expect(throws: FileError(path, .notPermitted)) { try FileBytes(at: path) }
  }

  @Test func integersAreLittleEndianAndNeverReadOutside() {
    let file = FileBytes([0x01, 0x02, 0x03, 0x04, 0x85])
    #expect(file.integer(UInt16.self, at: 1) == 0x0302)
    #expect(file.integer(Int8.self, at: 4) == -123)
    #expect(file.integer(UInt32.self, at: 1) == 0x8504_0302)
    for offset in [2, 5, 6, Int.max, -1, Int.min] {
      #expect(file.integer(UInt32.self, at: offset) == nil)
    }
    #expect(file.has([2, 3], at: 1) && !file.has([4, 0x85, 0], at: 3) && !file.has([1], at: -1))
    #expect(file.text(in: 4..<5) == nil)
    #expect(FileBytes(Array("é".utf8)).text(in: 0..<2) == "é")
  }

  @Test func namesTheFileInOneLine() {
    let error = FileError("a\nb", .diskFull)
    #expect(
      "\(error)"
        == "a\\n" + "b: the disk or the quota is full; free some space or choose another folder")
  }

  @Test func accessOutsideIsAMistakeOfTheCaller() async {
    await #expect(processExitsWith: .failure) { _ = FileBytes([1, 2])[2] }
    await #expect(processExitsWith: .failure) { _ = FileBytes([1, 2])[1..<3] }
  }
}
