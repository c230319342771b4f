import Foundation
import Residual
import Testing

@Suite struct ClassifierTests {
  /// A network of drawn parameters.
  private func model() throws -> ModelFile {
    let network = try NetworkCatalog.network(named: "cifar-resnet8", classes: 4)
    let store = Store()
    try store.initialize(network.slots, seed: 3)
    return ModelFile(
      network: network,
      preparation: try Preparation(
        side: 32, .channels(mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.25])),
      classNames: ["ape", "bat", "cow", "dog"], statistics: .moving,
      tensors: Dictionary(
        uniqueKeysWithValues: network.slots.map { ($0.name, store.read($0.name)) }))
  }

  private func image(_ seed: UInt64, width: Int = 32, height: Int = 32) -> Image {
    var source = RandomSource(RandomKey(seed: seed))
    return Image(
      width: width, height: height,
      checked: (0..<width * height * 3).map { _ in UInt8(source.index(below: 256)) })
  }

  /// The reference device, fed with numbers that are prepared here.
  @Test func probabilitiesAreTheSoftmaxOfTheReferencesLogits() throws {
    let model = try model()
    let classifier = try Classifier(model, device: CPUDevice(threads: 1), batchSize: 2)
    let images = [image(1), image(2), image(3)]
    let guesses = try classifier.classify(images, top: 4)
    let session = Session(device: ReferenceDevice(), store: Store(realType: .float64))
    let plan = try session.load(
      model.network.graph(.inference), inputs: [Network.imagesInput: [3, 32, 32, 3]])
    for (name, tensor) in model.tensors where session.store.contains(name) {
      session.store.write(tensor.scalars, to: name)
    }
    let (mean, std) = ([0.5, 0.4, 0.3] as [Float], [0.2, 0.3, 0.25] as [Float])
    plan.write(
      images.flatMap(\.pixels).enumerated().map { index, byte in
        (Float(byte) / 255 - mean[index % 3]) / std[index % 3]
      }, to: Network.imagesInput)
    plan.run()
    let logits = plan.read(Network.logitsOutput).scalars.map(Double.init)
    for (index, found) in guesses.enumerated() {
      let exponentials: [Double] = logits[index * 4..<index * 4 + 4].map { exp($0) }
      let sum = exponentials.reduce(0, +)
      let expected = zip(model.classNames, exponentials).sorted { $0.1 > $1.1 }
      #expect(found.map(\.name) == expected.map(\.0))
      for (guess, (_, exponential)) in zip(found, expected) {
        #expect(abs(guess.probability - exponential / sum) < 1e-4)
      }
    }
    // An image gets the same alone as in a batch.
    let single = try Classifier(model, device: CPUDevice(threads: 1))
    for (image, found) in zip(images, guesses) {
      #expect(try single.classify(image, top: 4).map(\.name) == found.map(\.name))
    }
  }

  @Test func imagesOfOtherSizesAreResized() throws {
    let classifier = try Classifier(model(), device: CPUDevice(threads: 1))
    let large = image(4, width: 90, height: 51)
    let (found, expected) = (
      try classifier.classify(large, top: 4),
      try classifier.classify(large.resized(width: 32, height: 32), top: 4)
    )
    #expect(found == expected && found.count == 4)
    let one = try classifier.classify(large, top: 1)
    #expect(one == [found[0]])
  }

  /// A centre crop is taken once, from files as from images.
  @Test(.enabled(if: ImageCodec.png.isAvailable, "this build cannot write PNG images"))
  func filesGiveWhatImagesGive() throws {
    let squashed = try model()
    let classifier = try Classifier(
      squashed.replacing(
        preparation: Preparation(
          .centerCrop(shorterSide: 40), side: 32, squashed.preparation.normalization)),
      device: CPUDevice(threads: 1), batchSize: 3)
    let images = (1...5).map { image($0, width: 60, height: 50) }
    let folder = FileManager.default.temporaryDirectory.appending(path: "residual-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let paths = images.indices.map { folder.appending(path: "\($0).png").path }
    for (image, path) in zip(images, paths) {
      try Data(PNG.encode(image)).write(to: URL(filePath: path))
    }
    #expect(try classifier.classify(imagesAt: paths, top: 4) == classifier.classify(images, top: 4))
  }

  @Test func filesThatCannotBeReadAreNamed() throws {
    let classifier = try Classifier(model(), device: CPUDevice(threads: 1))
    #expect(throws: FileError.self) { try classifier.classify(imageAt: "no/such.png") }
    #expect(throws: ImageError.self) { try classifier.classify(imageAt: #filePath) }
    #expect(throws: FileError.self) { try Classifier(at: "no/such.safetensors") }
  }
}
