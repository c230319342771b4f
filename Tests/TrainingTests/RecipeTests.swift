import Foundation
import ResidualNetworks
import ResidualRuns
import ResidualTestSupport
import Testing

@Suite struct RecipeTests {
  func recipe(
    trainingCount: Int? = 50_000, _ change: (inout RecipeOptions) -> Void = { _ in }
  ) throws -> Recipe {
    var options = RecipeOptions()
    options.data = "cifar"
    change(&options)
    return try options.resolved(trainingCount: trainingCount)
  }

  // MARK: Defaults

  /// Section 4.2 of the paper.
  @Test func defaultsAreThePapers() throws {
    let recipe = try recipe()
    #expect(recipe.options.data == "cifar")
    #expect(recipe.options.model == "cifar-resnet20")
    #expect(recipe.options.variant == .init(.padding(.end)), "option A in all cases")
    #expect(recipe.initialization == .fanIn)
    #expect(recipe.batchSize == 128)
    #expect(recipe.momentum == 0.9)
    #expect(recipe.weightDecay == 0.0001)
    #expect(
      recipe.schedule
        == Schedule(steps: 64_000, rate: 0.1, milestones: [32_000, 48_000]))
    #expect(recipe.augmentation == .paper)
    #expect(recipe.validationCount == 0)
    #expect(recipe.classifierRateScale == 1)
    #expect(recipe.statisticsPass == .moving)
    #expect(recipe.seed == 1)
    #expect(recipe.maximumGradientNorm == nil && recipe.faultResponse == .stop && !recipe.watches)
  }

  @Test(
    arguments: [
      ("cifar-resnet20", nil), ("cifar-resnet56", nil), ("cifar-plain56", nil),
      ("resnet110", 0.01), ("cifar-plain110", 0.01), ("cifar-resnet1202", 0.01),
      ("cifar-linear", nil), ("resnet152", nil), ("highway152", nil), ("cifar-highway110", nil),
      ("cifar-preact152", nil), ("cifar-bottleneck164", nil), ("resnet-2-3-36-2", nil),
    ] as [(String, Float?)])
  func warmupOfDeepNetworks(model: String, rate: Float?) throws {
    let warmup = try recipe { $0.model = model }.schedule.warmup
    #expect(warmup == rate.map { .init(rate: $0, error: 0.8, limit: 2000) })
    // From a file, no network starts low; on the built-in set, the rate rises for all.
    #expect(
      try recipe {
        $0.model = model
        $0.initialCheckpoint = "model.pth"
      }.schedule.start == .full)
    let builtIn = try recipe {
      $0.model = model
      $0.data = nil
    }
    #expect(builtIn.schedule.start == .rising(steps: RecipeOptions.builtInSteps / 3))
    #expect(try builtIn.options.resolved(trainingCount: 20_000) == builtIn)
  }

  @Test func startsThatAreChosen() throws {
    func start(_ change: (inout RecipeOptions) -> Void) throws -> Schedule.Start {
      try recipe {
        $0.steps = 600
        change(&$0)
      }.schedule.start
    }
    #expect(try start { $0.warmupSteps = 7 } == .rising(steps: 7))
    #expect(try start { ($0.warmupSteps, $0.model) = (7, "resnet110") } == .rising(steps: 7))
    #expect(try start { ($0.warmupSteps, $0.model) = (0, "resnet110") } == .full)
    #expect(try start { ($0.warmupSteps, $0.data) = (0, nil) } == .full)
    #expect(try start { $0.data = nil } == .rising(steps: 200))
    // As runs of earlier versions say it.
    #expect(try start { ($0.warmupRate, $0.data) = (0, nil) } == .full)
    #expect(throws: RecipeError.twoStarts) {
      try start { ($0.warmupSteps, $0.warmupRate) = (7, 0.01) }
    }
  }

  @Test func defaultsOfNetworks() throws {
    #expect(try recipe { $0.model = "vgg16" }.schedule.rate == 0.01)
    #expect(try recipe { $0.model = "vgg16-bn" }.schedule.rate == 0.01)
    #expect(try recipe { ($0.model, $0.learningRate) = ("vgg16", 0.05) }.schedule.rate == 0.05)
  }

  @Test func smallSets() throws {
    let small = try recipe(trainingCount: 100) { _ in }
    #expect(small.batchSize == 100 && small.schedule.steps == 164)
    let some = try recipe(trainingCount: 4_999) { _ in }
    #expect(some.batchSize == 128 && some.schedule.steps == 164 * 39)
    #expect(try recipe(trainingCount: 5_000) { _ in }.schedule.steps == 64_000)
    #expect(try recipe(trainingCount: 100) { $0.steps = 7 }.schedule.steps == 7)
    #expect(try recipe(trainingCount: 100) { $0.epochs = 2 }.schedule.steps == 2)
  }

  @Test func lengthOfARun() throws {
    #expect(try recipe { $0.data = nil }.schedule.steps == RecipeOptions.builtInSteps)
    #expect(try recipe { $0.steps = 100 }.schedule.milestones == [50, 75])
    // 390 whole batches an epoch.
    #expect(try recipe { $0.epochs = 2 }.schedule.steps == 780)
    #expect(try recipe { $0.epochs = 0.5 }.schedule.steps == 195)
    #expect(try recipe { $0.epochs = 1e-9 }.schedule.steps == 1)
    #expect(
      try recipe {
        $0.epochs = 1
        $0.milestones = [3, 9]
      }.schedule.milestones == [3, 9])
    #expect(
      try recipe {
        $0.model = "resnet110"
        $0.steps = 640
      }.schedule.warmup?.limit == 20)
  }

  @Test func networksOfARecipe() throws {
    let network = try recipe {
      $0.model = "ResNet56"
      $0.shortcut = .b
    }
    #expect(network.options.model == "cifar-resnet56")
    #expect(network.options.variant.shortcut == .b)
    #expect(try network.network(classes: 7).classes == 7)
    let both = try recipe { $0.shortcutPadding = .both }
    #expect(both.options.variant == .init(.padding(.both)))
    #expect(try recipe { $0.model = "plain20" }.options.variant == .init())
    #expect(try recipe { $0.model = "plain20" }.network(classes: 10).shortcut == nil)
    // No rate at all is no warm-up, even where the paper has one.
    #expect(
      try recipe {
        $0.model = "resnet110"
        $0.warmupRate = 0
      }.schedule.warmup == nil)
  }

  @Test func imageNetOfARecipe() throws {
    let torchvision = try recipe { $0.model = "resnet50" }
    #expect(torchvision.options.variant == .init(.projection, stridePlacement: .middle3x3))
    #expect(torchvision.options.inputSide == 224)
    let paper = try recipe {
      $0.model = "resnet50"
      $0.shortcut = .a
      $0.stridePlacement = .first1x1
      $0.inputSide = 64
    }
    #expect(paper.options.variant == .init(.padding(.end), stridePlacement: .first1x1))
    let network = try paper.network(classes: 7)
    #expect(network.inputSide == 64 && network.classes == 7)
    let basic = try recipe { $0.model = "resnet18" }
    #expect(basic.options.variant == .init(.projection))
  }

  // MARK: Sources

  /// Whether a network has the part that an option is about is known when all sources have spoken.
  @Test func optionsForPartsThatAnotherSourceBrings() throws {
    var file = RecipeOptions()
    (file.model, file.shortcutPadding) = ("resnet34", .both)
    #expect(throws: Never.self) { try file.validate() }
    #expect(
      throws: RecipeError.notOfNetwork(
        option: .shortcutPadding, part: "zero-padding shortcuts", model: "resnet34")
    ) {
      try file.resolved(trainingCount: 1000)
    }
    var line = RecipeOptions()
    line.shortcut = .a
    #expect(
      try line.filled(from: file).resolved(trainingCount: 1000).options.variant
        == .init(.padding(.both)))
  }

  @Test func choicesComeBeforeThoseOfOtherSources() {
    var first = RecipeOptions()
    first.model = "cifar-resnet56"
    first.seed = 0
    first.augmentation = false
    var second = RecipeOptions()
    second.model = "cifar-resnet20"
    second.seed = 5
    second.batchSize = 64
    second.augmentation = true
    let both = first.filled(from: second)
    #expect(both.model == "cifar-resnet56" && both.seed == 0 && both.augmentation == false)
    #expect(both.batchSize == 64)
    #expect(both.learningRate == nil)
    #expect(RecipeOptions().filled(from: second) == second)
    #expect(second.filled(from: RecipeOptions()) == second)
  }

  /// Every choice is taken over from another source.
  @Test func noChoiceIsForgotten() throws {
    var full =
      try recipe {
        $0.model = "resnet152"
        $0.shortcut = .a
        $0.validation = 5000
        $0.warmupRate = 0.01
        $0.recomputation = .activations
        $0.memoryLimit = MemorySize(byteCount: 6_442_450_944)
        $0.initialCheckpoint = "model.pth"
        $0.classes = 7
        $0.freeze = ["conv1", "layer*.0"]
        $0.mean = [0.4, 0.5, 0.6]
        $0.std = [0.1, 0.2, 0.3]
        $0.channelOrder = .bgr
        $0.inputRange = .bytes
        $0.maximumGradientNorm = 2
        $0.view = .crop
        $0.checkpoints.steps = 100
      }.options
    // No network has them all.
    full.gateBias = -1
    full.inceptionBranch = .three
    var epochs = full
    epochs.steps = nil
    epochs.epochs = 3
    for options in [full, epochs] {
      #expect(RecipeOptions().filled(from: options) == options)
      let left = RecipeOptions.settings.filter { !$0.isGiven(in: options) }.map(\.option)
      #expect(left == (options == full ? [.epochs] : [.steps]))
    }
  }

  @Test func lengthComesFromOneSource() {
    var file = RecipeOptions()
    file.steps = 100
    file.milestones = [10, 20]
    file.warmupLimit = 5
    var line = RecipeOptions()
    line.epochs = 2
    let both = line.filled(from: file)
    #expect(both.epochs == 2 && both.steps == nil)
    #expect(both.milestones == nil && both.warmupLimit == nil)
    line = RecipeOptions()
    line.milestones = [30]
    let other = line.filled(from: file)
    #expect(other.steps == 100 && other.milestones == [30] && other.warmupLimit == 5)
  }

  @Test(
    arguments: ["resnet20", "resnet110", "plain20", "cifar-linear"],
    [.a, .b, .c, nil] as [Shortcut.Option?])
  func roundTrip(model: String, shortcut: Shortcut.Option?) throws {
    let isResidual = model.hasPrefix("resnet")
    let recipe = try recipe {
      $0.model = model
      $0.shortcut = isResidual ? shortcut : nil
      $0.shortcutPadding = isResidual && shortcut == .a ? .both : nil
      $0.steps = 1000
      $0.learningRate = 0.07
      $0.seed = .max
      $0.validation = 500
      $0.augmentation = false
      $0.classifierRateScale = 0.5
      $0.maximumGradientNorm = 0.5
      $0.faultResponse = .rollback
      $0.watch = true
    }
    let options = recipe.options
    #expect(try options.resolved(trainingCount: 50_000) == recipe)
    #expect(try options.resolved(trainingCount: 50_000).options == options)
    let folder = try TemporaryFolder()
    try AtomicFile.write(RecipeFile.text(options), to: folder["recipe.yaml"])
    #expect(try RecipeFile.read(folder["recipe.yaml"]) == options)
  }
}
