import ResidualCPU
import ResidualTraining
import Testing

/// Sets of images that lie on the device: the same bits, and no pixel moves twice.
@Suite struct KeptImagesTests {
  private func trainers() throws -> (Trainer<CPUDevice>, Trainer<VariantDevice>, VariantDevice) {
    let data = TinyData.dataset(70, validation: TinyData.images(21, seed: 3))
    let recipe = try RecipeOptions.tiny(steps: 20).resolved(trainingCount: 70)
    let device = try VariantDevice(keepsImages: true)
    return (
      try Trainer(recipe, on: data, device: CPUDevice(threads: 1)),
      try Trainer(recipe, on: data, device: device), device
    )
  }

  @Test func bitsAreTheSame() throws {
    let (plain, keeping, _) = try trainers()
    #expect(try plain.finish() == keeping.finish())
    #expect(keeping.differences(from: plain.slotBits) == [])
    #expect(try plain.evaluateTest() == keeping.evaluateTest())
    #expect(try plain.evaluateValidation() == keeping.evaluateValidation())
    // 70 images in batches of 16: the last batch has a plan of its own.
    try plain.computeExactStatistics()
    try keeping.computeExactStatistics()
    #expect(keeping.differences(from: plain.slotBits) == [])
  }

  @Test func pixelsMoveOnce() throws {
    let (_, trainer, device) = try trainers()
    // A step moves at most the samples of a batch: 16 bytes an image, labels and weights.
    let limit = 20 * (16 * 24 + 64)
    _ = try trainer.trainEpoch { _ in }
    #expect(device.uploaded.withLock { $0 } > (70 + 21) * 3 * 1024)
    device.uploaded.withLock { $0 = 0 }
    _ = try trainer.trainEpoch { _ in }
    #expect(device.uploaded.withLock { $0 } < limit)

    // Another set of the same size takes the place of the first one.
    let set = TinyData.images(21, seed: 4)
    device.uploaded.withLock { $0 = 0 }
    let first = try trainer.evaluate(set)
    #expect(device.uploaded.withLock { $0 } > 21 * 3 * 1024)
    device.uploaded.withLock { $0 = 0 }
    #expect(try trainer.evaluate(set) == first)
    #expect(device.uploaded.withLock { $0 } < limit)
  }
}
