/// The part of an image that a sample shows, of the image's own extents: `down` rows below and `right`
/// columns right of its corner, zeros outside, perhaps mirrored.
public struct SampleWindow: Hashable, Sendable {
  /// In pixels; negative above and left of the image.
  public let down: Int, right: Int
  /// Whether the columns are reversed, once they are cut out.
  public let isMirrored: Bool

  /// A window; the image as it is, unless something else is said.
  public init(down: Int = 0, right: Int = 0, isMirrored: Bool = false) {
    (self.down, self.right, self.isMirrored) = (down, right, isMirrored)
  }

  /// Writes one sample as a network sees it: normalised first, then padded with zeros, so that padding
  /// has the value of the mean.
  ///
  ///     target[y, x, c] = normalised[y + down, x + right, c], 0 outside the image,
  ///
  /// or the same at `width − 1 − x` where the sample is mirrored.
  ///
  /// - Parameters:
  ///   - set: Where the sample lies, `[count, height, width, 3]`.
  ///   - index: Which sample.
  ///   - target: `[height, width, 3]`, all overwritten.
  /// - Precondition: the index lies in the set, and the normalisation has the set's extents.
  /// - Complexity: one division an element; nothing is allocated. Threads may write different
  ///   targets at once.
  package func write(
    _ set: ImageSet, index: Int, normalization: Normalization,
    into target: UnsafeMutablePointer<Float>
  ) {
    precondition(index >= 0 && index < set.count, "sample \(index) of \(set.count)")
    normalization.check(height: set.height, width: set.width)
    set.pixels.withUnsafeBufferPointer { pixels in
      guard let base = pixels.baseAddress else { return }
      let source = base + index * set.imageByteCount
      if self == SampleWindow() {
        normalization.apply(source, offset: 0, count: set.imageByteCount, into: target)
      } else {
        write(source, height: set.height, width: set.width, normalization, into: target)
      }
    }
  }

  private func write(
    _ source: UnsafePointer<UInt8>, height: Int, width: Int, _ normalization: Normalization,
    into target: UnsafeMutablePointer<Float>
  ) {
    // Columns of the window that lie in the image.
    let first = min(max(-right, 0), width)
    let end = max(min(width - right, width), first)
    for y in 0..<height {
      let row = target + y * width * 3
      let line = y + down
      guard line >= 0, line < height else {
        row.update(repeating: 0, count: width * 3)
        continue
      }
      row.update(repeating: 0, count: first * 3)
      normalization.apply(
        source, offset: (line * width + first + right) * 3, count: (end - first) * 3,
        into: row + first * 3)
      (row + end * 3).update(repeating: 0, count: (width - end) * 3)
      if isMirrored { Self.mirror(row, width: width) }
    }
  }

  /// Reverses the pixels of a row, `[width, 3]`.
  private static func mirror(_ row: UnsafeMutablePointer<Float>, width: Int) {
    var (left, right) = (row, row + (width - 1) * 3)
    while left < right {
      for channel in 0..<3 {
        (left[channel], right[channel]) = (right[channel], left[channel])
      }
      left += 3
      right -= 3
    }
  }
}
