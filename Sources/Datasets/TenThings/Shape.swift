extension TenThings {
  /// A region of the plane, given by the signed distance to its edge.
  ///
  /// Shapes are values and combine like sets. What they cover of a pixel follows from the distance
  /// alone, see `Canvas.paint`.
  package protocol Shape {
    /// The distance from each point to the edge: negative inside, near the edge in units of the
    /// plane, further away perhaps only larger than that.
    func distance(to point: Point) -> Lanes
  }

  /// The points in either shape.
  package struct Union<First: Shape, Second: Shape>: Shape {
    let first: First
    let second: Second

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      smaller(first.distance(to: point), second.distance(to: point))
    }
  }

  /// The points in both shapes.
  package struct Intersection<First: Shape, Second: Shape>: Shape {
    let first: First
    let second: Second

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      larger(first.distance(to: point), second.distance(to: point))
    }
  }

  /// The points outside a shape.
  package struct Complement<Inner: Shape>: Shape {
    let inner: Inner

    @inline(__always)
    package func distance(to point: Point) -> Lanes { -inner.distance(to: point) }
  }

  /// A shape whose edge is drawn in, or drawn out by a negative margin.
  package struct Inset<Inner: Shape>: Shape {
    let inner: Inner
    let margin: Float

    @inline(__always)
    package func distance(to point: Point) -> Lanes { inner.distance(to: point) + margin }
  }

  /// The points near a shape's edge.
  package struct Outline<Inner: Shape>: Shape {
    let inner: Inner
    let halfWidth: Float

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      magnitude(inner.distance(to: point)) - halfWidth
    }
  }
}

extension TenThings.Shape {
  /// The points in this shape or in another.
  package func union<Other: TenThings.Shape>(_ other: Other) -> TenThings.Union<Self, Other> {
    TenThings.Union(first: self, second: other)
  }

  /// The points in this shape and in another.
  package func intersection<Other: TenThings.Shape>(_ other: Other)
    -> TenThings.Intersection<Self, Other>
  {
    TenThings.Intersection(first: self, second: other)
  }

  /// The points in this shape and not in another.
  package func subtracting<Other: TenThings.Shape>(
    _ other: Other
  ) -> TenThings.Intersection<Self, TenThings.Complement<Other>> {
    intersection(TenThings.Complement(inner: other))
  }

  /// This shape with its edge drawn in by a margin, or out by a negative one.
  package func inset(by margin: Float) -> TenThings.Inset<Self> {
    TenThings.Inset(inner: self, margin: margin)
  }

  /// The points within `halfWidth` of this shape's edge, on both sides.
  package func outline(halfWidth: Float) -> TenThings.Outline<Self> {
    TenThings.Outline(inner: self, halfWidth: halfWidth)
  }
}

/// A shape that may be missing; a missing one is far from everything.
extension Optional: TenThings.Shape where Wrapped: TenThings.Shape {
  @inline(__always)
  package func distance(to point: TenThings.Point) -> TenThings.Lanes {
    self?.distance(to: point) ?? TenThings.Lanes(repeating: 9)
  }
}
