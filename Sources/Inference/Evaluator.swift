import ResidualNetworks

/// What a network gets right on a set of images.
public struct Evaluation: Hashable, Codable, Sendable {
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
package final class Evaluator<D: Device> {
  /// Images a run of the plan.
  package let batchSize: Int
  private let network: Network
  private let session: Session<D>
  private let keepsDerived: Bool
  /// By the shapes of their inputs, which differ between sets that lie on the device; each with the feed
  /// that it has begun with.
  private var plans: [[String: Shape]: (loaded: LoadedPlan<D>, feed: (any BatchFeed)?)] = [:]

  /// Makes ready to evaluate batches in a session. Where sets lie on the device, memory is taken when
  /// the first one is evaluated.
  ///
  /// - Parameters:
  ///   - session: its store holds the network's parameters and statistics.
  ///   - keepsDerived: whether filters stay packed, for memory of their own.
  ///   - usesHostImages: whether images come from the processor, so that their plan is made now.
  /// - Precondition: the device takes float32, as images are assembled in.
  /// - Throws: ``ShapeError``, ``AllocationError``.
  package init(
    _ network: Network, session: Session<D>, batchSize: Int = 128, keepsDerived: Bool = true,
    usesHostImages: Bool = true
  ) throws {
    precondition(batchSize > 0, "batches of \(batchSize)")
    precondition(
      session.device.realType == .float32, "images in float32, not \(session.device.realType)")
    (self.network, self.session, self.batchSize) = (network, session, batchSize)
    self.keepsDerived = keepsDerived
    try network.checkShapes()
    guard usesHostImages else { return }
    let shapes = network.stepShapes(batch: batchSize)
    plans[shapes] = (try load(network.evaluationStep(), shapes), nil)
  }

  private func load(_ graph: Graph, _ shapes: [String: Shape]) throws -> LoadedPlan<D> {
    try session.load(graph, inputs: shapes, keepsDerived: keepsDerived)
  }

  /// The plan for batches of a feed.
  private func plan(for feed: any BatchFeed) throws -> LoadedPlan<D> {
    let shapes = feed.shapes(network, batch: batchSize)
    let known = plans[shapes]
    let loaded = try known?.loaded ?? load(feed.graph(network.evaluationStep()), shapes)
    if known?.feed !== feed { feed.begin(loaded) }
    plans[shapes] = (loaded, feed)
    return loaded
  }

  /// Evaluates the samples of a feed, batch by batch; the last one is filled up with samples of weight 0.
  ///
  /// - Parameter observe: called after each batch with the logits `[images, classes]` and the range
  ///   of the batch; it may throw to stop.
  /// - Throws: ``ShapeError``, ``AllocationError``, and what `observe` throws.
  package func evaluate(
    _ feed: any BatchFeed,
    observe: (_ logits: [Float], _ range: Range<Int>) throws -> Void = { _, _ in }
  ) throws -> Evaluation {
    var evaluation = Evaluation()
    guard feed.count > 0 else { return evaluation }
    let loaded = try plan(for: feed)
    for start in stride(from: 0, to: feed.count, by: batchSize) {
      let range = start..<min(start + batchSize, feed.count)
      feed.write(
        count: range.count, batch: batchSize, into: loaded, index: { start + $0 },
        window: { _ in SampleWindow() })
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
  /// - Throws: ``SampleError``.
  /// - Complexity: O(images).
  package func check(_ set: ImageSet) throws(SampleError) {
    guard set.height == inputSide, set.width == inputSide else {
      throw .size(width: set.width, height: set.height, network: name, side: inputSide)
    }
    if let label = set.labels.first(where: { !(0..<classes).contains(Int($0)) }) {
      throw .label(Int(label), network: name, classes: classes)
    }
  }
}

/// Samples that a network cannot take.
public enum SampleError: Refusal, Hashable {
  /// Images of another size than the network's.
  case size(width: Int, height: Int, network: String, side: Int)
  /// A label that is the index of no class.
  case label(Int, network: String, classes: Int)
  /// Data with another number of classes.
  case classes(found: Int, network: String, expected: Int)

  public var kind: RefusalKind { .input }
  public var description: String {
    switch self {
    case .size(let width, let height, let network, let side):
      "images of \(width)×\(height) pixels for \(network) of \(side)×\(side); resize them"
    case .label(let label, let network, let classes):
      "label \(label) for \(network) of \(classes) classes; give labels from 0 to \(classes - 1)"
    case .classes(let found, let network, let expected):
      "data of \(found) classes for \(network) of \(expected); give a network of as many classes"
    }
  }
}
