import ResidualCUDA
import ResidualNetworks
import ResidualTestSupport
import Testing

import class Foundation.ProcessInfo

/// A GPU, real or simulated (scripts/build-cuda-simulator), as a device.
@Suite(
  .enabled(
    if: ProcessInfo.processInfo.environment["RESNET_CUDA_LIBRARIES"] != nil,
    "RESNET_CUDA_LIBRARIES names no folder with libcuda, libnvrtc and libcudnn"))
struct CUDADeviceTests {
  static let environment = ProcessInfo.processInfo.environment

  private func device(_ precision: Precision, _ choices: AlgorithmChoices? = nil) throws
    -> CUDADevice
  {
    try CUDADevice(precision: precision, environment: Self.environment, choices: choices)
  }

  /// A step of training on random images: loss, and the parameters after some steps.
  ///
  /// - Parameters:
  ///   - isTimed: whether steps run one after the other instead of as a captured graph.
  ///   - repeating: what the backward pass computes again.
  private func train(
    _ device: CUDADevice, steps: Int, isTimed: Bool = false,
    repeating scope: RecomputationScope = .nothing
  ) throws -> (losses: [Float], state: [Float]) {
    let network = try #require(CIFARResNet.network(depth: 8, shortcut: .padding(.end)))
    var graph = network.graph(.training)
    let (labels, weights) = (graph.input("labels", .int32), graph.input("weights"))
    let loss = graph.appendObjective(labels: labels, weights: weights, path: "loss")
    graph.output("loss", loss)
    let gradients = graph.differentiate(
      loss, withRespectTo: graph.slots.filter(\.trainable).map(\.name))
    graph.updateByMomentumSGD(gradients: gradients, weightDecay: 1e-4)
    let batch = 4
    let inputs: [String: Shape] = [
      Network.imagesInput: network.imagesShape(batch: batch), "labels": [batch],
      "weights": [batch], Graph.learningRateInput: .scalar, Graph.momentumInput: .scalar,
    ]
    let step = graph.pruned()
    let rewrite = try step.recomputation(scope, inputs: inputs)
    let session = Session(device: device, store: Store(for: device))
    let plan = try session.load(
      step.recomputing(rewrite).updatingEarly(), inputs: inputs, seed: 3)
    var source = RandomSource(RandomKey(seed: 5))
    plan.write(
      (0..<network.imagesShape(batch: batch).count).map { _ in source.uniform() - 0.5 },
      to: Network.imagesInput)
    plan.write([0, 1, 2, 3] as [Int32], to: "labels")
    plan.write([1, 1, 1, 1] as [Float], to: "weights")
    plan.write(0.05, to: Graph.learningRateInput)
    plan.write(0.9, to: Graph.momentumInput)
    var losses: [Float] = []
    for _ in 0..<steps {
      plan.poison()
      plan.run(times: isTimed ? StepTimes(of: plan.plan) : nil)
      losses.append(plan.scalar("loss"))
    }
    let state = session.store.slots.flatMap { session.store.read($0.name).scalars }
    return (losses, state)
  }

