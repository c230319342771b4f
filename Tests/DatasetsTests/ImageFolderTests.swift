import Foundation
import ResidualDatasets
import ResidualImages
import ResidualTestSupport
import Testing

@Suite(.enabled(if: ImageCodec.allCases.allSatisfy(\.isAvailable), "needs the codecs' traits"))
struct ImageFolderTests {
  @Test("a folder loads in the order of classes and names, with labels, resized where needed")
  func folder() throws {
    let folder = try TemporaryFolder()
    let files = try smallImageFolder()
    try folder.write(files)
    let data = try LoadedData(folder.path)
    #expect(data.source == .imageFolder)
    #expect(data.name == folder.url.lastPathComponent)
    #expect(data.classNames == ["cat", "dog"])
    #expect(data.training.labels == [0, 0, 0, 1, 1, 1, 1])
    #expect(data.test?.labels == [0, 0, 1, 1])
    #expect(data.validation == nil)
    #expect(data.remarks == ["1 of 11 images was resized to 32×32"])
    let names = ["cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.jpg", "dog/1.png"]
    for (index, name) in names.enumerated() {
      let bytes = try #require(files["train/" + name])
      let image = try ImageDecoder().decode(bytes, file: name).resized(width: 32, height: 32)
      #expect(data.training.image(at: index) == image, "\(name)")
    }
  }

  @Test("an archive, compressed or not, and a leading folder change nothing")
  func archives() throws {
    let folder = try TemporaryFolder()
    let files = try smallImageFolder()
    try folder.write(Dictionary(uniqueKeysWithValues: files.map { ("plain/" + $0, $1) }))
    try folder.write(tar(files), "data.tar")
    let led = Dictionary(uniqueKeysWithValues: files.map { ("./pets/" + $0, $1) })
    try folder.write(gzip(tar(led)), "data.tar.gz")
    let expected = try LoadedData(folder.path + "/plain")
    for location in ["", "/data.tar", "/data.tar.gz"].map({ folder.path + $0 }) {
      let data = try LoadedData(location)
      expectEqual(data.training, expected.training)
      expectEqual(data.test, expected.test)
      #expect(data.classNames == expected.classNames)
      #expect(data.remarks == expected.remarks)
    }
  }

  @Test("val validates beside test, and tests where it is alone")
  func validation() throws {
    let folder = try TemporaryFolder()
    let files = try smallImageFolder()
    let val = files.filter { $0.key.hasPrefix("test/") }.map {
      ($0.replacingOccurrences(of: "test/", with: "val/"), $1)
    }
    try folder.write(files.filter { $0.key.hasPrefix("train/") })
    try folder.write(Dictionary(uniqueKeysWithValues: val))
    let alone = try LoadedData(folder.path)
    #expect(alone.validation == nil)
    #expect(alone.test?.count == 4)
    #expect(alone.remarks.last == "val/ is the test part, because there is no test/")
    try folder.write(files)
    let both = try LoadedData(folder.path)
    expectEqual(both.validation, alone.test)
    #expect(both.test?.count == 4)
  }

  @Test("parts that are not asked for are not decoded")
  func parts() throws {
    let folder = try TemporaryFolder()
    try folder.write(smallImageFolder())
    try folder.write(Array("no image".utf8), "test/cat/broken.jpg")
    let training = try LoadedData(folder.path, parts: [.training, .validation])
    #expect(training.training.count == 7 && training.test == nil)
    #expect(throws: ImageError.self) { try LoadedData(folder.path, parts: [.test]) }
  }

