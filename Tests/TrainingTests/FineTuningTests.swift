import Foundation
import ResidualCPU
import ResidualRuns
import ResidualTestSupport
import Testing

/// Training from a model that there is, with layers that stay as they are.
@Suite struct FineTuningTests {
  private let folder: TemporaryFolder
  /// ResNet-8 of the tiny set's four classes, trained for six steps; channels' mean and deviation.
  let file: String

  init() throws {
    folder = try TemporaryFolder()
    file = folder["initial.safetensors"]
    try Self.model().write(to: file)
  }

  /// A model of drawn numbers, statistics too.
  static func model(
    _ name: String = "cifar-resnet8", shortcut: Shortcut? = nil, classNames: [String]? = nil,
    side: Int = 32, normalization: Normalization? = nil
  ) throws -> ModelFile {
    let names = classNames ?? TinyData.classNames
    let network = try NetworkCatalog.network(
      named: name, variant: .init(shortcut), inputSide: side, classes: names.count)
    var tensors: [String: Tensor<Float>] = [:]
    for slot in network.slots {
      var source = RandomSource(RandomKey(seed: 5).derived(slot.name))
      let isPositive = slot.name.hasSuffix("running_var") || slot.name.hasSuffix("bn1.weight")
      tensors[slot.name] = Tensor(
        slot.shape,
        (0..<slot.shape.count).map { _ in
          isPositive ? 0.5 + source.uniform() : 0.4 * source.uniform() - 0.2
        })
    }
    return ModelFile(
      network: network,
      preparation: try .init(
        side: side,
        normalization ?? .channels(mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.25])),
      classNames: names, statistics: .exact, tensors: tensors)
  }

  /// Ten steps of fine-tuning in epochs of four.
  func options(freeze: [String]? = nil) -> RecipeOptions {
    var options = RecipeOptions.tiny(steps: 10)
    options.model = nil
    options.learningRate = 0.01
    options.initialCheckpoint = file
    options.freeze = freeze
    options.statisticsPass = .plain
    return options
  }

  private static func bits(_ tensors: [String: Tensor<Float>]) -> [String: [UInt32]] {
    tensors.mapValues { $0.scalars.map(\.bitPattern) }
  }

  // MARK: Frozen layers

  @Test(arguments: [
    ["conv1", "bn1", "layer1", "layer3.0.bn1"], ["all-but-head"], ["layer2.0.bn2.weight"],
  ])
  func tenStepsLeaveFrozenTensorsAlone(_ patterns: [String]) throws {
    let trainer = try options(freeze: patterns).fineTuner()
    let before = trainer.slotBits
    let model = try ModelFile(at: file)
    #expect(before.filter { !$0.key.hasPrefix("momentum/") } == Self.bits(model.tensors))
    _ = try trainer.finish()
    #expect(trainer.progress.step == 10)
    let network = trainer.network
    func isFrozen(_ slot: StateSlot) -> Bool {
      let path = slot.name.split(separator: ".").dropLast().joined(separator: ".")
      return slot.role == .parameter
        ? network.frozen.contains(slot.name)
        : network.frozen.isSuperset(of: [path + ".weight", path + ".bias"])
    }
    let after = trainer.slotBits
    for slot in network.slots {
      #expect((after[slot.name] == before[slot.name]) == isFrozen(slot), "\(slot.name)")
    }
    let optimizer = trainer.session.store.slots.filter { $0.role == .optimizer }.map(\.name)
    let trained = network.slots.filter { $0.role == .parameter && !isFrozen($0) }
    #expect(Set(optimizer) == Set(trained.map { "momentum/" + $0.name }))

    // Exact statistics are of the layers that were trained.
    try trainer.computeExactStatistics()
    let exact = trainer.slotBits
    for slot in network.slots {
      let isKept = slot.role != .statistic || isFrozen(slot)
      #expect((exact[slot.name] == after[slot.name]) == isKept, "\(slot.name)")
    }
    #expect(trainer.usesExactStatistics == (patterns != ["all-but-head"]))
  }

  /// What a step computes twice to save memory changes no bit.
  @Test func recomputationWithFrozenLayers() throws {
    func trained(_ scope: RecomputationScope) throws -> Learner<CPUDevice> {
      var options = options(freeze: ["conv1", "layer2"])
      options.recomputation = scope
      let trainer = try options.fineTuner()
      _ = try trainer.finish()
      return trainer
    }
    let expected = try trained(.nothing)
    for scope in RecomputationScope.allCases {
      #expect(try trained(scope).differences(from: expected) == [], "\(scope)")
    }
  }

  /// What depends on frozen filters alone is computed before the first step only.
  @Test func frozenFiltersArePackedOnce() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8").freezing(["conv1", "bn1"])
    let device = try VariantDevice()
    let plan = try Session(device: device, store: Store(for: device)).load(
      network.trainingStep(weightDecay: 0), inputs: network.stepShapes(batch: 2))
    plan.write([1, 1] as [Float], to: StepTensor.weights)
    let (preparation, steps) = (plan.plan.preparation.count, plan.plan.steps.count)
    #expect(preparation > 0)
    for _ in 0..<3 { plan.run() }
    #expect(device.runs.withLock { $0 } == [preparation, steps, steps, steps])
  }

  // MARK: The head

  private static let threeClasses = Dataset(
    name: "three", source: .builtIn, classNames: ["a", "b", "c"],
    training: ImageSet(
      height: 32, width: 32, checked: TinyData.images(32, seed: 4).pixels,
      labels: (0..<32).map { Int32($0 % 3) }),
    validation: nil, test: nil)

  @Test func anotherNumberOfClassesReplacesTheHead() throws {
    let trainer = try options().fineTuner(on: Self.threeClasses)
    let transfer = try #require(trainer.transfer)
    #expect(transfer.replaced == ["fc.weight", "fc.bias"])
    #expect(trainer.network.classes == 3 && trainer.classNames == ["a", "b", "c"])
    // The new head is that of a run from nothing; the rest is the file's.
    let drawn = try RecipeOptions.tiny(steps: 1).trainer(on: Self.threeClasses)
    let file = try ModelFile(at: file)
    for slot in trainer.network.slots {
      let isReplaced = transfer.replaced.contains(slot.name)
      #expect((transfer.loaded[slot.name] == nil) == isReplaced)
      let expected =
        isReplaced
        ? drawn.slotBits[slot.name] : file.tensors[slot.name]?.scalars.map(\.bitPattern)
      #expect(trainer.slotBits[slot.name] == expected, "\(slot.name)")
    }
  }

  @Test func aHeadOfTheSameSizeIsKept() throws {
    let transfer = try #require(try options().fineTuner().transfer)
    #expect(transfer.replaced.isEmpty && transfer.loaded["fc.bias"] != nil)
    var named = options()
    named.classes = 4
    #expect(try named.fineTuner().transfer?.replaced == [])
    named.classes = 7
    #expect(throws: RecipeError.classes(asked: 7, found: 4)) { try named.fineTuner() }
    #expect(
      RecipeError.classes(asked: 7, found: 4).description
        == "`classes` = 7, but the data have 4 classes; leave it out, or give 4")
  }

  /// GoogLeNet has three heads, and its auxiliary classifiers may be missing.
  @Test func auxiliaryHeads() throws {
    let network = GoogLeNet.network(inputSide: 64, classes: 5)
    let whole = try Self.model("googlenet", side: 64)
    try whole.write(to: file)
    let initial = try #require(try InitialModel(options()))
    let heads = ["fc", "aux1.fc2", "aux2.fc2"].flatMap { [$0 + ".weight", $0 + ".bias"] }
    #expect(Set(try initial.transfer(to: network).replaced) == Set(heads))

    let auxiliary = whole.network.slots.map(\.name).filter { $0.hasPrefix("aux") }
    try ModelFile(
      network: whole.network, preparation: whole.preparation, classNames: whole.classNames,
      statistics: .exact, tensors: whole.tensors.filter { !auxiliary.contains($0.key) }
    ).write(to: file)
    let less = try #require(try InitialModel(options()))
    #expect(Set(try less.transfer(to: whole.network).replaced) == Set(auxiliary))
  }

  @Test func otherTensorsMustFit() throws {
    let initial = try #require(try InitialModel(options()))
    func message(_ network: Network) -> String? {
      ResidualTrainingTests.message { _ = try initial.transfer(to: network) }
    }
    for name in ["cifar-resnet14", "cifar-single8", "cifar-plain8", "resnet18"] {
      #expect(
        message(try NetworkCatalog.network(named: name))
          == "\(file): this is a cifar-resnet8, not the \(name) that is asked for; give the file that "
          + "belongs to it")
    }
    // Layers of one's own may have any name.
    func own(_ filters: Int, _ name: String) -> Network {
      Network(
        name: "cifar-resnet8", inputSide: 32, classes: 4, variant: initial.model.network.variant
      ) {
        Convolution(name, filters, size: 3)
        GlobalAveragePooling()
        FullyConnected("fc", 4)
      }
    }
    #expect(
      message(own(16, "stem"))
        == "\(file): tensor 'stem.weight' of cifar-resnet8 is missing; the file is incomplete")
    #expect(
      message(own(8, "conv1"))
        == "\(file): tensor 'conv1.weight' has shape [16, 3, 3, 3], but the network needs "
        + "[8, 3, 3, 3]; the file is damaged, or of another network")
  }

  // MARK: The recipe

  /// The file says what the network is and how images are prepared.
  @Test func theFileDecidesTheNetwork() throws {
    try Self.model(shortcut: .padding(.both)).write(to: file)
    let trainer = try options().fineTuner()
    #expect(trainer.network.name == "cifar-resnet8")
    #expect(trainer.network.shortcut == .padding(.both))
    let isFiles =
      try trainer.preparation.normalization == ModelFile(at: file).preparation.normalization
    #expect(isFiles)
    // What the recipe has become gives the same recipe again.
    let resolved = trainer.recipe.options
    #expect(resolved.shortcutPadding == .both && resolved.initialCheckpoint == file)
    let initial = try #require(try InitialModel(resolved))
    #expect(
      try initial.filling(resolved).resolved(trainingCount: 64) == trainer.recipe)
  }

  // MARK: Resuming

  /// A run that is resumed needs its own files only.
  @Test func aResumedRunGivesTheSameBits() throws {
    struct Stop: Error {}
    let options = options(freeze: ["conv1", "bn1", "layer2.0.bn1"])
    let whole = try options.fineTuner(on: Self.threeClasses)
    _ = try whole.finish()
    let first = try options.fineTuner(on: Self.threeClasses)
    #expect(throws: Stop.self) {
      _ = try first.finish { if $0.step == 5 { throw Stop() } }
    }
    try Checkpoint.write(first, in: folder.path, provenance: [:])
    try FileManager.default.removeItem(atPath: file)

    let own = try InitialModel(ModelFile(at: folder["last.safetensors"]))
    let second = try Learner(
      first.recipe.options, on: Self.threeClasses, from: own, device: CPUDevice(threads: 1))
    try Checkpoint.restore(second, from: folder.path)
    #expect(second.progress.step == 5 && second.differences(from: first) == [])
    _ = try second.finish()
    #expect(second.differences(from: whole) == [])
  }
}
