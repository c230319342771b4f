import Foundation
import Residual
import ResidualTestSupport
import Testing

/// A network of a program's own layers.
@Suite struct OwnNetworkTests {
  private static func network(filters: Int = 8, classes: Int = 2) -> Network {
    Network(name: "mine", inputSide: 32, classes: classes, shortcut: .projection, depth: 4) {
      Convolution("stem", filters, size: 3, stride: 2)
      BatchNormalization("norm")
      ReLU()
      ResidualBlock("block", shortcut: .projection, channels: filters, stride: 1) {
        Convolution("conv1", filters, size: 3)
        BatchNormalization("bn1")
        ReLU()
        Convolution("conv2", filters, size: 3)
        BatchNormalization("bn2")
      }
      GlobalAveragePooling()
      FullyConnected("fc", classes)
    }
  }

  @Test func isTrainedSavedAndReadAgain() throws {
    let (network, images) = (Self.network(), ReadmeTests.images)
    let data = Dataset(name: "mine", classNames: ["dark", "bright"], training: images)
    var options = RecipeOptions()
    (options.steps, options.batchSize) = (60, 16)
    let trainer = try Trainer(
      network, by: options.resolved(on: data), on: data, device: CPUDevice(threads: 1))
    var losses: [Double] = []
    while let epoch = try trainer.trainEpoch() { losses.append(epoch.trainingLoss) }
    #expect(losses[losses.count - 1] < losses[0] / 2)

    let folder = try TemporaryFolder()
    let file = folder["mine.safetensors"]
    try trainer.model().write(to: file)
    let model = try ModelFile(at: file, network: network)
    #expect(Set(model.tensors.keys) == Set(network.slots.map(\.name)))
    let classifier = try Classifier(model, device: CPUDevice(threads: 1))
    for label in 0..<2 {
      #expect(try classifier.classify(images.image(at: label))[0].name == data.classNames[label])
    }

    // Its name says nothing to whoever has not the layers.
    #expect(throws: ModelFileError.badField(file: file, field: "network", value: "mine")) {
      try ModelFile(at: file)
    }
    #expect(
      throws: ModelFileError.otherNetwork(file: file, found: "mine", expected: "mine")
    ) { try ModelFile(at: file, network: Self.network(classes: 3)) }
    #expect(
      throws: ModelFileError.wrongShape(
        file: file, name: "stem.weight", found: [8, 3, 3, 3], expected: [16, 3, 3, 3])
    ) { try ModelFile(at: file, network: Self.network(filters: 16)) }
  }

  @Test func aRunGoesOnFromItsCheckpoint() throws {
    let data = Dataset(
      name: "mine", classNames: ["dark", "bright"], training: ReadmeTests.images)
    var options = RecipeOptions()
    (options.steps, options.batchSize) = (12, 16)
    func trainer() throws -> Trainer<CPUDevice> {
      try Trainer(
        Self.network(), by: options.resolved(on: data), on: data, device: CPUDevice(threads: 1))
    }
    let (whole, first, second) = (try trainer(), try trainer(), try trainer())
    while try whole.trainEpoch() != nil {}
    _ = try first.trainEpoch()
    let folder = try TemporaryFolder()
    try Checkpoint.write(first, in: folder.path, provenance: [:])
    try Checkpoint.restore(second, from: folder.path)
    while try second.trainEpoch() != nil {}
    let tensors = whole.model().tensors
    #expect(second.model().tensors == tensors)
  }
}
