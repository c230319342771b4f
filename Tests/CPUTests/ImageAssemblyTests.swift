import ResidualCPU
import ResidualTraining
import Testing

/// Images assembled on the device have the bits of those that the processor assembles beforehand.
@Suite struct ImageAssemblyTests {
  @Test func bitsAreThoseOfAugmentation() throws {
    let (set, batch) = (Draw.images(12, classes: 3, seed: 4), 40)
    let size = set.imageByteCount
    let normalizations: [Normalization] = [
      .perPixelMean(PixelMean(of: set).values),
      .channels(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]),
    ]
    for normalization in normalizations {
      var graph = Graph()
      graph.output("images", graph.input("images"))
      let (mean, deviation): ([Float], [Float]) =
        switch normalization {
        case .perPixelMean(let mean): (mean, [Float](repeating: 1, count: mean.count))
        case .channels(let mean, let deviation): (mean, deviation)
        }
      let statistic: Shape = mean.count == 3 ? [3] : [set.height, set.width, 3]
      let device = try CPUDevice(threads: 2)
      let plan = try Session(device: device, store: Store(for: device)).load(
        graph.assemblingImages(for: "images"),
        inputs: [
          "pixels": [set.count, set.height, set.width, 3], "samples": [batch, 4],
          "pixelMean": statistic, "pixelDeviation": statistic,
        ])
      plan.withInput(Graph.pixelsInput, of: UInt8.self) { pixels in
        _ = pixels.update(fromContentsOf: set.pixels)
      }
      plan.write(mean, to: Graph.pixelMeanInput)
      plan.write(deviation, to: Graph.pixelDeviationInput)
      var samples: [Int32] = []
      var expected = [Float](repeating: .nan, count: batch * size)
      for position in 0..<batch {
        let key = Augmentation.key(seed: 3, epoch: 1, sample: position)
        let window = Augmentation.paper.draw(key)
        let index = position % set.count
        samples += [
          Int32(index), Int32(window.down), Int32(window.right), window.isMirrored ? 1 : 0,
        ]
        expected.withUnsafeMutableBufferPointer { buffer in
          guard let base = buffer.baseAddress else { return }
          window.write(
            set, index: index, normalization: normalization, into: base + position * size)
        }
      }
      plan.write(samples, to: Graph.samplesInput)
      plan.poison()
      plan.run()
      #expect(plan.read("images").scalars.map(\.bitPattern) == expected.map(\.bitPattern))
    }
  }
}
