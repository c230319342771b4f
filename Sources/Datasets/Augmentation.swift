import ResidualImages
import ResidualTensors

/// How a training image is varied before the network sees it.
public enum Augmentation: Hashable, Sendable {
  /// The image as it is: the view for tests.
  case none
  /// The image is padded with zeros on every side, a window of the original extents is cut out at
  /// random, and the window is mirrored horizontally with probability ½.
  case padCropFlip(padding: Int)

  /// The paper's: 4 pixels of padding (section 4.2).
  public static let paper = Augmentation.padCropFlip(padding: 4)

  /// The key under which a sample is varied in an epoch. It does not depend on the batch or on the
  /// thread that assembles it.
  public static func key(seed: UInt64, epoch: Int, sample index: Int) -> RandomKey {
    RandomKey(seed: seed).derived(.augmentation).derived(epoch).derived(index)
  }

  /// The part of an image that a sample shows: of the image's extents, `down` rows below and `right`
  /// columns right of its corner.
  public struct Window: Hashable, Sendable {
    /// In pixels; negative above and left of the image.
    public let down: Int, right: Int
    /// Whether the columns are reversed, once they are cut out.
    public let isMirrored: Bool
  }

  /// The window of a sample.
  ///
  /// With p the padding, `down` and `right` are drawn uniformly from −p…p. Drawn under `randomness`,
  /// in this order: down, right (`index(below: 2p + 1)`), mirroring (the highest bit of one draw).
  ///
  /// - Parameter randomness: The key of this sample, see ``key(seed:epoch:sample:)``.
  public func window(randomness: RandomKey) -> Window {
    guard case .padCropFlip(let padding) = self else {
      return Window(down: 0, right: 0, isMirrored: false)
    }
    var random = RandomSource(randomness)
    let down = random.index(below: 2 * padding + 1) - padding
    let right = random.index(below: 2 * padding + 1) - padding
    return Window(down: down, right: right, isMirrored: random.next() >> 63 == 1)
  }

  /// Writes one sample as the network sees it: normalised first, then padded with zeros, so that
  /// padding has the value of the mean.
  ///
  /// With the sample's window, see ``window(randomness:)``,
  ///
  ///     target[y, x, c] = normalised[y + down, x + right, c], 0 outside the image,
  ///
  /// or the same at `width − 1 − x` where the sample is mirrored.
  ///
  /// - Parameters:
  ///   - set: Where the sample lies, `[count, height, width, 3]`.
  ///   - index: Which sample.
  ///   - randomness: The key of this sample, see ``key(seed:epoch:sample:)``.
  ///   - target: `[height, width, 3]`, all overwritten.
  /// - Precondition: the index lies in the set, and the normalisation has the set's extents.
  /// - Complexity: one division an element; nothing is allocated. Threads may write different
  ///   targets at once.
  public func write(
    _ set: ImageSet, index: Int, normalization: Normalization, randomness: RandomKey,
    into target: UnsafeMutablePointer<Float>
  ) {
    precondition(index >= 0 && index < set.count, "sample \(index) of \(set.count)")
    normalization.check(height: set.height, width: set.width)
    set.pixels.withUnsafeBufferPointer { pixels in
      guard let base = pixels.baseAddress else { return }
      let source = base + index * set.imageByteCount
      switch self {
      case .none:
        normalization.apply(source, offset: 0, count: set.imageByteCount, into: target)
      case .padCropFlip:
        Self.write(
          source, height: set.height, width: set.width, window(randomness: randomness),
          normalization, into: target)
      }
    }
  }

  private static func write(
    _ source: UnsafePointer<UInt8>, height: Int, width: Int, _ window: Window,
    _ normalization: Normalization, into target: UnsafeMutablePointer<Float>
  ) {
    let (down, right) = (window.down, window.right)
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
      if window.isMirrored { mirror(row, width: width) }
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
