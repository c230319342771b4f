import Foundation
import ResidualFormats
import ResidualTestSupport
import Testing

@Suite struct CSVWriterTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func text() throws -> String {
    String(decoding: try folder.bytes("t.csv"), as: UTF8.self)
  }

  @Test func rowsCanBeReadWhileTheTableGrows() throws {
    var table = try CSVWriter(at: folder["t.csv"], columns: ["epoch", "loss"])
    #expect(try text() == "epoch,loss\n")
    try table.append(["1", "2.5"])
    #expect(try text() == "epoch,loss\n1,2.5\n")
    try table.append(["2", ""])
    try table.flush()
    #expect(try text() == "epoch,loss\n1,2.5\n2,\n")
  }

  @Test(arguments: [
    ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"so\"", "\"say \"\"so\"\"\""),
    ("two\nlines", "\"two\nlines\""), ("cr\r\nlf", "\"cr\r\nlf\""), (" edge", "\" edge\""),
    ("", ""), ("é", "é"),
  ])
  func quotesWhereItMust(_ field: String, _ expected: String) {
    #expect(CSVWriter.line([field, "x"]) == expected + ",x\n")
  }

  @Test func appendingKeepsWholeRows() throws {
    let path = try folder.write(Array("a,b\n1,2\n3,".utf8), "t.csv")
    var table = try CSVWriter(at: path, columns: ["a", "b"], appending: true)
    try table.append(["5", "6"])
    #expect(try text() == "a,b\n1,2\n5,6\n")
  }

  @Test func withoutAppendingTheTableStartsAfresh() throws {
    let path = try folder.write(Array("a,b\n1,2\n".utf8), "t.csv")
    _ = try CSVWriter(at: path, columns: ["c"])
    #expect(try text() == "c\n")
  }

  @Test func appendingToNothingStartsATable() throws {
    for before in ["", "a,"] {
      let path = try folder.write(Array(before.utf8), "t.csv")
      _ = try CSVWriter(at: path, columns: ["a", "b"], appending: true)
      #expect(try text() == "a,b\n")
    }
    try FileManager.default.removeItem(atPath: folder["t.csv"])
    _ = try CSVWriter(at: folder["t.csv"], columns: ["a", "b"], appending: true)
    #expect(try text() == "a,b\n")
  }

  @Test func anotherTableIsRefusedAndStays() throws {
    let path = try folder.write(Array("x,y\n1,2\n".utf8), "t.csv")
    #expect(throws: FileError(path, .otherColumns(found: "x,y", expected: "a,b"))) {
      _ = try CSVWriter(at: path, columns: ["a", "b"], appending: true)
    }
    #expect(try text() == "x,y\n1,2\n")
    let below = folder["absent/t.csv"]
    #expect(throws: FileError(below, .missingFolder(folder["absent"]))) {
      _ = try CSVWriter(at: below, columns: ["a"])
    }
  }

  @Test(.enabled(if: Python.has("numpy"), "RESNET_PYTHON names no Python with numpy"))
  func pythonReadsTheSameFields() throws {
    var table = try CSVWriter(at: folder["t.csv"], columns: ["a", "b,c"])
    try table.append(["x \"y\"\r\n,z", " é "])
    let script = "import csv,sys; print(list(csv.reader(open(sys.argv[1], newline=''))))"
    #expect(
      try Python.run(script, folder["t.csv"])
        == #"[['a', 'b,c'], ['x "y"\r\n,z', ' é ']]"# + "\n")
  }
}
