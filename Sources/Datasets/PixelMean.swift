/// The mean image of a set, which the paper subtracts from every image.
///
/// Sums are whole numbers, so the mean depends on nothing but the set and is rounded once.
package struct PixelMean: Hashable, Sendable {
  /// The extents in pixels.
  package let height: Int, width: Int
  /// `[height, width, 3]`: means over the set of bytes divided by 255.
  package let values: [Float]

  /// - Precondition: the set is not empty.
  /// - Complexity: one pass over the bytes of the set.
  package init(of set: ImageSet) {
    precondition(set.count > 0, "an empty set has no mean")
    height = set.height
    width = set.width
    let size = set.imageByteCount
    var totals = [UInt64](repeating: 0, count: size)
    // Sums of 2²⁴ bytes fit into 32 bits, which add up at twice the speed of 64.
    for start in stride(from: 0, to: set.count, by: 1 << 24) {
      let end = min(start + (1 << 24), set.count)
      var sums = [UInt32](repeating: 0, count: size)
      set.pixels.withUnsafeBufferPointer { pixels in
        sums.withUnsafeMutableBufferPointer { sums in
          for image in start..<end {
            let bytes = UnsafeBufferPointer(rebasing: pixels[image * size..<(image + 1) * size])
            for i in 0..<size { sums[i] &+= UInt32(bytes[i]) }
          }
        }
      }
      for i in 0..<size { totals[i] += UInt64(sums[i]) }
    }
    let scale = 255 * Double(set.count)
    values = totals.map { Float(Double($0) / scale) }
  }
}
