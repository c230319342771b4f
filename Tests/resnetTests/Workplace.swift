import Foundation
import ResidualImages
import Testing

/// A folder to run commands in, removed with this object.
///
/// `data` is a tiny set: 3 classes of 20 training and 4 test images, which differ in brightness.
final class Workplace {
  static let hasCodec = ImageCodec.png.isAvailable
  static let classes = ["ape", "bat", "cow"]
  /// What a short training run on the tiny set is asked for.
  static let training = ["train", "data", "--model", "cifar-resnet8", "--batch-size", "8"]

  let url = FileManager.default.temporaryDirectory.appending(path: "residual-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    try addImages()
  }
  deinit { try? FileManager.default.removeItem(at: url) }

  /// Draws the images of a set.
  func addImages(
    _ name: String = "data", train: [String] = classes, test: [String] = classes
  ) throws {
    for (part, classes, count) in [("train", train, 20), ("test", test, 4)] {
      for (label, name_) in classes.enumerated() {
        for index in 0..<count {
          let pixels = (0..<32 * 32 * 3).map { UInt8(($0 * (index + 7) % 61) + 60 * label) }
          try write(
            PNG.encode(Image(width: 32, height: 32, checked: pixels)),
            "\(name)/\(part)/\(name_)/\(index).png")
        }
      }
    }
  }

  /// Writes a file with the folders that it lies in.
  func write(_ bytes: [UInt8], _ name: String) throws {
    let file = url.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    // Foundation synchronises every file with the disk, which takes seconds for a set of images.
    let stream = try #require(fopen(file.path, "wb"))
    #expect(fwrite(bytes, 1, bytes.count, stream) == bytes.count)
    fclose(stream)
  }
  func write(_ text: String, _ name: String) throws { try write(Array(text.utf8), name) }

  /// A path as the command resolves it.
  func path(_ name: String) -> String { url.appending(path: name).path }
  func bytes(_ name: String) throws -> Data { try Data(contentsOf: url.appending(path: name)) }
  func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }
  func remove(_ name: String) throws {
    try FileManager.default.removeItem(at: url.appending(path: name))
  }
  func files(_ folder: String) -> Set<String> {
    Set(
      (try? FileManager.default.contentsOfDirectory(atPath: url.appending(path: folder).path)) ?? []
    )
  }

  /// All paths with their sizes.
  var listing: [String] {
    (FileManager.default.subpaths(atPath: url.path) ?? []).sorted().map { path in
      let attributes = try? FileManager.default.attributesOfItem(
        atPath: url.appending(path: path).path)
      return "\(path) \(attributes?[.size] as? Int ?? -1)"
    }
  }

  /// Runs a command here that must succeed.
  @discardableResult
  func run(
    _ arguments: [String], environment: [String: String] = [:],
    _ location: SourceLocation = #_sourceLocation
  ) throws -> Program.Outcome {
    let outcome = try Program.run(arguments, in: url, environment: environment)
    #expect(
      !outcome.isKilled && outcome.code == 0,
      "resnet \(arguments.joined(separator: " ")): \(outcome.errors)", sourceLocation: location)
    return outcome
  }

  /// Trains for six steps into `runs/<name>`.
  @discardableResult
  func train(_ name: String, _ more: [String] = []) throws -> Program.Outcome {
    try run(Self.training + ["--steps", "6", "--experiment", name] + more)
  }
}
