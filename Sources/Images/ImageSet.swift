import ResidualTensors

/// Labelled images of one size in memory, as one block of bytes.
public struct ImageSet: Sendable {
  /// The number of images.
  public let count: Int
  /// The extents of every image in pixels.
  public let height: Int, width: Int
  /// `[count, height, width, 3]`, row-major: red, green and blue.
  public let pixels: [UInt8]
  /// `[count]`: indices of class names.
  public let labels: [Int32]

  /// - Throws: ``ImageError/wrongByteCount(_:width:height:images:)`` unless there are
  ///   `height * width * 3` bytes for every label, and both extents are above 0.
  public init(height: Int, width: Int, pixels: [UInt8], labels: [Int32]) throws(ImageError) {
    guard height > 0, width > 0,
      pixels.count == Shape.checkedCount([labels.count, height, width, 3])
    else {
      throw .wrongByteCount(pixels.count, width: width, height: height, images: labels.count)
    }
    self.init(height: height, width: width, checked: pixels, labels: labels)
  }

  /// - Precondition: there are `height * width * 3` bytes for every label.
  package init(height: Int, width: Int, checked pixels: [UInt8], labels: [Int32]) {
    precondition(
      pixels.count == Shape.checkedCount([labels.count, height, width, 3]),
      "\(pixels.count) bytes for \(labels.count) images of \(width)×\(height) pixels")
    count = labels.count
    self.height = height
    self.width = width
    self.pixels = pixels
    self.labels = labels
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
      width: width, height: height, checked: Array(pixels[start..<start + imageByteCount]))
  }
}

extension ImageSet: SampleSource {
  public var location: String { "images in memory" }
  public func label(_ index: Int) -> Int32 { labels[index] }
  public func name(_ index: Int) -> String { "image \(index)" }
  public func withSample<Result>(_ index: Int, _ body: (EncodedSample) throws -> Result) throws
    -> Result
  {
    try body(.image(image(at: index)))
  }
}
