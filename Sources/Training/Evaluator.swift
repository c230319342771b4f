import ResidualDatasets
import ResidualExecution
import ResidualNetworks

/// What a network gets right on a set of images.
public struct Evaluation: Hashable, Sendable {
  /// How many were evaluated.
  public var images = 0
  /// Images whose class has the largest logit.
  public var correct = 0.0
  /// Images whose class is among the five largest logits.
  public var correctOfFive = 0.0
  /// Cross-entropy summed over the images, in nats.
  public var lossSum = 0.0

  /// An evaluation of no images, whose percentages and loss are NaN.
  public init() {}

  /// Per cent of the images whose class is predicted.
  public var top1: Double { percent(correct) }
  /// Per cent of the images whose class is among the first five.
  public var top5: Double { percent(correctOfFive) }
  /// Per cent of the images whose class is not predicted: the paper's error.
  public var error: Double { 100 - top1 }
  /// Mean cross-entropy in nats.
  public var loss: Double { images == 0 ? .nan : lossSum / Double(images) }

  private func percent(_ count: Double) -> Double {
    images == 0 ? .nan : 100 * count / Double(images)
  }
}

/// Runs a network on images in the plain view.
public final class Evaluator<D: Device> {
  /// Images a run of the plan.
  public let batchSize: Int
  private let network: Network
  private let loaded: LoadedPlan<D>

  /// Loads the evaluation of one batch into a session.
  ///
  /// - Parameters:
  ///   - session: its store holds the network's parameters and statistics.
  ///   - keepsDerived: whether filters stay packed, for memory of their own.
  /// - Precondition: the device takes float32, as images are assembled in.
  /// - Throws: ``ShapeError``, ``AllocationError``.
  public init(
    _ network: Network, session: Session<D>, batchSize: Int = 128, keepsDerived: Bool = true
  )
    throws
  {
    precondition(
      session.device.realType == .float32, "images in float32, not \(session.device.realType)")
    self.network = network
    self.batchSize = batchSize
    loaded = try session.load(
      network.evaluationStep(), inputs: network.stepShapes(batch: batchSize),
      keepsDerived: keepsDerived)
  }

  /// Evaluates a set, batch by batch; the last one is filled up with samples of weight 0.
  ///
  /// - Parameter observe: called after each batch with the logits `[images, classes]` and the range
  ///   of the batch; it may throw to stop.
  public func evaluate(
    _ set: ImageSet, normalization: Normalization,
    observe: (_ logits: [Float], _ range: Range<Int>) throws -> Void = { _, _ in }
  ) throws -> Evaluation {
    precondition(
      set.height == network.inputSide && set.width == network.inputSide,
      "images of \(set.width)×\(set.height) for a network of \(network.inputSide)")
    var evaluation = Evaluation()
    for start in stride(from: 0, to: set.count, by: batchSize) {
      let range = start..<min(start + batchSize, set.count)
      BatchAssembly.write(
        set, indices: range, normalization: normalization, into: loaded, batchSize: batchSize)
      loaded.run()
      evaluation.images += range.count
      evaluation.correct += Double(loaded.scalar(StepTensor.correct))
      evaluation.correctOfFive += Double(loaded.scalar(StepTensor.correctOfFive))
      evaluation.lossSum += Double(loaded.scalar(StepTensor.loss)) * Double(range.count)
      let logits = loaded.read(Network.logitsOutput).scalars
      try observe(Array(logits.prefix(range.count * network.classes)), range)
    }
    return evaluation
  }
}
