/// A picture of pixels in red, green and blue.
package struct Raster: Hashable, Sendable {
  /// One pixel's colour.
  package struct Colour: Hashable, Sendable {
    /// The intensities from 0 to 255.
    package var red: UInt8, green: UInt8, blue: UInt8

    /// The intensities from 0 to 255.
    package init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
      (self.red, self.green, self.blue) = (red, green, blue)
    }

    /// All intensities at 255.
    package static let white = Colour(255, 255, 255)
    /// All intensities at 0.
    package static let black = Colour(0, 0, 0)
  }

  /// Extents in pixels.
  package let width: Int, height: Int
  /// `[height, width, 3]`, row-major, rows from top to bottom.
  package private(set) var pixels: [UInt8]

  /// - Precondition: the extents are not negative and there are `width * height * 3` bytes.
  package init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(
      pixels.count == Self.byteCount(width, height),
      "\(pixels.count) bytes cannot be a picture of \(width)×\(height) pixels")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// A picture in one colour.
  package init(width: Int, height: Int, filledWith colour: Colour) {
    (self.width, self.height) = (width, height)
    pixels = Array(repeating: 0, count: Self.byteCount(width, height))
    fill(x: 0, y: 0, width: width, height: height, with: colour)
  }

  private static func byteCount(_ width: Int, _ height: Int) -> Int {
    precondition(width >= 0 && height >= 0, "a picture cannot have \(width)×\(height) pixels")
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    let (bytes, overflowAgain) = area.multipliedReportingOverflow(by: 3)
    precondition(!overflow && !overflowAgain, "\(width)×\(height) pixels are too many")
    return bytes
  }

  /// - Precondition: the place lies in the picture.
  package subscript(x x: Int, y y: Int) -> Colour {
    get {
      let index = offset(x, y)
      return Colour(pixels[index], pixels[index + 1], pixels[index + 2])
    }
    set {
      let index = offset(x, y)
      (pixels[index], pixels[index + 1], pixels[index + 2]) =
        (newValue.red, newValue.green, newValue.blue)
    }
  }

  private func offset(_ x: Int, _ y: Int) -> Int {
    precondition(
      (0..<width).contains(x) && (0..<height).contains(y),
      "(\(x), \(y)) lies outside \(width)×\(height) pixels")
    return (y * width + x) * 3
  }

  /// Fills what lies in the picture of a rectangle.
  package mutating func fill(x: Int, y: Int, width: Int, height: Int, with colour: Colour) {
    for row in max(y, 0)..<max(min(y + height, self.height), max(y, 0)) {
      for column in max(x, 0)..<max(min(x + width, self.width), max(x, 0)) {
        self[x: column, y: row] = colour
      }
    }
  }

  /// Draws a picture with each pixel as a square of `zoom` pixels, its top left corner at (x, y);
  /// what falls outside is left out.
  ///
  /// - Precondition: `zoom` is positive.
  package mutating func draw(_ picture: Raster, x: Int, y: Int, zoom: Int = 1) {
    precondition(zoom > 0, "a zoom of \(zoom)")
    for row in 0..<picture.height {
      for column in 0..<picture.width {
        fill(
          x: x + column * zoom, y: y + row * zoom, width: zoom, height: zoom,
          with: picture[x: column, y: row])
      }
    }
  }

  /// Writes one line of text in the built-in font of 5 × 7 pixels a letter, the top left corner of
  /// its capitals at (x, y); tails reach two pixels lower, marks over capitals three higher.
  ///
  /// - Precondition: `scale` is positive.
  package mutating func write(
    _ text: String, x: Int, y: Int, scale: Int = 1, colour: Colour = .black
  ) {
    precondition(scale > 0, "a scale of \(scale)")
    for (index, character) in text.enumerated() {
      let left = x + index * BitmapFont.advance * scale
      let top = y + BitmapFont.drop(of: character) * scale
      let glyph = BitmapFont.glyph(for: character)
      for row in glyph.indices {
        for column in 0..<BitmapFont.width where glyph[row][column] {
          fill(
            x: left + column * scale, y: top + row * scale, width: scale, height: scale,
            with: colour)
        }
      }
    }
  }
}
