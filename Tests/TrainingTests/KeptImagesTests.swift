import ResidualCPU
import ResidualRuns
import Testing

/// Sets of images that lie on the device: the same bits, and no pixel moves twice.
@Suite struct KeptImagesTests {
  private func trainers() throws -> (Learner<CPUDevice>, Learner<VariantDevice>, VariantDevice) {
    let data = TinyData.dataset(70, validation: TinyData.images(21, seed: 3))
    let options = RecipeOptions.tiny(steps: 20)
    let device = try VariantDevice(keepsImages: true)
    return (
      try Learner(options, on: data, device: CPUDevice(threads: 1)),
      try Learner(options, on: data, device: device), device
    )
  }

  @Test func bitsAreTheSame() throws {
    let (plain, keeping, _) = try trainers()
    #expect(try plain.finish() == keeping.finish())
    #expect(keeping.differences(from: plain.slotBits) == [])
    #expect(try plain.evaluate(.test) == keeping.evaluate(.test))
    #expect(try plain.evaluate(.validation) == keeping.evaluate(.validation))
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
    let feed = trainer.feed(TinyData.images(21, seed: 4), onDevice: true)
    device.uploaded.withLock { $0 = 0 }
    let first = try trainer.evaluator.evaluate(feed)
    #expect(device.uploaded.withLock { $0 } > 21 * 3 * 1024)
    device.uploaded.withLock { $0 = 0 }
    #expect(try trainer.evaluator.evaluate(feed) == first)
    #expect(device.uploaded.withLock { $0 } < limit)
  }
}
