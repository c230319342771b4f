import ResidualCPU
import ResidualNetworks
import ResidualTraining
import Testing

/// What depends on unchanging slots alone is computed once, and again when the store has changed.
@Suite struct PreparationTests {
  private let network: Network
  private let session: Session<CPUDevice>
  private let evaluation: LoadedPlan<CPUDevice>

  init() throws {
    network = try NetworkCatalog.network(named: "cifar-resnet20")
    session = Session(device: try CPUDevice(threads: 2), store: Store())
    evaluation = try session.load(network.evaluationStep(), inputs: network.stepShapes(batch: 4))
    fill(evaluation)
  }

  private func fill(_ loaded: LoadedPlan<CPUDevice>) {
    loaded.write(Draw.numbers(4 * 32 * 32 * 3, seed: 1), to: StepTensor.images)
    loaded.write(Draw.labels(4, below: 10, seed: 2), to: StepTensor.labels)
    loaded.write([Float](repeating: 1, count: 4), to: StepTensor.weights)
  }

  private func logits() -> [Float] {
    evaluation.run()
    return evaluation.read(Network.logitsOutput).scalars
  }

  /// The same numbers from a plan that has never run before.
  private func freshLogits() throws -> [Float] {
    let fresh = try session.load(network.evaluationStep(), inputs: network.stepShapes(batch: 4))
    fill(fresh)
    fresh.run()
    return fresh.read(Network.logitsOutput).scalars
  }

  @Test func everyFilterIsPackedOnce() {
    let packed = evaluation.plan.buffers.filter { $0.path.hasSuffix(".packed") }
    #expect(packed.count == 20)
    for buffer in packed {
      guard case .derived = buffer.location else {
        Issue.record("\(buffer.path) is packed in every run")
        continue
      }
    }
    let first = logits()
    evaluation.poison()
    #expect(logits() == first)
  }

  @Test func aWrittenSlotIsPackedAgain() throws {
    let before = logits()
    let filter = try #require(session.store.shape(of: "conv1.weight"))
    session.store.write(Draw.numbers(filter.count, seed: 3), to: "conv1.weight")
    let after = logits()
    #expect(after != before)
    #expect(try after == freshLogits())
  }

  @Test func aTrainingStepOnTheSameStoreIsSeen() throws {
    let before = logits()
    let training = try session.load(
      network.trainingStep(weightDecay: 0), inputs: network.stepShapes(batch: 4))
    fill(training)
    training.write(Float(0.1), to: StepTensor.learningRate)
    training.write(Float(0.9), to: StepTensor.momentum)
    training.run()
    let after = logits()
    #expect(after != before)
    #expect(try after == freshLogits())
  }

  /// A step keeps the filters that it does not change, and packs them again when others write them.
  @Test func frozenFiltersAreKeptBetweenSteps() throws {
    let frozen = try network.freezing(["conv1", "bn1", "layer1"])
    func training() throws -> LoadedPlan<CPUDevice> {
      let training = try session.load(
        frozen.trainingStep(weightDecay: 0), inputs: network.stepShapes(batch: 4))
      fill(training)
      training.write(Float(0), to: StepTensor.learningRate)
      training.write(Float(0), to: StepTensor.momentum)
      return training
    }
    let step = try training()
    #expect(
      step.plan.buffers.filter { buffer in
        if case .derived = buffer.location { buffer.path.hasSuffix(".packed") } else { false }
      }.count == 7)
    func loss() -> Float {
      step.run()
      return step.scalar(StepTensor.loss)
    }
    // Nothing that the loss depends on changes at a rate of 0.
    let first = loss()
    #expect(loss() == first)
    let filter = try #require(session.store.shape(of: "conv1.weight"))
    session.store.write(Draw.numbers(filter.count, seed: 3), to: "conv1.weight")
    let other = loss()
    #expect(other != first && loss() == other)
    let fresh = try training()
    fresh.run()
    #expect(fresh.scalar(StepTensor.loss) == other)
  }
}
