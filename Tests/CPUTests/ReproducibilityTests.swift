import ResidualCPU
import ResidualNetworks
import ResidualTraining
import Testing

/// The bits of a result depend on neither the number of threads nor the moment.
@Suite struct ReproducibilityTests {
  @Test(arguments: InstructionSet.available)
  func threadsAndRuns(instructionSet: InstructionSet) throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet20")
    func results(threads: Int) throws -> [String: [Float]] {
      let device = try CPUDevice(threads: threads, instructionSet: instructionSet)
      let run = try TrainingRun(network, batch: 16, on: device)
      for number in 0..<3 { run.step(number) }
      return run.results
    }
    let expected = try results(threads: 1)
    #expect(expected.values.allSatisfy { $0.allSatisfy(\.isFinite) })
    for threads in [1, 2, 3, 4] {
      let found = try results(threads: threads)
      #expect(found.differences(from: expected) == [], "\(threads) threads")
    }
  }

  /// Inference of few images, whose work is cut by output channels.
  @Test(arguments: InstructionSet.available, [1, 3])
  func fewImages(instructionSet: InstructionSet, batch: Int) throws {
    let network = try NetworkCatalog.network(named: "resnet18", inputSide: 96)
    func logits(threads: Int) throws -> [String: [Float]] {
      let device = try CPUDevice(threads: threads, instructionSet: instructionSet)
      let loaded = try Session(device: device, store: Store()).load(
        network.graph(.inference), inputs: network.stepShapes(batch: batch), seed: 3)
      loaded.write(
        Draw.numbers(network.imagesShape(batch: batch).count, seed: 4), to: StepTensor.images)
      loaded.poison()
      loaded.run()
      return ["logits": loaded.read(Network.logitsOutput).scalars]
    }
    let expected = try logits(threads: 1)
    #expect(expected.values.allSatisfy { $0.allSatisfy(\.isFinite) })
    for threads in [2, 4] {
      #expect(try logits(threads: threads).differences(from: expected) == [], "\(threads) threads")
    }
  }

  /// The comparison sees a single bit.
  @Test func differencesAreSeen() {
    #expect(["a": [1, 0]].differences(from: ["a": [1, -0.0]]) == ["a"])
    #expect(["a": [1]].differences(from: ["a": [Float(1).nextUp]]) == ["a"])
    #expect(["a": [1], "b": []].differences(from: ["a": [1]]) == ["b"])
    #expect(["a": [Float.nan]].differences(from: ["a": [.nan]]) == [])
  }
}
