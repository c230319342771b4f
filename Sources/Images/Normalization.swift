/// How bytes become the numbers that a network sees.
public enum Normalization: Hashable, Sendable {
  /// byte / 255 − mean, with a mean for every pixel and channel, `[height, width, 3]`.
  case perPixelMean([Float])
  /// (byte / 255 − mean) / std, with one mean and one deviation a channel, `[3]` each.
  case channels(mean: [Float], std: [Float])

  /// - Precondition: the extents of this normalisation are those of the images.
  package func check(height: Int, width: Int) {
    switch self {
    case .perPixelMean(let mean):
      precondition(
        mean.count == height * width * 3,
        "a mean of \(mean.count) numbers for images of \(width)×\(height) pixels")
    case .channels(let mean, let std):
      precondition(
        mean.count == 3 && std.count == 3, "\(mean.count) means, \(std.count) deviations, not 3")
    }
  }

  /// Normalises `count` bytes that begin a pixel at `offset` of an image.
  ///
  /// - Precondition: offset and count are multiples of 3.
  @inline(__always)
  package func apply(
    _ source: UnsafePointer<UInt8>, offset: Int, count: Int,
    into target: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .perPixelMean(let mean):
      mean.withUnsafeBufferPointer { mean in
        guard let means = mean.baseAddress.map({ $0 + offset }) else { return }
        for i in 0..<count { target[i] = Float(source[offset &+ i]) / 255 - means[i] }
      }
    case .channels(let mean, let std):
      // Four pixels are three vectors, whose lanes are channels in turn.
      let means = Self.cycle(mean)
      let deviations = Self.cycle(std)
      func applyToFour(_ place: Int, _ mean: SIMD4<Float>, _ deviation: SIMD4<Float>) {
        let bytes = UnsafeRawPointer(source + (offset &+ place))
          .loadUnaligned(as: SIMD4<UInt8>.self)
        let value = (SIMD4<Float>(bytes) / 255 - mean) / deviation
        UnsafeMutableRawPointer(target + place).storeBytes(of: value, as: SIMD4<Float>.self)
      }
      var i = 0
      while i &+ 12 <= count {
        applyToFour(i, means.0, deviations.0)
        applyToFour(i &+ 4, means.1, deviations.1)
        applyToFour(i &+ 8, means.2, deviations.2)
        i &+= 12
      }
      while i < count {
        target[i] = (Float(source[offset &+ i]) / 255 - mean[i % 3]) / std[i % 3]
        i &+= 1
      }
    }
  }

  /// Three numbers r g b as the lanes r g b r, g b r g, b r g b.
  private static func cycle(
    _ numbers: [Float]
  ) -> (SIMD4<Float>, SIMD4<Float>, SIMD4<Float>) {
    let (red, green, blue) = (numbers[0], numbers[1], numbers[2])
    return (
      SIMD4(red, green, blue, red), SIMD4(green, blue, red, green), SIMD4(blue, red, green, blue)
    )
  }
}
