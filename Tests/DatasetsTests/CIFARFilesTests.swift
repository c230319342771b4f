import Foundation
import ResidualDatasets
import ResidualTestSupport
import Testing

@Suite struct CIFARFilesTests {
  func open(_ location: String, parts: Set<Dataset.Part> = [.training, .validation, .test]) throws
    -> LoadedData
  {
    try LoadedData(location, parts: parts, recordsPerFile: 4)
  }

  @Test("records become labels and pixels; folder, leading folder and archive agree")
  func load() throws {
    let folder = try TemporaryFolder()
    let files = smallCIFAR()
    let led = Dictionary(uniqueKeysWithValues: files.map { ("cifar-10-batches-bin/" + $0, $1) })
    try folder.write(led)
    try folder.write(tar(led), "cifar.tar")
    try folder.write(gzip(tar(files)), "cifar.tar.gz")
    let data = try open(folder.path)
    #expect(data.source == .cifar)
    #expect(data.classNames == ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"])
    #expect(data.training.count == 20 && data.test?.count == 4 && data.validation == nil)
    #expect(data.training.labels[4...7] == [1, 2, 3, 4])
    let record = try #require(files["data_batch_2.bin"])[3 * 3073..<4 * 3073]
    let image = data.training.image(at: 7)
    for (y, x, c) in [(0, 0, 0), (0, 1, 0), (1, 0, 2), (31, 31, 2), (17, 5, 1)] {
      #expect(
        image.pixels[(y * 32 + x) * 3 + c]
          == record[record.startIndex + 1 + c * 1024 + y * 32 + x])
    }
    for location in ["cifar-10-batches-bin", "cifar.tar", "cifar.tar.gz"] {
      let other = try open(folder.path + "/" + location)
      expectEqual(other.training, data.training)
      expectEqual(other.test, data.test)
    }
    #expect(try open(folder.path, parts: [.test]).training.count == 0)
  }

  @Test("each fault has its own line that names the file and the mend")
  func faults() throws {
    func fault(_ change: (inout [String: [UInt8]]) -> Void) throws -> String {
      let folder = try TemporaryFolder()
      var files = smallCIFAR()
      change(&files)
      try folder.write(files)
      return message(in: folder) { _ = try open(folder.path) }
    }
    #expect(
      try fault { $0["data_batch_3.bin"]?.removeLast() }
        == "DATA/data_batch_3.bin: expected 12292 bytes, found 12291; fetch the file again")
    #expect(
      try fault { $0["test_batch.bin"] = [] }
        == "DATA/test_batch.bin: expected 12292 bytes, found 0; fetch the file again")
    #expect(
      try fault { $0["data_batch_1.bin"]?[2 * 3073] = 10 }
        == "DATA/data_batch_1.bin: record 2, byte 6146: label 10 is not one of 0 to 9; "
        + "fetch the file again")
    #expect(
      try fault { $0["data_batch_5.bin"] = nil }
        == "DATA: CIFAR-10's data_batch_5.bin is missing; fetch cifar-10-binary.tar.gz again")
    #expect(
      try fault { $0["batches.meta.txt"] = Array("cat\ndog\n".utf8) }
        == "DATA/batches.meta.txt: expected 10 class names, found 2; fetch the file again")
    #expect(
      try fault { $0 = ["data_batch_1": [1]] }
        == "DATA: data_batch_1 is CIFAR-10's version for Python; fetch the binary version "
        + "(cifar-10-binary.tar.gz)")
  }

  @Test("without batches.meta.txt the classes have CIFAR-10's names")
  func standardNames() throws {
    let folder = try TemporaryFolder()
    try folder.write(smallCIFAR().filter { $0.key != "batches.meta.txt" })
    #expect(try open(folder.path).classNames.last == "truck")
  }
}
