import Foundation
import ResidualImages
import ResidualTensors
import Testing

@Suite(.enabled(if: ImageCodec.png.isAvailable)) struct EncodingTests {
  @Test("what PNG encodes it decodes", arguments: [(1, 1), (1, 40), (33, 7), (320, 200)])
  func roundTrip(width: Int, height: Int) throws {
    var random = RandomSource(RandomKey(seed: 1))
    let image = Image(
      width: width, height: height,
      checked: (0..<width * height * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    let bytes = try PNG.encode(image)
    #expect(try ImageDecoder().decode(bytes, file: "round trip") == image)
  }

  @Test("an image too wide for the format is an error")
  func tooWide() throws {
    let image = Image(
      width: 1_000_001, height: 1, checked: Array(repeating: 0, count: 3_000_003))
    #expect(throws: ImageError.self) { try PNG.encode(image) }
  }
}
