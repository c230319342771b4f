extension TenThings {
  /// A place, or a pair of lengths along x and y; y grows downwards.
  package typealias Pair = (x: Float, y: Float)

  /// The points within `radius` of a point.
  package struct Disc: Shape {
    let center: Pair
    let radius: Float

    package init(at center: Pair, radius: Float) { (self.center, self.radius) = (center, radius) }

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      length(point.x - center.x, point.y - center.y) - radius
    }
  }

  /// An ellipse along the axes.
  ///
  /// With k = |(x/a, y/b)| the edge is k = 1. The distance is estimated as k (k − 1) / g with
  /// g = |(x/a², y/b²)|, which is (k − 1) / |∇k|: exact to first order at the edge.
  package struct Ellipse: Shape {
    let center, radii: Pair

    /// - Parameter radii: half the extents along x and y, both positive.
    package init(at center: Pair, radii: Pair) { (self.center, self.radii) = (center, radii) }

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      let x = (point.x - center.x) / radii.x
      let y = (point.y - center.y) / radii.y
      let k = length(x, y)
      let gradient = length(x / radii.x, y / radii.y) + 1e-4  // not 0 at the centre
      return k * (k - 1) / gradient
    }
  }

  /// The points within `radius` of a line segment.
  package struct Capsule: Shape {
    let start, span: Pair
    let squaredLength, radius: Float

    package init(from start: Pair, to end: Pair, radius: Float) {
      self.start = start
      self.radius = radius
      span = (end.x - start.x, end.y - start.y)
      squaredLength = span.x * span.x + span.y * span.y + 1e-6  // a point is a segment, too
    }

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      let x = point.x - start.x
      let y = point.y - start.y
      let nearest = clamped((x * span.x + y * span.y) / squaredLength)
      return length(x - nearest * span.x, y - nearest * span.y) - radius
    }
  }

  /// A rectangle along the axes.
  package struct Box: Shape {
    let center, halfSize: Pair

    /// - Parameter halfSize: half the extents along x and y.
    package init(at center: Pair, halfSize: Pair) {
      (self.center, self.halfSize) = (center, halfSize)
    }

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      larger(magnitude(point.x - center.x) - halfSize.x, magnitude(point.y - center.y) - halfSize.y)
    }
  }

  /// The points within `radius` of a rectangle along the axes.
  package struct RoundedBox: Shape {
    let center, halfSize: Pair
    let radius: Float

    /// - Parameter halfSize: half the rectangle's extents, to which the radius comes on every side.
    package init(at center: Pair, halfSize: Pair, radius: Float) {
      (self.center, self.halfSize, self.radius) = (center, halfSize, radius)
    }

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      let zero = Lanes(repeating: 0)
      let x = larger(magnitude(point.x - center.x) - halfSize.x, zero)
      let y = larger(magnitude(point.y - center.y) - halfSize.y, zero)
      return length(x, y) - radius
    }
  }

  /// The points whose x or y is within `halfWidth` of `origin` + `offset`: a strip across the plane.
  package struct Band: Shape {
    let isVertical: Bool
    let origin, offset, halfWidth: Float

    /// The points near a vertical line.
    package init(x origin: Float, offset: Float = 0, halfWidth: Float) {
      (isVertical, self.origin, self.offset, self.halfWidth) = (true, origin, offset, halfWidth)
    }

    /// The points near a horizontal line.
    package init(y origin: Float, offset: Float = 0, halfWidth: Float) {
      (isVertical, self.origin, self.offset, self.halfWidth) = (false, origin, offset, halfWidth)
    }

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      magnitude((isVertical ? point.x : point.y) - origin - offset) - halfWidth
    }
  }

  /// All that is higher in the picture than a horizontal line.
  package struct Above: Shape {
    let y: Float

    package init(y: Float) { self.y = y }

    @inline(__always)
    package func distance(to point: Point) -> Lanes { point.y - y }
  }
}
