import ResidualDatasets
import ResidualExecution
import ResidualNetworks

/// Fills the inputs of a step from a set of images.
enum BatchAssembly {
  /// Samples as they are, in the plain view; what is left of the batch has weight 0.
  static func write<D>(
    _ set: ImageSet, indices: Range<Int>, normalization: Normalization, into loaded: LoadedPlan<D>,
    batchSize: Int
  ) {
    fill(set, count: indices.count, into: loaded, batchSize: batchSize) { position, target in
      let index = indices.lowerBound + position
      Augmentation.none.write(
        set, index: index, normalization: normalization, randomness: RandomKey(seed: 0),
        into: target)
      return index
    }
  }

  /// Samples of an epoch, varied at random under the run's seed. Allocates nothing.
  static func write<D>(
    _ set: ImageSet, order: [Int], from start: Int, epoch: Int, seed: UInt64,
    augmentation: Augmentation, normalization: Normalization, into loaded: LoadedPlan<D>,
    batchSize: Int
  ) {
    fill(set, count: batchSize, into: loaded, batchSize: batchSize) { position, target in
      let index = order[start + position]
      augmentation.write(
        set, index: index, normalization: normalization,
        randomness: Augmentation.key(seed: seed, epoch: epoch, sample: index), into: target)
      return index
    }
  }

  private static func fill<D>(
    _ set: ImageSet, count: Int, into loaded: LoadedPlan<D>, batchSize: Int,
    sample: (_ position: Int, _ target: UnsafeMutablePointer<Float>) -> Int
  ) {
    precondition(count <= batchSize, "\(count) samples for a batch of \(batchSize)")
    loaded.withInput(StepTensor.images, of: Float.self) { images in
      loaded.withInput(StepTensor.labels, of: Int32.self) { labels in
        guard let base = images.baseAddress else { return }
        for position in 0..<count {
          labels[position] = set.labels[sample(position, base + position * set.imageByteCount)]
        }
        for position in count..<batchSize { labels[position] = 0 }
        (base + count * set.imageByteCount).update(
          repeating: 0, count: (batchSize - count) * set.imageByteCount)
      }
    }
    loaded.withInput(StepTensor.weights, of: Float.self) { weights in
      for position in 0..<batchSize { weights[position] = position < count ? 1 : 0 }
    }
  }
}
