@_exported import ResidualImages
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

  /// Draws the window of a sample.
  ///
  /// With p the padding, `down` and `right` are drawn uniformly from −p…p. Drawn under `key`, in this
  /// order: down, right (`index(below: 2p + 1)`), mirroring (the highest bit of one draw).
  ///
  /// - Parameter key: The sample's, see ``key(seed:epoch:sample:)``.
  public func draw(_ key: RandomKey) -> SampleWindow {
    guard case .padCropFlip(let padding) = self else { return SampleWindow() }
    var random = RandomSource(key)
    let down = random.index(below: 2 * padding + 1) - padding
    let right = random.index(below: 2 * padding + 1) - padding
    return SampleWindow(down: down, right: right, isMirrored: random.next() >> 63 == 1)
  }
}
