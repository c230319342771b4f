@_exported import ResidualTensors

/// A colour picture: three bytes a pixel, red, green and blue, rows from top to bottom.
public struct Image: Hashable, Sendable {
  /// The extents in pixels, at least 1.
  public let width: Int, height: Int
  /// `[height, width, 3]`, row-major.
  public let pixels: [UInt8]

  /// - Throws: ``ImageError/wrongByteCount(_:width:height:images:)`` unless both extents are positive
  ///   and there are `width * height * 3` bytes.
  public init(width: Int, height: Int, pixels: [UInt8]) throws(ImageError) {
    guard width > 0, height > 0, pixels.count == Shape.checkedCount([height, width, 3]) else {
      throw .wrongByteCount(pixels.count, width: width, height: height, images: 1)
    }
    self.init(width: width, height: height, checked: pixels)
  }

  /// - Precondition: both extents are positive and there are `width * height * 3` bytes.
  package init(width: Int, height: Int, checked pixels: [UInt8]) {
    precondition(
      width > 0 && height > 0 && pixels.count == Shape.checkedCount([height, width, 3]),
      "\(pixels.count) bytes cannot be an image of \(width)×\(height) pixels")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// A part of the image.
  ///
  /// - Precondition: it lies within the image.
  package func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
    precondition(
      x >= 0 && y >= 0 && x + width <= self.width && y + height <= self.height,
      "\(width)×\(height) pixels at \(x), \(y) of \(self.width)×\(self.height)")
    guard width != self.width || height != self.height else { return self }
    var part: [UInt8] = []
    part.reserveCapacity(width * height * 3)
    for row in y..<y + height {
      let start = (row * self.width + x) * 3
      part += pixels[start..<start + width * 3]
    }
    return Image(width: width, height: height, checked: part)
  }
}
