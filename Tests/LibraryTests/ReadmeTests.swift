import Foundation
import Residual
import ResidualTestSupport
import Testing

/// The README's lines for programs are these, and they work.
@Suite struct ReadmeTests {
  @Test func showsTheseLines() throws {
    let here = URL(filePath: #filePath).deletingLastPathComponent()
    let example = try String(contentsOf: here.appending(path: "Example.swift"), encoding: .utf8)
    let readme = try String(
      contentsOf: here.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "README.md"), encoding: .utf8)
    #expect(readme.contains("```swift\n" + example + "```"))
  }

  /// Dark and bright images.
  static let images: ImageSet = {
    var source = RandomSource(RandomKey(seed: 3))
    let labels = (0..<64).map { Int32($0 % 2) }
    return ImageSet(
      height: 32, width: 32,
      checked: labels.flatMap { label in
        (0..<32 * 32 * 3).map { _ in UInt8(Int(label) * 128 + source.index(below: 128)) }
      }, labels: labels)
  }()

  @Test func trainsAndClassifies() throws {
    let folder = try TemporaryFolder()
    let model = folder["mine.safetensors"]
    try train(on: Self.images, named: ["dark", "bright"], to: model)
    let classifier = try Classifier(at: model)
    for (name, byte) in [("dark", UInt8(40)), ("bright", 220)] {
      let image = Image(
        width: 48, height: 20, checked: [UInt8](repeating: byte, count: 48 * 20 * 3))
      let guesses = try classifier.classify(image, top: 2)
      #expect(guesses.first?.name == name)
      #expect(guesses.count == 2)
      #expect(abs(guesses.reduce(0) { $0 + $1.probability } - 1) < 1e-9)
      #if PNG
        let file = folder[name + ".png"]
        try Data(PNG.encode(image)).write(to: URL(filePath: file))
        #expect(try classifier.classify(imageAt: file, top: 2) == guesses)
        try classify(file, with: model)
      #endif
    }
  }
}
