import ResidualTensors

/// A colour picture: three bytes a pixel, red, green and blue, rows from top to bottom.
public struct Image: Hashable, Sendable {
  /// The extents in pixels, at least 1.
  public let width: Int, height: Int
  /// `[height, width, 3]`, row-major.
  public let pixels: [UInt8]

  /// - Precondition: both extents are positive and there are `width * height * 3` bytes.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(
      width > 0 && height > 0 && pixels.count == Shape.checkedCount([height, width, 3]),
      "\(pixels.count) bytes cannot be an image of \(width)×\(height) pixels")
    self.width = width
    self.height = height
    self.pixels = pixels
  }
}
