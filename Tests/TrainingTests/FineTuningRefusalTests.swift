import ResidualCPU
import ResidualRuns
import ResidualTestSupport
import Testing

/// Choices that contradict the model that training starts from.
extension FineTuningTests {
  @Test func contradictionsAreRefused() throws {
    func message(_ change: (inout RecipeOptions) -> Void) -> String? {
      var options = options()
      change(&options)
      return ResidualTrainingTests.message { _ = try options.fineTuner() }
    }
    let end = "leave it out"
    #expect(
      message { $0.model = "resnet20" }
        == "`model` = cifar-resnet20 contradicts \(file), whose network has cifar-resnet8; \(end)")
    #expect(
      message { $0.shortcut = .b }
        == "`shortcut` = B contradicts \(file), whose network has A; \(end)")
    #expect(
      message { $0.shortcutPadding = .both }
        == "`shortcutPadding` = both contradicts \(file), whose network has end; \(end)")
    #expect(
      message { $0.stridePlacement = .first1x1 }
        == "`stridePlacement` = 1x1 contradicts \(file), whose network has none; \(end)")
    #expect(message { $0.model = "cifar-resnet8" } == nil)
    #expect(
      message { $0.model = "alexnet" }
        == "no network is named 'alexnet'; 'resnet networks' says which there are")
    #expect(message { $0.mean = [0.5, 0.5, 0.5] }?.contains("says itself") == true)
    #expect(
      message { $0.freeze = ["layer4"] }
        == "`freeze`: 'layer4' names no parameter of cifar-resnet8; there are conv1, bn1, layer1, "
        + "layer2, layer3, fc, all-but-head")
    let weights = file + ".pth"
    try Self.model().writeTorch(to: weights)
    #expect(
      message { ($0.initialCheckpoint, $0.stridePlacement) = (weights, .first1x1) }
        == "`stridePlacement` = 1x1 contradicts \(weights), whose network has none; \(end)")
    // A mean for each pixel is one of images of this size.
    try Self.model(normalization: .perPixelMean([Float](repeating: 0.5, count: 32 * 32 * 3)))
      .write(to: file)
    #expect(
      message { $0.inputSide = 64 }
        == "`inputSide` = 64 contradicts \(file), whose network has 32; \(end)")
  }

  @Test func choicesAboutAFile() throws {
    func resolved(_ change: (inout RecipeOptions) -> Void) throws {
      var options = RecipeOptions()
      change(&options)
      _ = try options.resolved(trainingCount: nil)
    }
    #expect(throws: RecipeError.needsInitialCheckpoint(option: .mean)) {
      try resolved { $0.mean = [0, 0, 0] }
    }
    #expect(throws: RecipeError.needsInitialCheckpoint(option: .inputRange)) {
      try resolved { $0.inputRange = .bytes }
    }
    for (std, text) in [([0.5, 0, 0.5], "[0.5, 0.0, 0.5]"), ([1, 1], "[1.0, 1.0]")]
      as [([Float], String)]
    {
      #expect(
        throws: SettingError(
          .std, text, .range("three numbers above 0, such as 0.229,0.224,0.225"))
      ) {
        try resolved {
          $0.initialCheckpoint = file
          $0.std = std
        }
      }
    }
  }
}
