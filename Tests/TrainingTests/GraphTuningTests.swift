#if ONNX
  import ResidualCPU
  import ResidualTestSupport
  import ResidualRuns
  import Testing

  /// Fine-tuning of a network that comes from an ONNX file and has no name here.
  @Suite struct GraphTuningTests {
    private let folder: TemporaryFolder
    private let file: String

    init() throws {
      folder = try TemporaryFolder()
      file = folder["network.onnx"]
      let network = Network(
        name: "custom", inputSide: 32, classes: 5, depth: 3
      ) {
        Convolution("stem", 8, size: 3, stride: 2)
        BatchNormalization("norm1")
        ReLU("relu1")
        Convolution("middle", 16, size: 3, stride: 2)
        BatchNormalization("norm2")
        ReLU("relu2")
        GlobalAveragePooling()
        FullyConnected("head", 5)
      }
      let store = Store()
      try store.initialize(network.slots, seed: 3)
      try ModelFile(
        network: network,
        preparation: .init(
          side: 32, .channels(mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25])),
        classNames: ["a", "b", "c", "d", "e"], statistics: .moving,
        tensors: Dictionary(
          uniqueKeysWithValues: network.slots.map { ($0.name, store.read($0.name)) })
      ).writeONNX(to: file)
    }

    private var options: RecipeOptions {
      var options = RecipeOptions.tiny(steps: 10)
      options.model = nil
      options.initialCheckpoint = file
      options.freeze = ["stem", "norm1"]
      return options
    }

    /// The head is replaced, frozen layers stay as they are, and the others learn.
    @Test func tenSteps() throws {
      let trainer = try options.fineTuner()
      #expect(trainer.network.classes == TinyData.classNames.count)
      #expect(Set(trainer.transfer?.replaced ?? []) == ["head.weight", "head.bias"])
      let before = trainer.slotBits
      let first = try #require(try trainer.trainEpoch { _ in })
      var last = first
      while let epoch = try trainer.trainEpoch(observe: { _ in }) { last = epoch }
      #expect(trainer.progress.step == 10 && last.trainingLoss < first.trainingLoss)
      let after = trainer.slotBits
      for slot in trainer.network.slots {
        let isFrozen = slot.name.hasPrefix("stem.") || slot.name.hasPrefix("norm1.")
        #expect((after[slot.name] == before[slot.name]) == isFrozen, "\(slot.name)")
      }
    }

    /// The choices that a run folder keeps make the same recipe again.
    @Test func reproduced() throws {
      let trainer = try options.fineTuner()
      var kept = trainer.recipe.options
      kept.definition = nil
      try kept.validate()
      #expect(try kept.fineTuner().recipe == trainer.recipe)
    }

    /// A run is resumed from its own files, to the same bits.
    @Test func resumed() throws {
      let whole = try options.fineTuner()
      while try whole.trainEpoch(observe: { _ in }) != nil {}
      let first = try options.fineTuner()
      _ = try first.trainEpoch { _ in }
      try Checkpoint.write(first, in: folder.path, provenance: [:])
      let initial = try InitialModel(ModelFile(at: folder["last.safetensors"]))
      let recipe = first.recipe
      #expect(recipe.options.definition != nil && initial.model.network.classes == 4)
      let second = try Learner(
        recipe.options, on: TinyData.dataset(), from: initial, device: CPUDevice(threads: 1))
      try Checkpoint.restore(second, from: folder.path)
      while try second.trainEpoch(observe: { _ in }) != nil {}
      #expect(second.differences(from: whole) == [])
    }
  }
#endif
