extension TenThings {
  /// The picture while it is drawn, in float32, with the frame that shapes are placed in.
  ///
  /// Pixels lie in row-major order, eight to a block, a plane for each channel.
  struct Canvas {
    static let lanes = Lanes.scalarCount
    static let blocksPerRow = side / lanes
    static let blocks = side * blocksPerRow

    private let red, green, blue: UnsafeMutablePointer<Lanes>
    /// How much of a pigment's accent shows at each pixel, 0 to 1.
    let pattern: UnsafeMutablePointer<Lanes>
    /// Each pixel's place in the present frame.
    private let points: UnsafeMutablePointer<Point>
    /// Pixels per unit of the present frame.
    private var scale: Float = 1
    /// The blocks that the present frame's shapes may touch.
    private var touched = 0..<blocks

    /// Lends a canvas, whose memory ends with the call. Its content is arbitrary until the pattern
    /// and then the picture have been filled.
    static func withCanvas(_ body: (inout Canvas) -> Void) {
      withUnsafeTemporaryAllocation(of: Lanes.self, capacity: 4 * blocks) { planes in
        withUnsafeTemporaryAllocation(of: Point.self, capacity: blocks) { points in
          guard let plane = planes.baseAddress, let point = points.baseAddress else { return }
          var canvas = Canvas(planes: plane, points: point)
          body(&canvas)
        }
      }
    }

    private init(planes: UnsafeMutablePointer<Lanes>, points: UnsafeMutablePointer<Point>) {
      red = planes
      green = planes + Self.blocks
      blue = planes + 2 * Self.blocks
      pattern = planes + 3 * Self.blocks
      self.points = points
    }

    /// The centres of a block's pixels; the picture's upper left corner is (0, 0).
    @inline(__always)
    static func pixels(_ block: Int) -> Point {
      let offsets = Lanes(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5)
      return Point(
        x: offsets + Float(block % blocksPerRow * lanes),
        y: Lanes(repeating: Float(block / blocksPerRow) + 0.5))
    }

    /// Lets the shapes painted from now on lie in a frame.
    ///
    /// - Parameter rows: The rows that shapes may touch; those of the picture are kept.
    mutating func enter(_ frame: some Frame, rows: ClosedRange<Float> = 0...Float(side)) {
      let first = Int(max(rows.lowerBound, 0))
      let end = Int(min(rows.upperBound, Float(side - 1))) + 1
      touched = first * Self.blocksPerRow..<max(first, end) * Self.blocksPerRow
      scale = frame.scale
      for block in touched { points[block] = frame.point(at: Self.pixels(block)) }
    }

    /// Fills the whole picture.
    func fill(_ pigment: Pigment) {
      for block in 0..<Self.blocks {
        let accent = pattern[block]
        red[block] = pigment.base.x + accent * pigment.change.x
        green[block] = pigment.base.y + accent * pigment.change.y
        blue[block] = pigment.base.z + accent * pigment.change.z
      }
    }

    /// Paints a shape over the picture. A pixel is covered by clamp(½ − d), where d is the distance
    /// of its centre from the shape's edge in pixels.
    func paint(_ shape: some Shape, _ pigment: Pigment) {
      for block in touched {
        let coverage = clamped(0.5 - shape.distance(to: points[block]) * scale)
        let accent = pattern[block]
        Self.cover(&red[block], pigment.base.x + accent * pigment.change.x, coverage)
        Self.cover(&green[block], pigment.base.y + accent * pigment.change.y, coverage)
        Self.cover(&blue[block], pigment.base.z + accent * pigment.change.z, coverage)
      }
    }

    /// Multiplies every channel by a function of the pixels' places in the picture.
    @inline(__always)
    func multiply(by factor: (_ pixels: Point) -> Lanes) {
      for block in 0..<Self.blocks {
        let factor = factor(Self.pixels(block))
        red[block] *= factor
        green[block] *= factor
        blue[block] *= factor
      }
    }

    /// Lends the channels as numbers, pixel by pixel.
    @inline(__always)
    func withChannels(
      _ body: (
        _ red: UnsafePointer<Float>, _ green: UnsafePointer<Float>, _ blue: UnsafePointer<Float>
      ) -> Void
    ) {
      // The three planes follow one another in memory.
      red.withMemoryRebound(to: Float.self, capacity: 3 * side * side) { first in
        body(first, first + side * side, first + 2 * side * side)
      }
    }

    @inline(__always)
    private static func cover(_ old: inout Lanes, _ new: Lanes, _ coverage: Lanes) {
      old = old + (new - old) * coverage
    }
  }

  /// Where shapes lie in a picture: a map from pixels to the shapes' own plane.
  protocol Frame {
    /// Pixels per unit of the shapes' plane.
    var scale: Float { get }
    func point(at pixel: Point) -> Point
  }

  /// What a shape is painted with: a colour, changed by some share at each pixel of the pattern.
  struct Pigment {
    let base: Color
    /// The colour that is added where the pattern is 1.
    let change: Color

    /// A colour without pattern.
    init(_ base: Color) { (self.base, change) = (base, .zero) }

    init(_ base: Color, accent: Color) { (self.base, change) = (base, accent - base) }
  }
}
