import ResidualCPU
import ResidualNetworks
import ResidualRuns
import Testing

@Suite struct StatisticsTests {
  /// Mean and sum of squared deviations in two passes.
  private static func twoPasses(_ numbers: [Double]) -> (mean: Double, m2: Double) {
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    return (mean, numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) })
  }

  @Test(arguments: [0.0, 1, 1e3, -1e6, 1e9])
  func mergedBatchesAreOneSet(offset: Double) {
    var source = RandomSource(RandomKey(seed: 4))
    var merged = MergedStatistics(channels: 2)
    var all: [[Double]] = [[], []]
    for size in [1, 7, 128, 3, 1, 500] {
      let batch = (0..<2).map { channel in
        (0..<size).map { _ in offset + Double(channel + 1) * Double(source.uniform()) }
      }
      let parts = batch.map(Self.twoPasses)
      merged.merge(count: Double(size), mean: parts.map(\.mean), m2: parts.map(\.m2))
      for channel in 0..<2 { all[channel] += batch[channel] }
    }
    #expect(merged.count == 640)
    for channel in 0..<2 {
      let (mean, m2) = Self.twoPasses(all[channel])
      // Numbers about 10⁹ have steps of 10⁻⁷ in Double, and the variance is about 0.1.
      #expect(abs(merged.mean[channel] - mean) <= 1e-15 * max(1, abs(offset)))
      #expect(abs(merged.variance[channel] * 639 - m2) <= 1e-6 * m2)
      #expect(merged.variance[channel] == merged.m2[channel] / 639)
    }
  }

  @Test func oneSampleHasNoVariance() {
    var merged = MergedStatistics(channels: 1)
    #expect(merged.variance == [0])
    merged.merge(count: 1, mean: [5], m2: [0])
    #expect(merged.mean == [5] && merged.variance == [0])
  }

  /// One convolution's results over all images, computed directly; the last batch is partial.
  @Test func exactStatisticsOfAConvolution() throws {
    let side = 6
    let network = Network(
      name: "tiny", inputSide: side, classes: 4, depth: 2
    ) {
      Convolution("conv1", 2, size: 3)
      BatchNormalization("bn1")
      ReLU()
      GlobalAveragePooling()
      FullyConnected("fc", 4)
    }
    let set = TinyData.images(20, side: side, seed: 3)
    let (mean, std): ([Float], [Float]) = ([0.4, 0.5, 0.6], [0.1, 0.2, 0.3])
    let session = Session(device: try CPUDevice(threads: 1), store: Store())
    var observed: [Int] = []
    try ExactStatistics.compute(
      network, over: ResidentFeed(set, .channels(mean: mean, std: std)),
      order: (0..<20).reversed(), session: session, batchSize: 8, observe: { observed.append($0) })
    #expect(observed == [8, 16, 20])

    let filter = session.store.read("conv1.weight").scalars
    for k in 0..<2 {
      var results: [Double] = []
      for image in 0..<20 {
        for y in 0..<side {
          for x in 0..<side {
            var sum = 0.0
            for c in 0..<3 {
              for r in 0..<3 {
                for s in 0..<3
                where (0..<side).contains(y + r - 1)
                  && (0..<side).contains(x + s - 1)
                {
                  let byte = set.pixels[
                    ((image * side + y + r - 1) * side + x + s - 1) * 3 + c]
                  let number = (Double(byte) / 255 - Double(mean[c])) / Double(std[c])
                  sum += number * Double(filter[((k * 3 + c) * 3 + r) * 3 + s])
                }
              }
            }
            results.append(sum)
          }
        }
      }
      let (expected, m2) = Self.twoPasses(results)
      let variance = m2 / Double(results.count - 1)
      let foundMean = Double(session.store.read("bn1.running_mean").scalars[k])
      let foundVariance = Double(session.store.read("bn1.running_var").scalars[k])
      #expect(abs(foundMean - expected) <= 1e-5 * variance.squareRoot())
      #expect(abs(foundVariance - variance) <= 1e-5 * variance)
    }
  }

  @Test func exactStatisticsChangeNothingElse() throws {
    let trainer = try RecipeOptions.tiny(steps: 4).trainer()
    _ = try trainer.finish()
    let before = trainer.slotBits
    try trainer.computeExactStatistics()
    let after = trainer.slotBits
    for slot in trainer.session.store.slots {
      #expect((before[slot.name] == after[slot.name]) == (slot.role != .statistic), "\(slot.name)")
    }
  }
}
