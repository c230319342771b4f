extension TenThings {
  /// A place, or a pair of lengths along x and y; y grows downwards.
  typealias Pair = (x: Float, y: Float)

  struct Disc: Shape {
    let center: Pair
    let radius: Float

    init(at center: Pair, radius: Float) { (self.center, self.radius) = (center, radius) }

    @inline(__always)
    func distance(to point: Point) -> Lanes {
      length(point.x - center.x, point.y - center.y) - radius
    }
  }

  /// An ellipse along the axes.
  ///
  /// With k = |(x/a, y/b)| the edge is k = 1. The distance is estimated as k (k − 1) / g with
  /// g = |(x/a², y/b²)|, which is (k − 1) / |∇k|: exact to first order at the edge.
  struct Ellipse: Shape {
    let center, radii: Pair

    init(at center: Pair, radii: Pair) { (self.center, self.radii) = (center, radii) }

    @inline(__always)
    func distance(to point: Point) -> Lanes {
      let x = (point.x - center.x) / radii.x
      let y = (point.y - center.y) / radii.y
      let k = length(x, y)
      let gradient = length(x / radii.x, y / radii.y) + 1e-4  // not 0 at the centre
      return k * (k - 1) / gradient
    }
  }

  /// The points within `radius` of a line segment.
  struct Capsule: Shape {
    let start, span: Pair
    let squaredLength, radius: Float

    init(from start: Pair, to end: Pair, radius: Float) {
      self.start = start
      self.radius = radius
      span = (end.x - start.x, end.y - start.y)
      squaredLength = span.x * span.x + span.y * span.y + 1e-6  // a point is a segment, too
    }

    @inline(__always)
    func distance(to point: Point) -> Lanes {
      let x = point.x - start.x
      let y = point.y - start.y
      let nearest = clamped((x * span.x + y * span.y) / squaredLength)
      return length(x - nearest * span.x, y - nearest * span.y) - radius
    }
  }

  /// A rectangle along the axes.
  struct Box: Shape {
    let center, halfSize: Pair

    init(at center: Pair, halfSize: Pair) { (self.center, self.halfSize) = (center, halfSize) }

    @inline(__always)
    func distance(to point: Point) -> Lanes {
      larger(magnitude(point.x - center.x) - halfSize.x, magnitude(point.y - center.y) - halfSize.y)
    }
  }

  /// The points within `radius` of a rectangle along the axes.
  struct RoundedBox: Shape {
    let center, halfSize: Pair
    let radius: Float

    init(at center: Pair, halfSize: Pair, radius: Float) {
      (self.center, self.halfSize, self.radius) = (center, halfSize, radius)
    }

    @inline(__always)
    func distance(to point: Point) -> Lanes {
      let zero = Lanes(repeating: 0)
      let x = larger(magnitude(point.x - center.x) - halfSize.x, zero)
      let y = larger(magnitude(point.y - center.y) - halfSize.y, zero)
      return length(x, y) - radius
    }
  }

  /// The points within `halfWidth` of the vertical line through `origin` + `offset`.
  struct VerticalBand: Shape {
    var origin: Float
    var offset: Float = 0
    let halfWidth: Float

    @inline(__always)
    func distance(to point: Point) -> Lanes { magnitude(point.x - origin - offset) - halfWidth }
  }

  /// The points within `halfWidth` of the horizontal line through `origin` + `offset`.
  struct HorizontalBand: Shape {
    var origin: Float
    var offset: Float = 0
    let halfWidth: Float

    @inline(__always)
    func distance(to point: Point) -> Lanes { magnitude(point.y - origin - offset) - halfWidth }
  }

  /// All that is higher in the picture than a horizontal line.
  struct Above: Shape {
    let y: Float

    @inline(__always)
    func distance(to point: Point) -> Lanes { point.y - y }
  }

  /// All that is lower in the picture than a horizontal line.
  struct Below: Shape {
    let y: Float

    @inline(__always)
    func distance(to point: Point) -> Lanes { y - point.y }
  }
}
