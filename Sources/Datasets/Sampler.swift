import ResidualTensors

/// The order in which an epoch visits the images of a set.
///
/// The order is a function of seed and epoch alone, so a run can be resumed at any epoch.
package struct Sampler: Hashable, Sendable {
  /// The number of images.
  package let count: Int
  /// The run's key for shuffling, from which each epoch's is derived.
  package let key: RandomKey

  /// - Parameters:
  ///   - count: The number of images.
  ///   - seed: The run's seed; the sampler derives its own key for shuffling.
  package init(count: Int, seed: UInt64) {
    precondition(count >= 0, "\(count) images cannot be sampled")
    self.count = count
    key = RandomKey(seed: seed).derived(.shuffle)
  }

  /// A permutation of `0..<count` for one epoch, counted from 0.
  package func order(epoch: Int) -> [Int] {
    var random = RandomSource(key.derived(epoch))
    return random.permutation(of: count)
  }
}
