import ResidualNetworks

extension Network {
  /// What is the first in the forward pass of training not to be finite: the images, a layer's weights, or a
  /// layer's output. If nothing is, it is the loss itself.
  ///
  /// The pass is run once more, with statistics of every value as outputs, which takes memory and time; the
  /// store stays as it is.
  ///
  /// - Parameters:
  ///   - session: its store holds the parameters.
  ///   - index: of the sample at a position of the batch.
  ///   - window: what is shown of it.
  /// - Throws: ``ShapeError``, ``AllocationError``.
  func forwardFault<D>(
    on feed: any BatchFeed, batch: Int, in session: Session<D>, index: (_ position: Int) -> Int,
    window: (_ position: Int) -> SampleWindow
  ) throws -> (quantity: Fault.Quantity, layer: String?) {
    // Auxiliary classifiers are there in this form only, which changes running statistics.
    let graph = graph(.training, dropsOut: false)
    let statistics = slots.filter { $0.role == .statistic }.map {
      ($0.name, session.store.readDouble($0.name))
    }
    defer { for (name, values) in statistics { session.store.write(values, to: name) } }
    let shapes = try graph.shapes(inputs: stepShapes(batch: batch))
    let taps = graph.nodes.indices.filter { index in
      if case .state = graph.nodes[index].operation { return false }
      return shapes[index][0].rank >= 2
    }.map { Tap(graph.nodes[$0].path, .statistics) }
    let feed = feed.once
    let plan = try session.load(
      feed.graph(try graph.tapping(taps)), inputs: feed.shapes(self, batch: batch),
      keepsDerived: false)
    feed.begin(plan)
    feed.writeImages(count: batch, batch: batch, into: plan, index: index, window: window)
    plan.run()
    let failed = taps.first { !plan.readDouble($0.mean).allSatisfy(\.isFinite) }?.path
    if failed == Network.imagesInput { return (.images, nil) }
    let weight = slots.first { slot in
      slot.role == .parameter && !session.store.read(slot.name).scalars.allSatisfy(\.isFinite)
    }
    if let weight { return (.weight, StepNorms.layer(of: weight.name)) }
    guard let failed, let value = graph.value(at: failed) else { return (.loss, nil) }
    // A layer of several nodes is known by its parameters.
    let parameter = graph.nodes[value.node].operands.lazy.compactMap(graph.slot).first
    return (.output, parameter.map(StepNorms.layer) ?? failed)
  }
}
