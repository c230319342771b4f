import ResidualImages
import Testing

@Suite(.enabled(if: ImageCodec.allCases.allSatisfy(\.isAvailable), "needs the codecs' traits"))
struct DecodingTests {
  let decoder = ImageDecoder()

  @Test(
    "a PNG of every kind decodes to Pillow's bytes",
    arguments: [
      "photo", "grey", "bilevel", "palette", "alpha", "grey-alpha", "interlaced", "deep",
    ])
  func png(name: String) throws {
    let image = try decoder.decode(Fixtures.bytes(name + ".png"), file: name)
    #expect(try image == Fixtures.expected(name))
  }

  @Test(
    "a JPEG of every kind decodes to Pillow's bytes",
    arguments: [("baseline", 0), ("progressive", 0), ("grey-jpeg", 0), ("cmyk", 1)])
  func jpeg(name: String, tolerance: Int) throws {
    let image = try decoder.decode(Fixtures.bytes(name + ".jpg"), file: name)
    #expect(try #require(distance(image, Fixtures.expected(name))) <= tolerance)
  }

  @Test("one decoder reads many files, also after a failure")
  func reuse() throws {
    let good = try Fixtures.bytes("baseline.jpg")
    let first = try decoder.decode(good, file: "a")
    #expect(throws: ImageError.self) { try decoder.decode(good.dropLast(300) + [], file: "b") }
    #expect(try decoder.decode(good, file: "c") == first)
  }

  @Test(
    "a truncated file is an error, wherever it ends",
    arguments: [
      "baseline.jpg", "progressive.jpg", "photo.png", "interlaced.png", "palette.png", "cmyk.jpg",
    ])
  func truncated(name: String) throws {
    let whole = try Fixtures.bytes(name)
    for count in 0..<whole.count {
      #expect(throws: ImageError.self, "\(count) of \(whole.count) bytes") {
        try decoder.decode(Array(whole.prefix(count)), file: name)
      }
    }
  }

  @Test("a damaged file is an image or an error, never a trap")
  func damaged() throws {
    for name in ["baseline.jpg", "progressive.jpg", "interlaced.png", "palette.png", "deep.png"] {
      let whole = try Fixtures.bytes(name)
      for position in whole.indices {
        for flip: UInt8 in [0x01, 0x80, 0xff] {
          var bytes = whole
          bytes[position] ^= flip
          if let image = try? ImageDecoder(pixelLimit: 1 << 20).decode(bytes, file: name) {
            #expect(image.pixels.count == image.width * image.height * 3)
          }
        }
      }
    }
  }

  @Test("surplus bytes between segments, which are common, are let pass")
  func surplusBytes() throws {
    let whole = try Fixtures.bytes("baseline.jpg")
    let padded = Array(whole.dropLast(2)) + [0, 0, 0] + whole.suffix(2)
    #expect(try decoder.decode(padded, file: "a") == decoder.decode(whole, file: "a"))
  }

  @Test("errors name the file, the reason and the mend")
  func messages() throws {
    func message(_ bytes: [UInt8], limit: Int = 1000) -> String {
      do throws(ImageError) {
        _ = try ImageDecoder(pixelLimit: limit).decode(bytes, file: "cats/1.jpg")
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(message([]) == "cats/1.jpg: the file is empty; restore or remove it")
    #expect(
      message(Array("GIF89a".utf8))
        == "cats/1.jpg: neither JPEG nor PNG: it starts as GIF; convert or remove it")
    #expect(
      message([0, 16, 255])
        == "cats/1.jpg: neither JPEG nor PNG: it starts as bytes 00 10 ff; convert or remove it")
    let large = "cats/1.jpg: 23×17 pixels are more than the limit of 390; make it smaller"
    for name in ["photo.png", "baseline.jpg"] {
      #expect(try message(Fixtures.bytes(name), limit: 390) == large)
    }
    #expect(
      try message(Fixtures.bytes("photo.png").dropLast(20) + [])
        == "cats/1.jpg: this PNG file cannot be decoded (the file ends too early); "
        + "restore or remove it")
    let jpeg = try message(Fixtures.bytes("baseline.jpg").dropLast(20) + [])
    #expect(jpeg.hasPrefix("cats/1.jpg: this JPEG file cannot be decoded ("))
    #expect(jpeg.contains("remature end"))
  }

  @Test("a header that announces a huge image is refused before memory is taken")
  func bomb() throws {
    var png = try Fixtures.bytes("photo.png")
    png.replaceSubrange(16..<24, with: [0, 0, 0x40, 0, 0, 0, 0x40, 0])
    // The header's checksum no longer fits, which is found first; either way no pixel is decoded.
    #expect(throws: ImageError.self) { try decoder.decode(png, file: "bomb") }
    var jpeg = try Fixtures.bytes("baseline.jpg")
    let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xff && jpeg[$0 + 1] == 0xc0 })
    jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xff, 0xdc, 0xff, 0xdc])
    #expect(
      throws: ImageError.tooLarge(
        file: "bomb", width: 65500, height: 65500, limit: ImageDecoder.defaultPixelLimit)
    ) { try decoder.decode(jpeg, file: "bomb") }
  }
}

@Test(
  "a file whose codec is missing is an error that names the trait",
  .enabled(if: !ImageCodec.png.isAvailable, "needs a build without the trait PNG"))
func missingCodec() {
  #expect(throws: ImageError.codecMissing(file: "a.png", codec: .png)) {
    try ImageDecoder().decode(Fixtures.bytes("photo.png"), file: "a.png")
  }
}
