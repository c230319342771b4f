import ResidualRuns
import ResidualTestSupport
import Testing

@Suite struct LossScalingTests {
  private func trainer(scaling: Bool = true, steps: Int = 20) throws -> Learner<VariantDevice> {
    let data = TinyData.dataset()
    return try Learner(
      RecipeOptions.tiny(steps: steps), on: data,
      device: VariantDevice(needsLossScaling: scaling))
  }

  /// The scale is part of a checkpoint; one without it begins with the first scale.
  @Test func checkpointsHaveTheScale() throws {
    let folder = try TemporaryFolder()
    let first = try trainer()
    for _ in 0..<3 { _ = try first.step() }
    first.session.store.write([64.0], to: LossScaling.scaleSlot)
    try Checkpoint.write(first, in: folder.path, provenance: [:])
    let second = try trainer()
    try Checkpoint.restore(second, from: folder.path)
    #expect(second.differences(from: first) == [])
    #expect(second.session.store.read(LossScaling.scaleSlot).scalars == [64])
    #expect(second.session.store.read(LossScaling.stepsSlot).scalars == [3])

    let plain = try trainer(scaling: false)
    try Checkpoint.restore(plain, from: folder.path)
    #expect(plain.progress.step == 3 && !plain.session.store.contains(LossScaling.scaleSlot))
    try Checkpoint.write(plain, in: folder.path, provenance: [:])
    let third = try trainer()
    try Checkpoint.restore(third, from: folder.path)
    #expect(third.session.store.read(LossScaling.scaleSlot).scalars == [0x1p15])
  }

  /// A loss that is no number ends training when no smaller scale is left: 2¹⁵ is halved 15 times.
  @Test func divergenceWaitsForTheSmallestScale() throws {
    let trainer = try trainer()
    let bias = trainer.session.store.read("fc.bias").scalars
    trainer.session.store.write(bias.map { _ in Float.nan }, to: "fc.bias")
    for _ in 0..<14 {
      #expect(try trainer.step().loss.isNaN)
      if trainer.epochIsOver { _ = try trainer.finishEpoch() }
    }
    let error = #expect(throws: Divergence.self) { try trainer.step() }
    #expect(error?.step == 15)
    #expect(trainer.session.store.read(LossScaling.scaleSlot).scalars == [1])
    #expect(trainer.progress.lossSum == 0)
  }
}
