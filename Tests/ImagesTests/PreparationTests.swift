import Foundation
import ResidualImages
import Testing

@Suite struct PreparationTests {
  /// Every pixel tells where it stands.
  private func ramp(width: Int, height: Int) -> Image {
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        let high = x / 256 + 16 * (y / 256)
        pixels += [UInt8(x % 256), UInt8(y % 256), UInt8(high)]
      }
    }
    return Image(width: width, height: height, checked: pixels)
  }

  @Test("the centre crop is the middle of the resized image")
  func centerCrop() throws {
    for (width, height, shorter, side) in [
      (50, 40, 40, 32), (40, 50, 40, 32), (41, 40, 40, 33), (40, 40, 40, 40), (47, 40, 40, 40),
    ] {
      let image = ramp(width: width, height: height)
      let view = Preparation.View.centerCrop(shorterSide: shorter).image(image, side: side)
      #expect(view.width == side && view.height == side)
      // Nothing is resized, as the shorter side has its pixels already.
      func begin(_ extent: Int) -> Int {
        Int((Double(extent - side) / 2).rounded(.toNearestOrEven))
      }
      #expect(Int(view.pixels[0]) == begin(width) && Int(view.pixels[1]) == begin(height))
      let last = view.pixels.count - 3
      #expect(Int(view.pixels[last]) == begin(width) + side - 1)
    }
    // 300×200 becomes ⌊150 · 300 / 200⌋ × 150 pixels.
    let image = ramp(width: 300, height: 200)
    let resized = image.resized(width: 225, height: 150)
    let view = Preparation.View.centerCrop(shorterSide: 150).image(image, side: 128)
    #expect(view == resized.cropped(x: 48, y: 11, width: 128, height: 128))
  }

  @Test("a whole set is brought to a view as each of its images is", arguments: [32, 40])
  func sets(side: Int) throws {
    let image = ramp(width: 32, height: 32)
    let set = try ImageSet(height: 32, width: 32, pixels: image.pixels, labels: [0])
    for view in [
      Preparation.View.squash, .centerCrop(shorterSide: side), .centerCrop(shorterSide: 48),
    ] {
      let square = view.image(image, side: side)
      let prepared = try view.images(of: set, side: side)
      #expect(prepared.set.pixels == square.pixels)
      #expect(prepared.counts.resized == (square == image ? 0 : 1))
    }
  }

  @Test("an image of any proportions takes bounded memory")
  func extremes() {
    for (width, height) in [(1, 40_000), (40_000, 1), (1, 1), (3, 200)] {
      let image = Image(
        width: width, height: height, checked: [UInt8](repeating: 7, count: width * height * 3))
      for view in [Preparation.View.squash, .centerCrop(shorterSide: 40)] {
        let square = view.image(image, side: 32)
        #expect(square.width == 32 && square.height == 32 && square.pixels.allSatisfy { $0 == 7 })
      }
    }
  }

  @Test("parts that contradict each other are refused")
  func contradictions() throws {
    let channels = Normalization.channels(mean: [0, 0, 0], std: [1, 1, 1])
    for shorterSide in [31, 0, -1, Preparation.largestSide + 1] {
      #expect(throws: PreparationError.self) {
        try Preparation(.centerCrop(shorterSide: shorterSide), side: 32, channels)
      }
    }
    #expect(throws: PreparationError.self) {
      try Preparation(side: 32, .perPixelMean([Float](repeating: 0, count: 31 * 31 * 3)))
    }
    #expect(throws: PreparationError.self) {
      try Preparation(side: 32, .channels(mean: [0, 0, 0], std: [1, 0, 1]))
    }
    let crop = try Preparation(.centerCrop(shorterSide: 40), side: 32, channels)
    #expect(throws: PreparationError.self) { try crop.replacing(.perPixelMean([1])) }
  }

  @Test(
    "the views are Pillow's and torchvision's arithmetic",
    .enabled(if: python != nil, "needs Pillow 13: name a Python that has it in RESNET_PYTHON"))
  func pillow() throws {
    let script = """
      import sys, numpy
      from PIL import Image
      w, h, shorter, side = map(int, sys.argv[1:5])
      image = Image.fromarray(numpy.fromfile(sys.argv[5], numpy.uint8).reshape(h, w, 3))
      size = (shorter, shorter * h // w) if w <= h else (shorter * w // h, shorter)
      image = image.resize(size, Image.Resampling.BILINEAR)
      left, top = round((size[0] - side) / 2.0), round((size[1] - side) / 2.0)
      numpy.asarray(image.crop((left, top, left + side, top + side))).tofile(sys.argv[6])
      """
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (given, made) = (folder.appending(path: "in"), folder.appending(path: "out"))
    for (width, height, shorter, side) in [
      (500, 375, 256, 224), (333, 500, 256, 224), (97, 41, 64, 64), (224, 225, 256, 224),
    ] {
      let image = ramp(width: width, height: height)
      try Data(image.pixels).write(to: given)
      let process = Process()
      process.executableURL = URL(filePath: try #require(python))
      process.arguments =
        ["-c", script] + [width, height, shorter, side].map(String.init) + [given.path, made.path]
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let view = Preparation.View.centerCrop(shorterSide: shorter).image(image, side: side)
      #expect(try [UInt8](Data(contentsOf: made)) == view.pixels, "\(width)×\(height)")
    }
  }
}
