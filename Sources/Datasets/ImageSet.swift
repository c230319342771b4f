import ResidualImages
import ResidualTensors

/// Labelled images of one size, as one block of bytes.
public struct ImageSet: Sendable {
  /// The number of images.
  public let count: Int
  /// The extents of every image in pixels.
  public let height: Int, width: Int
  /// `[count, height, width, 3]`, row-major: red, green and blue.
  public let pixels: [UInt8]
  /// `[count]`: indices of class names.
  public let labels: [Int32]

  /// - Precondition: there are `height * width * 3` bytes for every label.
  public init(height: Int, width: Int, pixels: [UInt8], labels: [Int32]) {
    precondition(
      height > 0 && width > 0
        && pixels.count == Shape.checkedCount([labels.count, height, width, 3]),
      "\(pixels.count) bytes for \(labels.count) images of \(width)×\(height) pixels")
    count = labels.count
    self.height = height
    self.width = width
    self.pixels = pixels
    self.labels = labels
  }

  /// No image, for a part that was not asked for.
  public static func empty(side: Int) -> ImageSet {
    ImageSet(height: side, width: side, pixels: [], labels: [])
  }

  /// The bytes of one image.
  public var imageByteCount: Int { height * width * 3 }

  /// One image.
  ///
  /// - Precondition: the index lies in `0..<count`.
  public func image(at index: Int) -> Image {
    precondition(index >= 0 && index < count, "image \(index) of \(count)")
    let start = index * imageByteCount
    return Image(
      width: width, height: height, pixels: Array(pixels[start..<start + imageByteCount]))
  }

  /// The images at `indices`, in that order.
  ///
  /// - Precondition: every index lies in `0..<count`.
  public func selecting(_ indices: [Int]) -> ImageSet {
    var selected: [UInt8] = []
    selected.reserveCapacity(indices.count * imageByteCount)
    for index in indices {
      selected += pixels[index * imageByteCount..<(index + 1) * imageByteCount]
    }
    return ImageSet(
      height: height, width: width, pixels: selected, labels: indices.map { labels[$0] })
  }
}
