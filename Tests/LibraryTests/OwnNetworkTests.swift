import Foundation
import Residual
import ResidualTestSupport
import Testing

/// A network of a program's own layers.
@Suite struct OwnNetworkTests {
  private static func network(filters: Int = 8, classes: Int = 2) -> Network {
    Network(name: "mine", inputSide: 32, classes: classes, variant: .init(.projection), depth: 4) {
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
    let trainer = try Learner(
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

  @Test func learningResumesFromItsCheckpoint() throws {
    let data = Dataset(
      name: "mine", classNames: ["dark", "bright"], training: ReadmeTests.images)
    var options = RecipeOptions()
    (options.steps, options.batchSize) = (12, 16)
    func trainer() throws -> Learner<CPUDevice> {
      try Learner(
        Self.network(), by: options.resolved(on: data), on: data, device: CPUDevice(threads: 1))
    }
    let (whole, first, second) = (try trainer(), try trainer(), try trainer())
    while try whole.trainEpoch() != nil {}
    let folder = try TemporaryFolder()
    let path = folder["last.safetensors"]
    #expect(throws: FileError.self) { try Checkpoint(at: path) }
    for _ in 0..<2 {
      _ = try first.trainEpoch()
      try Snapshot(of: first).write(to: path)
    }
    #expect(try folder.names == ["last.safetensors"])
    let checkpoint = try #require(try Checkpoint(at: path))
    #expect(checkpoint.step == 8)
    try checkpoint.restore(second)
    while try second.trainEpoch() != nil {}
    let tensors = whole.model().tensors
    #expect(second.model().tensors == tensors)
  }

  /// What a program writes itself: a gate on channels, as in squeeze-and-excitation.
  private struct Gate: Layer {
    let name: String
    func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
      let weight = lowering.parameter(
        name + ".weight", [input.channels], .constant(0.5))
      let everywhere = lowering.append(
        .broadcast(.init(leaving: 0)), [weight, input.value], name + ".everywhere")
      let gated = lowering.append(.multiply(.init()), [input.value, everywhere], name)
      return Activation(value: gated, channels: input.channels)
    }
  }

  @Test func layersOfOnesOwnAreTrained() throws {
    let data = Dataset(
      name: "mine", classNames: ["dark", "bright"], training: ReadmeTests.images)
    let network = Network(name: "gated", inputSide: 32, classes: 2) {
      Convolution("conv1", 4, size: 3, stride: 2)
      BatchNormalization("bn1")
      Gate(name: "gate")
      ReLU()
      GlobalAveragePooling()
      FullyConnected("fc", 2)
    }
    #expect(network.depth == 2)
    var options = RecipeOptions()
    (options.steps, options.batchSize) = (8, 16)
    let trainer = try Learner(
      network, by: options.resolved(on: data), on: data,
      device: CPUDevice(threads: 1))
    while try trainer.trainEpoch() != nil {}
    let gate = try #require(trainer.model().tensors["gate.weight"])
    #expect(gate.scalars.allSatisfy { $0.isFinite && $0 != 0.5 })
  }

  @Test func whatDoesNotFitIsSaid() throws {
    func images(_ side: Int) -> ImageSet {
      ImageSet(
        height: side, width: side, checked: [UInt8](repeating: 9, count: 4 * side * side * 3),
        labels: [0, 1, 0, 1])
    }
    func train(_ network: Network, on side: Int, test: Int? = nil) throws {
      var options = RecipeOptions()
      (options.steps, options.batchSize) = (1, 4)
      let data = Dataset(
        name: "mine", classNames: ["a", "b"], training: images(side), test: test.map(images))
      _ = try Learner(
        network, by: options.resolved(on: data), on: data, device: CPUDevice(threads: 1))
    }
    try train(Self.network(), on: 32)
    // Images of other sizes are prepared for the network.
    try train(Self.network(), on: 40)
    try train(Self.network(), on: 32, test: 33)
    let wide = Network(name: "wide", inputSide: 32, classes: 2) {
      GlobalAveragePooling()
      FullyConnected("fc", 3)
    }
    #expect(throws: ShapeError.self) { try train(wide, on: 32) }

    // A catalogue's network takes the size of the images.
    var options = RecipeOptions()
    (options.model, options.steps, options.batchSize) = ("cifar-resnet8", 1, 4)
    let data = Dataset(name: "mine", classNames: ["a", "b"], training: images(40))
    let trainer = try Learner(options, on: data, device: CPUDevice(threads: 1))
    #expect(trainer.network.inputSide == 40)
    let classifier = try Classifier(trainer.model(), device: CPUDevice(threads: 1))
    #expect(try classifier.evaluate(images(32)).images == 4)
  }

  @Test func anInitialCheckpointIsNeverForgotten() throws {
    let folder = try TemporaryFolder()
    let data = Dataset(
      name: "mine", classNames: ["dark", "bright"], training: ReadmeTests.images)
    var options = RecipeOptions()
    (options.model, options.steps, options.batchSize) = ("cifar-resnet8", 1, 16)
    let first = try Learner(options, on: data, device: CPUDevice(threads: 1))
    try first.model().write(to: folder["first.safetensors"])
    options.initialCheckpoint = folder["first.safetensors"]
    options.freeze = [Network.allButHead]
    let learner = try Learner(options, on: data, device: CPUDevice(threads: 1))
    #expect(learner.transfer?.loaded.count == learner.network.slots.count)
    do { _ = try OpenedModel(at: folder["none.safetensors"]) } catch {
      #expect(error.localizedDescription.contains("no such file"))
    }
  }
}
