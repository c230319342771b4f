import ResidualCPU
import ResidualNetworks
import ResidualPlatform
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

  /// First values are those that one thread draws one after another, by SplitMix64 and the method of
  /// Box and Muller.
  @Test func firstValues() throws {
    func drawn(_ count: Int, _ name: String) -> [Float] {
      var state = RandomKey(seed: 9).derived(.initialization).derived(name).bits
      func next() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11)
      }
      var values: [Double] = []
      while values.count < count {
        let radius = (-2 * log((next() + 1) / 0x1p53)).squareRoot()
        let angle = 2 * .pi * (next() / 0x1p53)
        values += [radius * cos(angle), radius * sin(angle)]
      }
      return values.prefix(count).map { Float(0.3 * $0) }
    }
    // Fewer numbers than a thread takes at a time, as many, a few more, many more.
    let counts = [1, 4096, 4099, 100_001]
    func slot(_ name: String, _ count: Int, _ value: StateSlot.InitialValue) -> StateSlot {
      StateSlot(name: "\(name)\(count)", shape: [count], role: .parameter, initialValue: value)
    }
    let slots =
      counts.map { slot("w", $0, .normal(standardDeviation: 0.3)) }
      + counts.map { slot("b", $0, .constant(-2)) }
    var expected: [String: [Float]] = [:]
    for count in counts {
      expected["w\(count)"] = drawn(count, "w\(count)")
      expected["b\(count)"] = [Float](repeating: -2, count: count)
    }
    for threads in [1, 2, 4] {
      let store = Store(for: try CPUDevice(threads: threads))
      try store.initialize(slots, seed: 9)
      let found = expected.keys.reduce(into: [:]) { $0[$1] = store.read($1).scalars }
      #expect(found.differences(from: expected) == [], "\(threads) threads")
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
