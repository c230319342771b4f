import ResidualNetworks

/// Count, mean and M2 of each channel, merged over batches.
///
/// Source: Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for Computing Sample
/// Variances, 1979.
package struct MergedStatistics: Hashable, Sendable {
  /// Pixels so far, over all batches.
  package private(set) var count = 0.0
  /// `[C]`.
  package private(set) var mean: [Double]
  /// The sum of squared deviations from the mean, `[C]`.
  package private(set) var m2: [Double]

  /// Statistics of nothing yet.
  package init(channels: Int) {
    mean = [Double](repeating: 0, count: channels)
    m2 = mean
  }

  /// Takes in the statistics of another batch. With δ = mean′ − mean and n = count + count′:
  ///
  ///     mean ← mean + δ · count′ / n,   M2 ← M2 + M2′ + δ² · count · count′ / n
  ///
  /// - Precondition: as many channels as these statistics have, and not both counts 0.
  package mutating func merge(count other: Double, mean otherMean: [Double], m2 otherM2: [Double]) {
    let total = count + other
    for channel in mean.indices {
      let delta = otherMean[channel] - mean[channel]
      mean[channel] += delta * other / total
      m2[channel] += otherM2[channel] + delta * delta * count * other / total
    }
    count = total
  }

  /// The unbiased variance.
  package var variance: [Double] { m2.map { $0 / max(count - 1, 1) } }
}

/// Which statistics of batch normalisation a trained network keeps.
public enum StatisticsPass: String, SettingValue, CaseIterable {
  /// The moving averages of training.
  case moving
  /// Exact ones, of the training images in the test view.
  case plain
  /// Exact ones, of the training images varied as in training.
  case augmented

  public static var kind: String { "one of moving, plain, augmented" }
  public init?(_ text: SettingText) {
    switch text.single?.lowercased() {
    // As earlier versions say it.
    case "true": self = .plain
    case "false": self = .moving
    case let word: self.init(rawValue: word ?? "")
    }
  }
}

/// Replaces the moving averages of batch normalisation by exact statistics, as the authors of the
/// paper did after training.
///
/// One pass over the training images, in the test view or varied as in training: every batch runs in
/// training form, and each layer's count, mean and M2 are merged over the batches. Batches must be mixed as
/// in training, because deeper layers see what the batch's own statistics normalised: images sorted by class
/// would give other statistics. Frozen layers keep theirs, and use them.
package enum ExactStatistics {
  /// - Parameters:
  ///   - order: the images in the order of the pass.
  ///   - window: what is shown of an image.
  /// - Throws: ``ShapeError``, ``AllocationError``, and what `observe` throws.
  package static func compute<D>(
    _ network: Network, over feed: any BatchFeed, order: [Int], session: Session<D>,
    batchSize: Int, window: (_ image: Int) -> SampleWindow = { _ in SampleWindow() },
    observe: (_ images: Int) throws -> Void = { _ in }
  ) throws {
    let (graph, layers) = network.statisticsGraph()
    guard !layers.isEmpty else { return }
    var merged: [BatchStatistics: MergedStatistics] = [:]
    // The last batch may be smaller, and has a plan of its own.
    var plans: [Int: (feed: any BatchFeed, plan: LoadedPlan<D>)] = [:]
    func load(_ count: Int) throws -> (feed: any BatchFeed, plan: LoadedPlan<D>) {
      let feed = count == batchSize ? feed : feed.once
      let plan = try session.load(
        feed.graph(graph), inputs: feed.shapes(network, batch: count), keepsDerived: false)
      feed.begin(plan)
      return (feed, plan)
    }
    for start in stride(from: 0, to: order.count, by: batchSize) {
      let count = min(batchSize, order.count - start)
      let (feed, plan) = try plans[count] ?? load(count)
      plans[count] = (feed, plan)
      feed.writeImages(count: count, batch: count, into: plan) {
        order[start + $0]
      } window: {
        window(order[start + $0])
      }
      plan.run()
      for layer in layers {
        let mean = plan.readDouble(layer.mean)
        merged[layer, default: MergedStatistics(channels: mean.count)].merge(
          count: Double(plan.scalar(layer.count)), mean: mean, m2: plan.readDouble(layer.m2))
      }
      try observe(start + count)
    }
    for (layer, statistics) in merged {
      session.store.write(statistics.mean, to: layer.meanSlot)
      session.store.write(statistics.variance, to: layer.varianceSlot)
    }
  }
}
