import ResidualCPU
import ResidualRuns
import Testing

/// Every design learns: ten steps on one batch lower its loss.
@Suite struct RivalTrainingTests {
  static let networks: [Network] =
    ["googlenet", "highway18", "plain18", "resnet-bottleneck-1-1-1-1", "resnet-1-2-1-1"].map {
      named($0, inputSide: 64)
    }
    + [
      "cifar-highway20", "cifar-single20", "cifar-bottleneck29", "cifar-preact18", "cifar-preact50",
    ].map { named($0, inputSide: 32) }
    + [false, true].map { normalizes in
      guard
        let network = VGG.network(
          depth: 16, normalizes: normalizes, hidden: 256, inputSide: 32, classes: 10)
      else { preconditionFailure("VGG has 16 layers") }
      return network
    }

  private static func named(_ name: String, inputSide: Int) -> Network {
    guard let network = try? NetworkCatalog.network(named: name, inputSide: inputSide, classes: 10)
    else { preconditionFailure("\(name) is a network") }
    return network
  }

  @Test(arguments: networks)
  func tenStepsLowerTheLoss(_ network: Network) throws {
    let batch = 16
    let device = try CPUDevice(threads: 2, instructionSet: #require(InstructionSet.available.last))
    let session = Session(device: device, store: Store())
    let step = network.trainingStep(weightDecay: 1e-4)
    let loaded = try session.load(step, inputs: network.stepShapes(batch: batch), seed: 3)
    loaded.withInput(StepTensor.images, of: Float.self) { images in
      // A picture for each class, the same for all images of it.
      let count = images.count / batch
      for image in 0..<batch {
        var source = RandomSource(RandomKey(seed: 4).derived(image % 4))
        for index in 0..<count { images[image * count + index] = 2 * source.uniform() - 1 }
      }
    }
    loaded.write((0..<batch).map { Int32($0 % 4) }, to: StepTensor.labels)
    loaded.write([Float](repeating: 1, count: batch), to: StepTensor.weights)
    loaded.write(0.002, to: StepTensor.learningRate)
    loaded.write(0.9, to: StepTensor.momentum)
    let dropsOut = loaded.plan.inputs[StepTensor.dropoutKey] != nil
    #expect(dropsOut == (network.name == "googlenet" || network.name.hasPrefix("vgg")))
    var losses: [Float] = []
    for number in 0...10 {
      if dropsOut { loaded.write([Int32(number), 0], to: StepTensor.dropoutKey) }
      loaded.run()
      losses.append(loaded.scalar(StepTensor.loss))
    }
    // Dropout makes losses scatter: the last steps count together.
    let last = losses.suffix(3).reduce(0, +) / 3
    #expect(last < losses[0], "\(network.name): \(losses)")
  }
}
