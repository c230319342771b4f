import Foundation
import ResidualImages
import ResidualTensors
import Testing

@Suite struct ResizeTests {
  @Test(
    "resizing gives Pillow's bytes",
    arguments: [(8, 8), (32, 32), (23, 5), (7, 17), (1, 1), (46, 9)])
  func pillow(width: Int, height: Int) throws {
    let photo = try Fixtures.expected("photo")
    #expect(
      try photo.resized(width: width, height: height)
        == Fixtures.expected("resize-\(width)x\(height)"))
  }

  @Test("the same extents give the same image, and one colour stays one colour")
  func fixedPoints() throws {
    let photo = try Fixtures.expected("photo")
    #expect(photo.resized(width: photo.width, height: photo.height) == photo)
    for value: UInt8 in [0, 1, 127, 255] {
      let plain = Image(width: 91, height: 64, checked: Array(repeating: value, count: 91 * 64 * 3))
      #expect(plain.resized(width: 32, height: 32).pixels.allSatisfy { $0 == value })
    }
  }

  @Test(
    "fifty random sizes against Pillow itself",
    .enabled(if: python != nil, "needs Pillow 13: name a Python that has it in RESNET_PYTHON"))
  func livePillow() throws {
    var random = RandomSource(RandomKey(seed: 7))
    let script = """
      import sys, struct
      from PIL import Image
      data, out = sys.stdin.buffer, sys.stdout.buffer
      while (head := data.read(16)):
          w, h, nw, nh = struct.unpack("<4I", head)
          image = Image.frombytes("RGB", (w, h), data.read(w * h * 3))
          out.write(image.resize((nw, nh), Image.Resampling.BILINEAR).tobytes())
      """
    var input = Data()
    var resized: [UInt8] = []
    for _ in 0..<50 {
      let (w, h) = (random.index(below: 300) + 1, random.index(below: 300) + 1)
      let (nw, nh) = (random.index(below: 100) + 1, random.index(below: 100) + 1)
      let image = Image(
        width: w, height: h,
        checked: (0..<w * h * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) })
      for extent in [w, h, nw, nh] {
        withUnsafeBytes(of: UInt32(extent).littleEndian) { input.append(contentsOf: $0) }
      }
      input.append(contentsOf: image.pixels)
      resized += image.resized(width: nw, height: nh).pixels
    }
    let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try input.write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(filePath: try #require(python))
    process.arguments = ["-c", script]
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let expected = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    // Not the arrays themselves, which a failure would print.
    let matches = expected == resized
    #expect(matches)
  }
}
