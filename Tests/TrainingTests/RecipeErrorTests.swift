import Foundation
import ResidualNetworks
import ResidualRuns
import ResidualTestSupport
import Testing

/// Choices that cannot be made, and what is said of them.
extension RecipeTests {
  private func message(
    trainingCount: Int? = 50_000, _ change: (inout RecipeOptions) -> Void
  ) -> String? {
    do {
      _ = try recipe(trainingCount: trainingCount, change)
      return nil
    } catch {
      #expect(error is RecipeError || error is SettingError)
      return "\(error)"
    }
  }

  @Test func imagesSetAside() throws {
    func steps(_ validation: Int, on data: Dataset) throws -> Int {
      var options = RecipeOptions()
      (options.batchSize, options.epochs, options.validation) = (8, 1, .images(validation))
      return try options.resolved(on: data).schedule.steps
    }
    let data = TinyData.dataset(64)
    #expect(try steps(0, on: data) == 8)
    #expect(try steps(24, on: data) == 5)
    #expect(throws: RecipeError.validationCount(asked: 64, images: 64)) { try steps(64, on: data) }
    let own = TinyData.dataset(64, validation: TinyData.images(8, seed: 3))
    #expect(throws: RecipeError.validationTwice(asked: 8, found: 8)) { try steps(8, on: own) }
  }

  @Test func numbersOutOfRange() {
    let cases: [(String, (inout RecipeOptions) -> Void)] = [
      ("`batchSize` = 0 is out of range: 1 to 1000000", { $0.batchSize = 0 }),
      ("`batchSize` = -1 is out of range: 1 to 1000000", { $0.batchSize = -1 }),
      ("`learningRate` = 0.0 is out of range: above 0", { $0.learningRate = 0 }),
      ("`learningRate` = nan is out of range: above 0", { $0.learningRate = .nan }),
      ("`learningRate` = inf is out of range: above 0", { $0.learningRate = .infinity }),
      ("`epochs` = 0.0 is out of range: above 0, up to 1,000,000", { $0.epochs = 0 }),
      ("`epochs` = nan is out of range: above 0, up to 1,000,000", { $0.epochs = .nan }),
      ("`epochs` = inf is out of range: above 0, up to 1,000,000", { $0.epochs = .infinity }),
      ("`steps` = 0 is out of range: 1 to 1000000000", { $0.steps = 0 }),
      ("`steps` = 1000000001 is out of range: 1 to 1000000000", { $0.steps = 1_000_000_001 }),
      ("`milestones` = [5, 4] is out of range: steps in rising order", { $0.milestones = [5, 4] }),
      ("`milestones` = [-1] is out of range: steps in rising order", { $0.milestones = [-1] }),
      ("`momentum` = 1.0 is out of range: 0 or more, below 1", { $0.momentum = 1 }),
      ("`momentum` = -0.5 is out of range: 0 or more, below 1", { $0.momentum = -0.5 }),
      ("`weightDecay` = -1.0 is out of range: 0 or more", { $0.weightDecay = -1 }),
      ("`weightDecay` = inf is out of range: 0 or more", { $0.weightDecay = .infinity }),
      ("`warmupRate` = -1.0 is out of range: 0 or more", { $0.warmupRate = -1 }),
      ("`warmupError` = 1.0 is out of range: 0 or more, below 1", { $0.warmupError = 1 }),
      ("`warmupLimit` = 0 is out of range: at least 1", { $0.warmupLimit = 0 }),
      ("`classifierRateScale` = 0.0 is out of range: above 0", { $0.classifierRateScale = 0 }),
      ("`maximumGradientNorm` = 0.0 is out of range: above 0", { $0.maximumGradientNorm = 0 }),
      (
        "`maximumGradientNorm` = inf is out of range: above 0",
        { $0.maximumGradientNorm = .infinity }
      ),
      ("`validation` = -1 is out of range: 0 or more, or 0% to below 100%", { $0.validation = -1 }),
    ]
    for (text, change) in cases { #expect(message(change) == text) }
  }

  @Test func unknownChoices() {
    func message(_ key: String, _ text: String) -> String? {
      var options = RecipeOptions()
      return ResidualTrainingTests.message {
        let setting = try #require(RecipeOptions.settings.first { $0.option.key == key })
        try setting.set(.word(text), in: &options)
      }
    }
    #expect(
      message("init", "he") == "`initialization` = 'he' is not one of fan-in, fan-out, normal")
    #expect(message("shortcut", "D") == "`shortcut` = 'D' is not one of A, B, C")
    #expect(message("shortcut", "b") == nil)
    #expect(
      message("shortcut_padding", "start") == "`shortcutPadding` = 'start' is not one of end, both")
    #expect(
      message("on_nan", "ignore") == "`faultResponse` = 'ignore' is not one of stop, skip, rollback"
    )
    #expect(message("watch", "often") == "`watch` = 'often' is not true or false")
    #expect(message("seed", "-1") == "`seed` = '-1' is not a whole number, 0 or more")
    #expect(
      message("bn_statistics", "perhaps")
        == "`statisticsPass` = 'perhaps' is not one of moving, plain, augmented")
    #expect(
      message("mean", "0,x,1") == "`mean` = '0,x,1' is not a list, each part a number")
  }

  @Test func choicesForMissingParts() {
    #expect(
      message {
        $0.shortcut = .b
        $0.model = "plain20"
      }
        == "cifar-plain20 has no shortcuts to choose; leave `shortcut` out")
  }

  @Test func choicesThatExcludeEachOther() {
    #expect(
      message {
        $0.epochs = 1
        $0.steps = 1
      } == "`epochs` and `steps` both say how long to train; give one of them")
    #expect(
      message(trainingCount: 100) { $0.batchSize = 128 }
        == "`batchSize` = 128 is larger than the training set of 100 images; give at most that"
    )
    #expect(message(trainingCount: 128) { _ in } == nil)
    #expect(message(trainingCount: nil) { $0.batchSize = 1_000_000 } == nil)
  }

  @Test func networkNames() throws {
    for (name, error) in [
      ("alexnet", NetworkNameError.unknown("alexnet")),
      ("cifar-resnet21", .depthNotOfForm(name: "cifar-resnet21", depth: 21, unit: 6)),
      ("cifar-resnet99998", .tooDeep(99998)),
    ] {
      #expect(throws: RecipeError.network(error)) { _ = try recipe { $0.model = name } }
      #expect(message { $0.model = name } == error.description)
    }
    #expect(throws: RecipeError.self) {
      var options = RecipeOptions()
      options.model = "alexnet"
      try options.validate()
    }
    try RecipeOptions().validate()
  }
}
