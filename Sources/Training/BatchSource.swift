import ResidualDatasets
import ResidualExecution
import ResidualNetworks

/// A set of images on its way into the inputs of a step, in one of two ways: the processor assembles
/// each batch, or the set's pixels lie on the device and a step is told which windows to take.
///
/// The samples are the same in both.
struct BatchSource {
  let set: ImageSet
  let normalization: Normalization
  /// Whether the pixels lie on the device.
  let isKept: Bool

  /// One sample of a batch.
  struct Sample {
    let index: Int
    var augmentation = Augmentation.none
    var randomness = RandomKey(seed: 0)
  }

  /// Whether the pixels of sets are to lie on a device: where it wants them, and they take no more
  /// than a quarter of its memory.
  static func keeps(_ sets: [ImageSet], on device: some Device) -> Bool {
    device.keepsImages
      && sets.reduce(0) { $0 + $1.pixels.count } <= device.memoryByteCount / 4
  }

  // MARK: Plans

  /// A step on a batch of images as a step on batches of this source.
  func graph(_ step: Graph) -> Graph {
    isKept ? step.assemblingImages(for: StepTensor.images) : step
  }

  /// The shapes of the inputs of such a step.
  func shapes(_ network: Network, batch: Int) -> [String: Shape] {
    var shapes = network.stepShapes(batch: batch)
    guard isKept else { return shapes }
    shapes[StepTensor.images] = nil
    shapes[StepTensor.pixels] = [set.count, set.height, set.width, 3]
    shapes[StepTensor.samples] = [batch, 4]
    let statistic: Shape =
      switch normalization {
      case .perPixelMean: [set.height, set.width, 3]
      case .channels: [3]
      }
    shapes[StepTensor.pixelMean] = statistic
    shapes[StepTensor.pixelDeviation] = statistic
    return shapes
  }

  /// Writes what stays the same from batch to batch.
  func begin<D>(_ loaded: LoadedPlan<D>) {
    guard isKept else { return }
    loaded.withInput(StepTensor.pixels, of: UInt8.self) { pixels in
      _ = pixels.update(fromContentsOf: set.pixels)
    }
    switch normalization {
    case .perPixelMean(let mean):
      loaded.write(mean, to: StepTensor.pixelMean)
      loaded.write([Float](repeating: 1, count: mean.count), to: StepTensor.pixelDeviation)
    case .channels(let mean, let deviation):
      loaded.write(mean, to: StepTensor.pixelMean)
      loaded.write(deviation, to: StepTensor.pixelDeviation)
    }
  }

  /// Whether another source would begin with the same numbers.
  func hasSamePixels(as other: BatchSource) -> Bool {
    let isSameArray = set.pixels.withUnsafeBufferPointer { pixels in
      other.set.pixels.withUnsafeBufferPointer {
        pixels.baseAddress == $0.baseAddress && pixels.count == $0.count
      }
    }
    return isSameArray && normalization == other.normalization
  }

  // MARK: Batches

  /// Writes samples as they are, in the plain view; what is left of the batch has weight 0.
  func write<D>(_ indices: Range<Int>, into loaded: LoadedPlan<D>, batchSize: Int) {
    write(count: indices.count, into: loaded, batchSize: batchSize) {
      Sample(index: indices.lowerBound + $0)
    }
  }

  /// Writes samples of an epoch, varied at random under the run's seed. Allocates nothing.
  func write<D>(
    order: [Int], from start: Int, epoch: Int, seed: UInt64, augmentation: Augmentation,
    into loaded: LoadedPlan<D>, batchSize: Int
  ) {
    write(count: batchSize, into: loaded, batchSize: batchSize) { position in
      let index = order[start + position]
      return Sample(
        index: index, augmentation: augmentation,
        randomness: Augmentation.key(seed: seed, epoch: epoch, sample: index))
    }
  }

  private func write<D>(
    count: Int, into loaded: LoadedPlan<D>, batchSize: Int, sample: (_ position: Int) -> Sample
  ) {
    writeImages(count: count, into: loaded, batchSize: batchSize, sample: sample)
    loaded.withInput(StepTensor.labels, of: Int32.self) { labels in
      for position in 0..<batchSize {
        labels[position] = position < count ? set.labels[sample(position).index] : 0
      }
    }
    loaded.withInput(StepTensor.weights, of: Float.self) { weights in
      for position in 0..<batchSize { weights[position] = position < count ? 1 : 0 }
    }
  }

  /// Writes the images of a batch alone; behind `count` of them they are zeros.
  func writeImages<D>(
    count: Int, into loaded: LoadedPlan<D>, batchSize: Int, sample: (_ position: Int) -> Sample
  ) {
    precondition(count <= batchSize, "\(count) samples for a batch of \(batchSize)")
    if isKept {
      loaded.withInput(StepTensor.samples, of: Int32.self) { samples in
        for position in 0..<batchSize {
          let window = position < count ? numbers(of: sample(position)) : [-1, 0, 0, 0]
          for part in 0..<4 { samples[4 * position + part] = window[part] }
        }
      }
      return
    }
    loaded.withInput(StepTensor.images, of: Float.self) { images in
      guard let base = images.baseAddress else { return }
      for position in 0..<count {
        let sample = sample(position)
        sample.augmentation.write(
          set, index: sample.index, normalization: normalization, randomness: sample.randomness,
          into: base + position * set.imageByteCount)
      }
      (base + count * set.imageByteCount).update(
        repeating: 0, count: (batchSize - count) * set.imageByteCount)
    }
  }

  /// A sample as ``Operation/AssembleImages`` takes it.
  private func numbers(of sample: Sample) -> SIMD4<Int32> {
    let window = sample.augmentation.window(randomness: sample.randomness)
    return [
      Int32(sample.index), Int32(window.down), Int32(window.right), window.isMirrored ? 1 : 0,
    ]
  }
}
