import ResidualDatasets
import ResidualImages
import ResidualTestSupport
import Testing

/// Folders and files that are nearly right.
@Suite(.enabled(if: ImageCodec.allCases.allSatisfy(\.isAvailable), "needs the codecs' traits"))
struct ImageFolderNameTests {
  /// What is said of the small data set with other paths.
  private func fault(_ rename: (String) -> String, adding more: [String] = []) throws -> String {
    let folder = try TemporaryFolder()
    var files = try smallImageFolder()
    for name in more { files[name] = [1] }
    try folder.write(
      Dictionary(files.map { (rename($0), $1) }, uniquingKeysWith: { first, _ in first }))
    return message(in: folder) { _ = try Dataset(at: folder.path) }
  }

  @Test(
    "a part under another name is found, and its name is said",
    arguments: [
      ("train", "Train"), ("train", "training"), ("train", "TRAIN"), ("test", "Test"),
      ("test", "testing"),
    ])
  func parts(part: String, other: String) throws {
    let found = try fault { $0.replacing(part + "/", with: other + "/") }
    #expect(found == "DATA: found \(other)/; rename it to \(part)/")
    let within = try fault { "a/" + $0.replacing(part + "/", with: other + "/") }
    #expect(within == "DATA: found a/\(other)/; rename it to a/\(part)/")
  }

  @Test("so is one for validation", arguments: ["Val", "valid", "validation"])
  func validation(other: String) throws {
    let found = try fault { $0.replacing("test/", with: other + "/") }
    #expect(found == "DATA: found \(other)/; rename it to val/")
    #expect(
      try fault({ $0 }, adding: [other + "/cat/1.png"])
        == "DATA: found \(other)/; rename it to val/")
  }

  @Test("a ZIP archive is to be unpacked")
  func zip() throws {
    #expect(
      try fault({ _ in "images.zip" })
        == "DATA/images.zip: a ZIP archive is not read; unpack it (unzip) and name the folder")
  }

  @Test("classes that nearly have the same name, and classes of other kinds of images")
  func classes() throws {
    #expect(
      try fault { $0.replacing("test/dog", with: "test/Dog") }
        == "DATA/test: its classes differ from those in train/ (missing: dog; not in train/: Dog); "
        + "rename Dog to dog")
    #expect(
      try fault({ $0 }, adding: ["train/emu/1.heic", "test/emu/1.heic"])
        == "DATA/train/emu: there is no JPEG or PNG file in this class folder, but 1 HEIC (not read; "
        + "convert them to JPEG or PNG); add some, or remove the folder from every part")
  }
}
