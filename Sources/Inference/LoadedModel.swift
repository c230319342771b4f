import ResidualNetworks

/// A model on a device, ready to run.
final class LoadedModel<D: Device>: RunningModel {
  private let model: ModelFile
  private let session: Session<D>
  private let batchSize: Int
  /// Plans are made when they are first asked for: to classify takes no labels, to evaluate does.
  private var classification: LoadedPlan<D>?
  private var evaluator: Evaluator<D>?

  /// - Throws: ``ShapeError``, ``AllocationError``.
  init(_ model: ModelFile, device: D, batchSize: Int) throws {
    (self.model, self.batchSize) = (model, batchSize)
    session = Session(device: device, store: Store(for: device))
    try model.network.checkShapes()
    try session.store.initialize(
      model.network.graph(.inference).slots, seed: 0, from: model.tensors)
  }

  func logits(of images: ImageSet, observe: (_ logits: [Float], _ range: Range<Int>) throws -> Void)
    throws
  {
    let network = model.network
    let loaded: LoadedPlan<D>
    if let classification {
      loaded = classification
    } else {
      loaded = try session.load(
        network.graph(.inference).pruned(), inputs: network.stepShapes(batch: batchSize))
      classification = loaded
    }
    let feed = ResidentFeed(images, model.preparation.normalization)
    for start in stride(from: 0, to: images.count, by: batchSize) {
      let range = start..<min(start + batchSize, images.count)
      feed.writeImages(
        count: range.count, batch: batchSize, into: loaded, index: { start + $0 },
        window: { _ in SampleWindow() })
      loaded.run()
      let logits = loaded.read(Network.logitsOutput).scalars
      try observe(Array(logits.prefix(range.count * network.classes)), range)
    }
  }

  func evaluate(
    _ images: ImageSet, observe: (_ logits: [Float], _ range: Range<Int>) throws -> Void
  ) throws -> Evaluation {
    let liesOnDevice = DeviceFeed.holds([images], on: session.device)
    let evaluator =
      try self.evaluator
      ?? Evaluator(
        model.network, session: session, batchSize: batchSize,
        usesHostImages: !session.device.keepsImages)
    self.evaluator = evaluator
    let normalization = model.preparation.normalization
    let feed: any BatchFeed =
      liesOnDevice ? DeviceFeed(images, normalization) : ResidentFeed(images, normalization)
    return try evaluator.evaluate(feed, observe: observe)
  }
}

/// What a ``Classifier`` asks of a model on a device of any kind.
protocol RunningModel {
  /// The logits of images of the network's size, batch by batch.
  func logits(
    of images: ImageSet, observe: (_ logits: [Float], _ range: Range<Int>) throws -> Void) throws
  /// How many images of the network's size are classified as labelled.
  func evaluate(
    _ images: ImageSet, observe: (_ logits: [Float], _ range: Range<Int>) throws -> Void
  ) throws -> Evaluation
}
