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
  private let session: Session<D>
  private let keepsDerived: Bool, keepsImages: Bool
  /// By the shapes of their inputs, which differ between sets that lie on the device.
  private var plans: [[String: Shape]: (loaded: LoadedPlan<D>, source: BatchSource?)] = [:]

  /// Makes ready to evaluate batches in a session. Where sets lie on the device, memory is taken when
  /// the first one is evaluated.
  ///
  /// - Parameters:
  ///   - session: its store holds the network's parameters and statistics.
  ///   - keepsDerived: whether filters stay packed, for memory of their own.
  ///   - keepsImages: whether a set may lie on the device, where it wants so and has the memory.
  /// - Precondition: the device takes float32, as images are assembled in.
  /// - Throws: ``ShapeError``, ``AllocationError``.
  public init(
    _ network: Network, session: Session<D>, batchSize: Int = 128, keepsDerived: Bool = true,
    keepsImages: Bool = true
  ) throws {
    precondition(batchSize > 0, "batches of \(batchSize)")
    precondition(
      session.device.realType == .float32, "images in float32, not \(session.device.realType)")
    (self.network, self.session, self.batchSize) = (network, session, batchSize)
    (self.keepsDerived, self.keepsImages) = (
      keepsDerived, keepsImages && session.device.keepsImages
    )
    try network.checkShapes()
    guard !self.keepsImages else { return }
    let shapes = network.stepShapes(batch: batchSize)
    plans[shapes] = (try load(network.evaluationStep(), shapes), nil)
  }

  private func load(_ graph: Graph, _ shapes: [String: Shape]) throws -> LoadedPlan<D> {
    try session.load(graph, inputs: shapes, keepsDerived: keepsDerived)
  }

  /// The plan for batches of a source, which holds its pixels where they lie on the device.
  private func plan(for source: BatchSource) throws -> LoadedPlan<D> {
    let shapes = source.shapes(network, batch: batchSize)
    let known = plans[shapes]
    let loaded = try known?.loaded ?? load(source.graph(network.evaluationStep()), shapes)
    if known?.source.map(source.hasSamePixels) != true { source.begin(loaded) }
    // The source keeps its array alive, so that no other one can have the same address.
    plans[shapes] = (loaded, source)
    return loaded
  }

  /// Evaluates a set, batch by batch; the last one is filled up with samples of weight 0.
  ///
  /// - Parameter observe: called after each batch with the logits `[images, classes]` and the range
  ///   of the batch; it may throw to stop.
  /// - Throws: ``ShapeError``, ``AllocationError``, and what `observe` throws.
  public func evaluate(
    _ set: ImageSet, normalization: Normalization,
    observe: (_ logits: [Float], _ range: Range<Int>) throws -> Void = { _, _ in }
  ) throws -> Evaluation {
    try network.check(set)
    var evaluation = Evaluation()
    guard set.count > 0 else { return evaluation }
    let source = BatchSource(
      set: set, normalization: normalization,
      isKept: keepsImages && BatchSource.keeps([set], on: session.device))
    let loaded = try plan(for: source)
    for start in stride(from: 0, to: set.count, by: batchSize) {
      let range = start..<min(start + batchSize, set.count)
      source.write(range, into: loaded, batchSize: batchSize)
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

extension Network {
  /// Checks that images have the network's size, and labels that are its classes.
  ///
  /// - Throws: ``ShapeError``.
  /// - Complexity: O(images).
  func check(_ set: ImageSet) throws(ShapeError) {
    guard set.height == inputSide, set.width == inputSide else {
      throw ShapeError(
        "images of \(set.width)×\(set.height) pixels for \(name) of \(inputSide)×\(inputSide)")
    }
    if let label = set.labels.first(where: { !(0..<classes).contains(Int($0)) }) {
      throw ShapeError("label \(label) for \(name) of \(classes) classes")
    }
  }
}