  @Test("hidden files are passed over, other files are left out with a remark")
  func otherFiles() throws {
    let folder = try TemporaryFolder()
    try folder.write(smallImageFolder())
    for name in [".DS_Store", "train/cat/._0.png", "train/.hidden/1.png", "__MACOSX/train/a/b.png"]
    {
      try folder.write([1, 2, 3], name)
    }
    #expect(try LoadedData(folder.path).remarks.count == 1)
    try folder.write([1, 2, 3], "train/cat/notes.txt")
    #expect(
      try LoadedData(folder.path).remarks.last
        == "left out: 1 other file, such as train/cat/notes.txt")
    for name in ["train/cat/a.WebP", "test/dog/b.webp", "train/dog/c.tif", "train/stray.png"] {
      try folder.write([1, 2, 3], name)
    }
    #expect(
      try LoadedData(folder.path).remarks.last
        == "left out: 2 WebP, 1 TIFF (not read; convert them to JPEG or PNG), 2 other files, such as "
        + "train/stray.png")
  }

  @Test("the side can be chosen")
  func side() throws {
    let folder = try TemporaryFolder()
    try folder.write(smallImageFolder())
    let data = try LoadedData(folder.path, side: 8)
    #expect(data.training.width == 8 && data.training.height == 8)
    #expect(data.remarks == ["11 of 11 images were resized to 8×8"])
  }

  @Test("each fault has its own line that names the place and the mend")
  func faults() throws {
    func fault(
      _ change: (inout [String: [UInt8]]) throws -> Void, folders: [String] = [],
      parts: Set<Dataset.Part> = [.training, .validation, .test]
    ) throws -> String {
      let folder = try TemporaryFolder()
      var files = try smallImageFolder()
      try change(&files)
      try folder.write(files)
      for name in folders { try folder.makeFolder(name) }
      return message(in: folder) {
        let data = try LoadedData(folder.path, parts: parts).data
        for part in parts where part != .validation { _ = try data.samples(of: part) }
      }
    }
    #expect(
      try fault { $0 = [:] } == "DATA: there is no file in it; name a folder or archive with images"
    )
    #expect(
      try fault { $0 = ["a/b.png": [1]] }
        == "DATA: neither CIFAR-10's binary files (data_batch_1.bin, …) nor folders "
        + "train/<class>/ and test/<class>/ of images; arrange it as one of these")
    #expect(
      try fault({ _ in }, folders: ["train/emu", "test/emu"])
        == "DATA/train/emu: there is no JPEG or PNG file in this class folder; add some, or remove "
        + "the folder from every part")
    #expect(
      try fault { $0["test/emu/1.png"] = [1] }
        == "DATA/test: its classes differ from those in train/ (not in train/: emu); "
        + "add or remove folders until both have the same")
    #expect(
      try fault { $0 = $0.filter { !$0.key.hasPrefix("test/cat") } }
        == "DATA/test: its classes differ from those in train/ (missing: cat); "
        + "add or remove folders until both have the same")
    #expect(
      try fault {
        $0["train/emu/1.png"] = [1]
        $0["test/yak/1.png"] = [1]
      }
        == "DATA/test: its classes differ from those in train/ (missing: emu; "
        + "not in train/: yak); add or remove folders until both have the same")
    #expect(
      try fault { $0 = $0.filter { !$0.key.contains("cat") } }
        == "DATA/train: the only class is dog; at least two are needed")
    #expect(
      try fault { $0 = ["train/1.png": [1]] }
        == "DATA/train: there are no class folders in it; put the images of each class into a "
        + "folder")
    #expect(
      try fault { $0 = $0.filter { $0.key.hasPrefix("test") } }
        == "DATA: there is no folder train/; add one with a folder of images for each class")
    #expect(
      try fault({ $0 = $0.filter { $0.key.hasPrefix("train") } }, parts: [.test])
        == "DATA: there is neither test/ nor val/; add one with a folder of images for each class")
    #expect(
      try fault { $0["train/dog/2.jpg"] = Array("GIF89a".utf8) }
        == "DATA/train/dog/2.jpg: neither JPEG nor PNG: it starts as GIF; convert or remove it")
    #expect(
      try fault { $0["train/cat/5.png"] = [] }
        == "DATA/train/cat/5.png: the file is empty; restore or remove it")
    #expect(
      try fault {
        $0 = Dictionary(
          uniqueKeysWithValues: $0.flatMap { [("a/" + $0, $1), ("b/" + $0, $1)] })
      } == "DATA: several folders hold data (a, b); name one of them")
  }

  @Test("of several files that do not decode, the first is named, on any number of threads")
  func firstFault() throws {
    let folder = try TemporaryFolder()
    let image = try PNG.encode(noiseImage(width: 4, height: 4, seed: 1))
    for index in 100..<400 {
      try folder.write(index >= 250 ? [9] : image, "train/cat/\(index).png")
    }
    try folder.write(image, "train/dog/1.png")
    for _ in 0..<5 {
      #expect(
        message(in: folder) { _ = try LoadedData(folder.path) }
          == "DATA/train/cat/250.png: neither JPEG nor PNG: it starts as bytes 09; "
          + "convert or remove it")
    }
  }

  @Test("a missing location and damaged archives are named")
  func locations() throws {
    let folder = try TemporaryFolder()
    func open(_ name: String) -> String {
      message(in: folder) {
        _ = try LoadedData(folder.path + "/" + name)
      }
    }
    try folder.write(Array("PK\u{3}\u{4}".utf8), "photos.zip")
    #expect(open("photos.zip").hasPrefix("DATA/photos.zip: a ZIP archive is not read; unpack it"))
    #expect(open("none") == "DATA/none: there is no such file or folder; check the path")
    let archive = try tar(smallImageFolder())
    try folder.write(Array(archive.dropLast(5000)), "cut.tar")
    #expect(open("cut.tar").hasPrefix("DATA/cut.tar: the archive "))
    try folder.write(Array(gzip(archive).dropLast(5000)), "cut.tar.gz")
    #expect(open("cut.tar.gz").hasPrefix("DATA/cut.tar.gz: "))
    try folder.write(imageFixture("photo.png"), "photo.png")
    #expect(open("photo.png").hasPrefix("DATA/photo.png: neither CIFAR-10's binary files"))
    try folder.write([], "nothing.tar")
    #expect(open("nothing.tar") == "DATA/nothing.tar: the file is empty; fetch or write it again")
    var files = try smallImageFolder()
    files["train/cat/9.jpg"] = Array(try imageFixture("baseline.jpg").dropLast(100))
    try folder.write(tar(files), "bad.tar")
    #expect(
      open("bad.tar").hasPrefix("DATA/bad.tar:train/cat/9.jpg: this JPEG file cannot be decoded ("))
  }

  @Test("links to a folder's own parents are not followed for ever")
  func circles() throws {
    let folder = try TemporaryFolder()
    try folder.write(smallImageFolder())
    for name in ["train/cat/again", "train/dog/more", "test/cat/up"] {
      try FileManager.default.createSymbolicLink(
        atPath: folder.path + "/" + name, withDestinationPath: folder.path)
    }
    #expect(try LoadedData(folder.path).training.count == 7)
  }

  @Test("names from outside cannot break out of the line")
  func controlCharacters() throws {
    let folder = try TemporaryFolder()
    var files = try smallImageFolder()
    files["train/cat/\u{1b}[31m\n.png"] = [1]
    try folder.write(tar(files), "a.tar")
    #expect(
      message(in: folder) {
        _ = try LoadedData(folder.path + "/a.tar")
      }.hasPrefix("DATA/a.tar:train/cat/\\u{1B}[31m\\n.png: neither"))
  }

  @Test("more images than memory are refused before any is decoded")
  func tooLarge() throws {
    let folder = try TemporaryFolder()
    var files: [String: [UInt8]] = [:]
    for index in 0..<30_000 { files["train/\(index % 2)/\(index).png"] = [] }
    try folder.write(tar(files), "many.tar")
    #expect(
      message(in: folder) {
        _ = try LoadedData(folder.path + "/many.tar", side: 4096)
      }.hasPrefix("DATA/many.tar: 30000 images, once decoded, take more than this machine's memory")
    )
  }

  static let shared = ProcessInfo.processInfo.environment["RESNET_SHARED"]

  @Test(
    "CIFAR-10 as JPEG files loads whole",
    .enabled(if: shared != nil, "needs data/cifar10-jpeg.tar.gz in the folder RESNET_SHARED"))
  func real() throws {
    let archive = try #require(Self.shared) + "/data/cifar10-jpeg.tar.gz"
    let set = try LoadedData(archive)
    #expect(set.training.count == 50_000 && set.test?.count == 10_000)
    #expect(set.classNames.first == "airplane" && set.classNames.count == 10)
    #expect(set.remarks.isEmpty)
    for label in Int32(0)..<10 {
      #expect(set.training.labels.count { $0 == label } == 5000)
      #expect(set.test?.labels.count { $0 == label } == 1000)
    }
    // The means of CIFAR-10's training pixels by channel, known to three digits.
    let mean = PixelMean(of: set.training).values
    for (channel, known) in [0.491, 0.482, 0.447].enumerated() {
      let values = stride(from: channel, to: mean.count, by: 3).map { Double(mean[$0]) }
      #expect(abs(values.reduce(0, +) / Double(values.count) - known) < 0.002)
    }
  }
}
