import ResidualCPU
import ResidualRuns
import Testing

@Suite struct LearnerTests {
  @Test func lossFalls() throws {
    let trainer = try RecipeOptions.tiny(steps: 30).trainer()
    var losses: [Float] = []
    let rows = try trainer.finish { losses.append($0.loss) }
    #expect(losses.count == 30)
    let (first, last) = (losses.prefix(3).reduce(0, +), losses.suffix(3).reduce(0, +))
    #expect(last < first / 3, "\(losses)")
    #expect(rows.count == 8 && rows.map(\.step) == [4, 8, 12, 16, 20, 24, 28, 30])
    #expect(rows.map(\.epoch) == Array(1...8))
    #expect(rows.allSatisfy { $0.evaluatedPart == "test" && $0.evaluatedError != nil })
    #expect(trainer.isFinished && trainer.progress.step == 30 && trainer.progress.epoch == 8)
    #expect(try trainer.trainEpoch { _ in } == nil)
  }

  /// A row's means are those of its epoch's steps.
  @Test func reportsAreMeansOfSteps() throws {
    let trainer = try RecipeOptions.tiny(steps: 6).trainer()
    var reports: [StepReport] = []
    let rows = try trainer.finish { reports.append($0) }
    #expect(reports.map(\.step) == Array(1...6))
    for (row, steps) in zip(rows, [reports[..<4], reports[4...]]) {
      let loss = steps.reduce(0.0) { $0 + Double($1.loss) } / Double(steps.count)
      let error = 100 * steps.reduce(0.0) { $0 + Double($1.error) } / Double(steps.count)
      #expect(row.trainingLoss == loss && row.trainingError == error)
    }
    #expect(rows[1].evaluatedError == (try trainer.evaluate(.test))?.error)
  }

  /// The deviation of the 4,608 first values of a filter of 3×3 pixels from 16 to 32 channels.
  @Test(arguments: [
    (Initialization.fanIn, (2 / 144.0).squareRoot()), (.fanOut, (2 / 288.0).squareRoot()),
    (.normal, 0.01),
  ])
  func firstValuesAreTheRecipes(_ initialization: Initialization, deviation: Double) throws {
    var options = RecipeOptions.tiny(steps: 1)
    options.initialization = initialization
    let tensors = try options.trainer().model().tensors
    let values = try #require(tensors["layer2.0.conv1.weight"]).scalars.map(Double.init)
    let square = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    // Five standard errors.
    #expect(abs(square.squareRoot() / deviation - 1) < 5 / (2 * 4608.0).squareRoot())
  }

  @Test func seedsDecideTheBits() throws {
    func trained(seed: UInt64) throws -> Learner<CPUDevice> {
      let trainer = try RecipeOptions.tiny(steps: 6, seed: seed).trainer()
      _ = try trainer.finish()
      return trainer
    }
    let expected = try trained(seed: 1)
    #expect(try trained(seed: 1).differences(from: expected) == [])
    #expect(try trained(seed: 2).differences(from: expected).contains("conv1.weight"))
  }

  /// Without augmentation a batch is what the sampler says; with it, other pixels.
  @Test func augmentationChangesTheBits() throws {
    func bits(_ augmentation: Bool) throws -> [UInt32]? {
      var options = RecipeOptions.tiny(steps: 1)
      options.augmentation = augmentation
      let trainer = try options.trainer()
      _ = try trainer.finish()
      return trainer.slotBits["conv1.weight"]
    }
    #expect(try bits(true) != bits(false))
  }

  // MARK: Parts of the data

  /// Other validation images and other test images give the same weights.
  @Test func validationAndTestImagesNeverTrain() throws {
    var options = RecipeOptions.tiny(steps: 6, seed: 3)
    options.validation = 16
    let images = TinyData.images(80, seed: 1)
    let split = try images.split(validation: 16, seed: 3)
    let (kept, held) = (try pixels(split.training), try pixels(split.validation))

    func train(_ training: ImageSet, test: ImageSet?) throws -> (Learner<CPUDevice>, [MetricsRow]) {
      let trainer = try options.trainer(on: TinyData.dataset(training: training, test: test))
      return (trainer, try trainer.finish())
    }
    let (trainer, rows) = try train(images, test: TinyData.images(24, seed: 2))
    #expect(
      trainer.evaluatedPart == .validation && trainer.validationCount == 16
        && trainer.trainingCount == 64)
    let mean = Normalization.perPixelMean(PixelMean(of: kept).values)
    let subtractsMeanOfTraining = trainer.preparation.normalization == mean
    #expect(subtractsMeanOfTraining)
    #expect(rows.allSatisfy { $0.evaluatedPart == "validation" })
    #expect(rows.last?.evaluatedError == (try trainer.evaluate(.validation))?.error)

    // The test images are never looked at: neither weights nor rows change without them.
    let (withoutTest, sameRows) = try train(images, test: nil)
    #expect(withoutTest.differences(from: trainer) == [] && sameRows == rows)
    #expect(try withoutTest.evaluate(.test) == nil)

    // Validation images turned black change the rows, and no weight.
    let heldIndices = Self.indices(of: held, in: images)
    #expect(heldIndices.count == 16)
    var pixels = images.pixels
    for index in heldIndices {
      let size = images.imageByteCount
      pixels.replaceSubrange(
        index * size..<(index + 1) * size, with: repeatElement(0, count: size))
    }
    let blackened = ImageSet(height: 32, width: 32, checked: pixels, labels: images.labels)
    let (other, otherRows) = try train(blackened, test: nil)
    #expect(other.differences(from: trainer) == [])
    #expect(otherRows.map(\.evaluatedLoss) != rows.map(\.evaluatedLoss))
    #expect(otherRows.map(\.trainingLoss) == rows.map(\.trainingLoss))

    // A training image counts.
    let first = Self.indices(of: kept, in: images)[0]
    pixels = images.pixels
    pixels[first * images.imageByteCount] ^= 255
    let changed = ImageSet(height: 32, width: 32, checked: pixels, labels: images.labels)
    #expect(try train(changed, test: nil).0.differences(from: trainer) != [])
  }

  /// A part of a set as pixels.
  private func pixels(_ samples: any SampleSource) throws -> ImageSet {
    try Preparation.View.squash.images(of: samples, side: 32).set
  }

  private static func indices(of part: ImageSet, in whole: ImageSet) -> [Int] {
    let images = (0..<part.count).map { part.image(at: $0).pixels }
    return (0..<whole.count).filter { images.contains(whole.image(at: $0).pixels) }
  }

  /// Validation images that the data bring along are used where none are split off.
  @Test func ownValidationPart() throws {
    let data = TinyData.dataset(validation: TinyData.images(12, seed: 9))
    let trainer = try RecipeOptions.tiny(steps: 2).trainer(on: data)
    #expect(trainer.validationCount == 12 && trainer.trainingCount == 64)
    #expect(try trainer.finish().map(\.evaluatedPart) == ["validation"])
  }

  @Test func withoutTestImages() throws {
    let trainer = try RecipeOptions.tiny(steps: 2).trainer(on: TinyData.dataset(test: nil))
    let rows = try trainer.finish()
    #expect(rows.count == 1 && rows[0].evaluatedPart == "" && rows[0].evaluatedError == nil)
  }
}
