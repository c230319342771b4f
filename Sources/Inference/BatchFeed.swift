@_exported import ResidualExecution
@_exported import ResidualImages
@_exported import ResidualInterchange
import ResidualNetworks

/// Samples on their way into the inputs of a step. However they come there, the step sees the same.
///
/// A feed is known by its identity: what it has brought to a device stays there until another one comes.
package protocol BatchFeed: AnyObject {
  /// The number of samples.
  var count: Int { get }
  /// The index of a sample's class.
  func label(_ index: Int) -> Int32
  /// A step on a batch of images as a step on batches of this feed.
  func graph(_ step: Graph) -> Graph
  /// The shapes of the inputs of such a step.
  func shapes(_ network: Network, batch: Int) -> [String: Shape]
  /// Writes what stays the same from batch to batch.
  func begin<D>(_ loaded: LoadedPlan<D>)
  /// The same samples for a plan that runs once, for which nothing is to be brought to a device.
  var once: any BatchFeed { get }
  /// Writes `count` images of a batch; behind them are zeros. Allocates nothing.
  ///
  /// - Parameters:
  ///   - index: of the sample at a position of the batch.
  ///   - window: what is shown of it.
  func writeImages<D>(
    count: Int, batch: Int, into loaded: LoadedPlan<D>, index: (_ position: Int) -> Int,
    window: (_ position: Int) -> SampleWindow)
}

extension BatchFeed {
  /// Writes the images, labels and weights of a batch; behind `count` samples the weights are 0.
  package func write<D>(
    count: Int, batch: Int, into loaded: LoadedPlan<D>, index: (_ position: Int) -> Int,
    window: (_ position: Int) -> SampleWindow
  ) {
    writeImages(count: count, batch: batch, into: loaded, index: index, window: window)
    loaded.withInput(StepTensor.labels, of: Int32.self) { labels in
      for position in 0..<batch { labels[position] = position < count ? label(index(position)) : 0 }
    }
    loaded.withInput(StepTensor.weights, of: Float.self) { weights in
      for position in 0..<batch { weights[position] = position < count ? 1 : 0 }
    }
  }
}

/// Images in memory, which the processor normalises and copies into each batch.
package final class ResidentFeed: BatchFeed {
  private let images: ImageSet
  private let normalization: Normalization

  package init(_ images: ImageSet, _ normalization: Normalization) {
    (self.images, self.normalization) = (images, normalization)
  }

  package var count: Int { images.count }
  package func label(_ index: Int) -> Int32 { images.labels[index] }
  package func graph(_ step: Graph) -> Graph { step }
  package func shapes(_ network: Network, batch: Int) -> [String: Shape] {
    network.stepShapes(batch: batch)
  }
  package func begin<D>(_ loaded: LoadedPlan<D>) {}
  package var once: any BatchFeed { self }

  package func writeImages<D>(
    count: Int, batch: Int, into loaded: LoadedPlan<D>, index: (_ position: Int) -> Int,
    window: (_ position: Int) -> SampleWindow
  ) {
    precondition(count <= batch, "\(count) samples for a batch of \(batch)")
    loaded.withInput(StepTensor.images, of: Float.self) { buffer in
      guard let base = buffer.baseAddress else { return }
      for position in 0..<count {
        window(position).write(
          images, index: index(position), normalization: normalization,
          into: base + position * images.imageByteCount)
      }
      (base + count * images.imageByteCount).update(
        repeating: 0, count: (batch - count) * images.imageByteCount)
    }
  }
}

/// Images whose pixels lie on the device; a step is told which windows of them to take.
package final class DeviceFeed: BatchFeed {
  private let images: ImageSet
  private let normalization: Normalization

  package init(_ images: ImageSet, _ normalization: Normalization) {
    (self.images, self.normalization) = (images, normalization)
  }

  /// Whether sets are to lie on a device: where it asks for them, and they take no more than a quarter
  /// of its memory.
  package static func holds(_ sets: [ImageSet], on device: some Device) -> Bool {
    device.keepsImages && sets.reduce(0) { $0 + $1.pixels.count } <= device.memoryByteCount / 4
  }

  package var count: Int { images.count }
  package func label(_ index: Int) -> Int32 { images.labels[index] }
  package func graph(_ step: Graph) -> Graph { step.assemblingImages(for: StepTensor.images) }
  package var once: any BatchFeed { ResidentFeed(images, normalization) }

  package func shapes(_ network: Network, batch: Int) -> [String: Shape] {
    var shapes = network.stepShapes(batch: batch)
    shapes[StepTensor.images] = nil
    shapes[StepTensor.pixels] = [images.count, images.height, images.width, 3]
    shapes[StepTensor.samples] = [batch, 4]
    let statistic: Shape =
      switch normalization {
      case .perPixelMean: [images.height, images.width, 3]
      case .channels: [3]
      }
    shapes[StepTensor.pixelMean] = statistic
    shapes[StepTensor.pixelDeviation] = statistic
    return shapes
  }

  package func begin<D>(_ loaded: LoadedPlan<D>) {
    loaded.withInput(StepTensor.pixels, of: UInt8.self) { pixels in
      _ = pixels.update(fromContentsOf: images.pixels)
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

  package func writeImages<D>(
    count: Int, batch: Int, into loaded: LoadedPlan<D>, index: (_ position: Int) -> Int,
    window: (_ position: Int) -> SampleWindow
  ) {
    precondition(count <= batch, "\(count) samples for a batch of \(batch)")
    loaded.withInput(StepTensor.samples, of: Int32.self) { samples in
      for position in 0..<batch {
        var sample: SIMD4<Int32> = [-1, 0, 0, 0]
        if position < count {
          let window = window(position)
          sample = [
            Int32(index(position)), Int32(window.down), Int32(window.right),
            window.isMirrored ? 1 : 0,
          ]
        }
        for element in 0..<4 { samples[4 * position + element] = sample[element] }
      }
    }
  }
}
