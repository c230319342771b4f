import Foundation
import ResidualDatasets
import ResidualImages
import ResidualTensors
import ResidualTestSupport
import Testing

/// Bytes that are a function of a seed.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = RandomSource(RandomKey(seed: seed))
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

func noiseImage(width: Int = 32, height: Int = 32, seed: UInt64) -> Image {
  Image(width: width, height: height, checked: noise(width * height * 3, seed: seed))
}

/// A set of random images whose labels take turns.
func noiseSet(count: Int, side: Int = 32, classes: Int = 10, seed: UInt64 = 1) -> ImageSet {
  ImageSet(
    height: side, width: side, checked: noise(count * side * side * 3, seed: seed),
    labels: (0..<count).map { Int32($0 % classes) })
}

/// A file of the image fixtures.
func imageFixture(_ name: String) throws -> [UInt8] {
  let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  return try [UInt8](Data(contentsOf: folder.appending(path: "Fixtures/Images/\(name)")))
}

/// Two classes with images in `train` and `test`, a JPEG of 23×17 pixels among them.
func smallImageFolder() throws -> [String: [UInt8]] {
  var files: [String: [UInt8]] = [:]
  var seed: UInt64 = 0
  for (part, count) in [("train", 3), ("test", 2)] {
    for name in ["cat", "dog"] {
      for index in 0..<count {
        seed += 1
        files["\(part)/\(name)/\(index).png"] = try PNG.encode(noiseImage(seed: seed))
      }
    }
  }
  files["train/dog/1.jpg"] = try imageFixture("baseline.jpg")
  return files
}

/// A tar archive (ustar) of files, by name.
func tar(_ files: [String: [UInt8]]) -> [UInt8] {
  var archive: [UInt8] = []
  for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    func octal(_ number: Int, digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put(octal(bytes.count, digits: 11), at: 124)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar\0" + "00", at: 257)
    put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148)
    archive += header + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
  }
  return archive + [UInt8](repeating: 0, count: 1024)
}

/// A gzip file whose blocks are stored, not compressed.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  func little(_ number: UInt32, bytes: Int) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
  }
  var file: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
  for start in stride(from: 0, to: bytes.count, by: 65535) {
    let block = bytes[start..<min(start + 65535, bytes.count)]
    file.append(start + block.count == bytes.count ? 1 : 0)
    file += little(UInt32(block.count), bytes: 2) + little(~UInt32(block.count), bytes: 2) + block
  }
  var remainder: UInt32 = ~0
  for byte in bytes {
    remainder ^= UInt32(byte)
    for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0xedb8_8320 : 0) }
  }
  return file + little(~remainder, bytes: 4) + little(UInt32(bytes.count), bytes: 4)
}

/// CIFAR-10's files with a few records each.
func smallCIFAR(records: Int = 4) -> [String: [UInt8]] {
  var files: [String: [UInt8]] = [:]
  let names = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]
  for (file, name) in names.enumerated() {
    var bytes: [UInt8] = []
    for record in 0..<records {
      bytes.append(UInt8((file + record) % 10))
      bytes += noise(3072, seed: UInt64(100 * file + record))
    }
    files[name] = bytes
  }
  files["batches.meta.txt"] = Array("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n".utf8)
  return files
}

/// What the error of a call says, after the path of the temporary folder is cut out.
func message(in folder: TemporaryFolder, _ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch {
    return "\(error)".replacingOccurrences(of: folder.path, with: "DATA")
  }
}

func expectEqual(
  _ first: ImageSet?, _ second: ImageSet?, _ place: SourceLocation = #_sourceLocation
) {
  let equal =
    first?.pixels == second?.pixels && first?.labels == second?.labels
    && first?.width == second?.width && first?.height == second?.height
  #expect(equal, sourceLocation: place)
}

/// A set of data with its images decoded.
struct LoadedData {
  let data: Dataset
  let training: ImageSet, validation: ImageSet?, test: ImageSet?
  let remarks: [String]

  init(
    _ location: String?, parts: Set<Dataset.Part> = Set(Dataset.Part.allCases), side: Int = 32,
    recordsPerFile: Int = 10_000
  ) throws {
    let data = try Dataset(at: location, parts: parts, recordsPerFile: recordsPerFile)
    var counts = PreparationCounts()
    func load(_ part: Dataset.Part) throws -> ImageSet? {
      guard let samples = data.parts[part] else { return nil }
      let prepared = try Preparation.View.squash.images(of: samples, side: side)
      counts += prepared.counts
      return prepared.set
    }
    training = try load(.training) ?? ImageSet(height: side, width: side, checked: [], labels: [])
    (validation, test) = (try load(.validation), try load(.test))
    remarks = Preparation.View.squash.remarks(counts, side: side) + data.remarks
    self.data = data
  }
  var source: Dataset.Source { data.source }
  var name: String { data.name }
  var classNames: [String] { data.classNames }
}