  /// The first run is enqueued step by step, later ones are captured: both compute the same, and
  /// training goes down.
  @Test(arguments: Precision.allCases) func training(precision: Precision) throws {
    let (losses, state) = try train(device(precision), steps: 6)
    #expect(!losses.contains { !$0.isFinite })
    let (first, last) = (try #require(losses.first), try #require(losses.last))
    #expect(last < 0.7 * first, "\(losses)")
    #expect(!state.contains { !$0.isFinite })
  }

  /// The same bits from run to run, and on another device with the choices of the first.
  @Test(arguments: Precision.allCases) func bits(precision: Precision) throws {
    let first = try device(precision)
    let one = try train(first, steps: 3)
    let again = try train(first, steps: 3)
    #expect(again == one)
    #expect(!first.choices.ranks.isEmpty)
    // cuDNN's engines and our kernels compute the same of the same noise.
    #expect(first.disagreements == [])
    let second = try device(precision, first.choices)
    let other = try train(second, steps: 3)
    #expect(other == one)
    #expect(second.choices == first.choices)
  }

  /// Filter gradients by our own kernels run beside the other steps of a captured graph: that changes
  /// no bit, though the simulation puts them off as long as the order allows.
  @Test(arguments: [Precision.fp16, .bf16]) func stepsAside(precision: Precision) throws {
    let device = try CUDADevice(
      precision: precision, environment: Self.environment, prefersOwn: true)
    let captured = try train(device, steps: 4)
    let timed = try train(device, steps: 4, isTimed: true)
    #expect(captured == timed)
    #expect(device.choices.ranks.values.contains(-1))
  }

  /// What is computed again to save memory is the same to the bit.
  @Test(arguments: [Precision.fp32, .fp16], [RecomputationScope.activations, .convolutions])
  func recomputation(precision: Precision, scope: RecomputationScope) throws {
    let device = try device(precision)
    let kept = try train(device, steps: 3)
    let repeated = try train(device, steps: 3, repeating: scope)
    #expect(kept == repeated)
  }

  /// Two plans take turns in one session, whose arena grows with the second: what was captured of
  /// the first is captured anew.
  @Test func largerPlans() throws {
    let device = try device(.fp32)
    let network = try #require(CIFARResNet.network(depth: 8, shortcut: .padding(.end)))
    let session = Session(device: device, store: Store(for: device))
    func load(_ batch: Int) throws -> LoadedPlan<CUDADevice> {
      let plan = try session.load(
        network.graph(.inference),
        inputs: [Network.imagesInput: network.imagesShape(batch: batch)], seed: 1)
      plan.write(
        (0..<network.imagesShape(batch: batch).count).map { Float($0 % 7) / 7 },
        to: Network.imagesInput)
      return plan
    }
    let small = try load(1)
    var logits: [[Float]] = []
    func run() {
      small.run()
      logits.append(small.read(Network.logitsOutput).scalars)
    }
    run()
    run()
    let large = try load(3)
    large.run()
    run()
    run()
    #expect(Set(logits).count == 1)
    #expect(Array(large.read(Network.logitsOutput).scalars.prefix(10)).count == 10)
  }

  /// A slot that is written between runs counts, though filters are packed once.
  @Test func writtenSlots() throws {
    let device = try device(.fp16)
    let network = try #require(CIFARResNet.network(depth: 8, shortcut: .padding(.end)))
    let session = Session(device: device, store: Store(for: device))
    let plan = try session.load(
      network.graph(.inference), inputs: [Network.imagesInput: network.imagesShape(batch: 2)],
      seed: 1)
    plan.write(
      (0..<network.imagesShape(batch: 2).count).map { Float($0 % 7) / 7 }, to: Network.imagesInput)
    plan.run()
    let before = plan.read(Network.logitsOutput).scalars
    session.store.write([Float](repeating: 0, count: 16 * 27), to: "conv1.weight")
    plan.run()
    let after = plan.read(Network.logitsOutput).scalars
    #expect(before != after)
    #expect(after.prefix(10).elementsEqual(after.suffix(10)))
  }

  /// The time of each step is the GPU's.
  @Test func profile() throws {
    let device = try device(.fp32)
    let network = try #require(CIFARResNet.network(depth: 8, shortcut: .padding(.end)))
    let session = Session(device: device, store: Store(for: device))
    let plan = try session.load(
      network.graph(.inference), inputs: [Network.imagesInput: network.imagesShape(batch: 2)])
    let times = StepTimes(of: plan.plan)
    plan.run(times: times)
    let profile = Profile(plan.plan, times)
    #expect(profile.seconds > 0)
    #expect(profile.kinds.contains { $0.name == "forward" })
  }
}
