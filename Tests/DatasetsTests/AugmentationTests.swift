import ResidualDatasets
import ResidualImages
import ResidualTensors
import Testing

/// The definition, pixel by pixel: normalise, pad, crop, mirror.
func naive(
  _ set: ImageSet, _ index: Int, _ normalization: Normalization, padding: Int, down: Int,
  right: Int, mirrored: Bool
) -> [Float] {
  let image = set.image(at: index).pixels
  func normalised(_ y: Int, _ x: Int, _ c: Int) -> Float {
    guard (0..<set.height).contains(y), (0..<set.width).contains(x) else { return 0 }
    let i = (y * set.width + x) * 3 + c
    switch normalization {
    case .perPixelMean(let mean): return Float(image[i]) / 255 - mean[i]
    case .channels(let mean, let std): return (Float(image[i]) / 255 - mean[c]) / std[c]
    }
  }
  var result: [Float] = []
  for y in 0..<set.height {
    for column in 0..<set.width {
      let x = mirrored ? set.width - 1 - column : column
      for c in 0..<3 { result.append(normalised(y + down - padding, x + right - padding, c)) }
    }
  }
  return result
}

func written(
  _ augmentation: Augmentation, _ set: ImageSet, _ index: Int, _ normalization: Normalization,
  _ key: RandomKey
) -> [Float] {
  // One element more on both sides shows writes beyond the target.
  var target = [Float](repeating: .nan, count: set.imageByteCount + 2)
  target.withUnsafeMutableBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return }
    augmentation.draw(key).write(set, index: index, normalization: normalization, into: base + 1)
  }
  #expect(target.first?.isNaN == true && target.last?.isNaN == true)
  return Array(target.dropFirst().dropLast())
}

@Suite struct AugmentationTests {
  static func normalizations(_ set: ImageSet) -> [Normalization] {
    [
      .perPixelMean(PixelMean(of: set).values),
      .channels(mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]),
    ]
  }

  @Test("without augmentation the image is normalised only")
  func none() {
    let set = noiseSet(count: 7)
    for normalization in Self.normalizations(set) {
      for index in 0..<7 {
        let expected = naive(
          set, index, normalization, padding: 0, down: 0, right: 0, mirrored: false)
        let same = written(.none, set, index, normalization, RandomKey(seed: 1)) == expected
        #expect(same)
      }
    }
  }

  @Test(
    "every sample is the window that its key draws", arguments: [(32, 4), (5, 4), (3, 9), (8, 0)])
  func window(side: Int, padding: Int) {
    let set = noiseSet(count: 5, side: side)
    var offsets: Set<[Int]> = []
    var mirrorings = 0
    for normalization in Self.normalizations(set) {
      for sample in 0..<300 {
        let key = Augmentation.key(seed: 9, epoch: 2, sample: sample)
        var random = RandomSource(key)
        let down = random.index(below: 2 * padding + 1)
        let right = random.index(below: 2 * padding + 1)
        let mirrored = random.next() >> 63 == 1
        offsets.insert([down, right])
        mirrorings += mirrored ? 1 : 0
        let expected = naive(
          set, sample % 5, normalization, padding: padding, down: down, right: right,
          mirrored: mirrored)
        let augmentation = Augmentation.padCropFlip(padding: padding)
        let same = written(augmentation, set, sample % 5, normalization, key) == expected
        #expect(same, "sample \(sample)")
      }
    }
    #expect((230...370).contains(mirrorings))
    if padding == 4 { #expect(offsets.count > 70) }
  }

  @Test("samples, epochs and seeds have keys of their own")
  func keys() {
    var keys: Set<RandomKey> = []
    for seed in UInt64(0)..<5 {
      for epoch in 0..<5 {
        for sample in 0..<5 {
          keys.insert(Augmentation.key(seed: seed, epoch: epoch, sample: sample))
        }
      }
    }
    #expect(keys.count == 125)
  }
}
