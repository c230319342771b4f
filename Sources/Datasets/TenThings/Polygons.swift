extension TenThings {
  /// The half plane on one side of the line through two corners of a convex polygon.
  struct HalfPlane: Shape {
    let corner, edge: Pair
    /// The reciprocal of the edge's length, negative if the corners wind the other way round.
    let scale: Float

    /// - Parameter winding: 1 or −1, such that the polygon's inside has negative distances.
    init(from corner: Pair, to next: Pair, winding: Float) {
      self.corner = corner
      edge = (next.x - corner.x, next.y - corner.y)
      scale = winding / (edge.x * edge.x + edge.y * edge.y + 1e-8).squareRoot()
    }

    @inline(__always)
    func distance(to point: Point) -> Lanes {
      ((point.x - corner.x) * edge.y - (point.y - corner.y) * edge.x) * scale
    }
  }

  /// A triangle; its corners may be listed either way round.
  package struct Triangle: Shape {
    let edges: (HalfPlane, HalfPlane, HalfPlane)

    package init(_ a: Pair, _ b: Pair, _ c: Pair) {
      let area = cross(a, b) + cross(b, c) + cross(c, a)
      let winding: Float = area >= 0 ? 1 : -1
      edges = (
        HalfPlane(from: a, to: b, winding: winding),
        HalfPlane(from: b, to: c, winding: winding),
        HalfPlane(from: c, to: a, winding: winding)
      )
    }

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      let two = larger(edges.0.distance(to: point), edges.1.distance(to: point))
      return larger(two, edges.2.distance(to: point))
    }
  }

  /// A convex quadrilateral; its corners may be listed either way round.
  package struct Quadrilateral: Shape {
    let edges: (HalfPlane, HalfPlane, HalfPlane, HalfPlane)

    package init(_ a: Pair, _ b: Pair, _ c: Pair, _ d: Pair) {
      let area = cross(a, b) + cross(b, c) + cross(c, d) + cross(d, a)
      let winding: Float = area >= 0 ? 1 : -1
      edges = (
        HalfPlane(from: a, to: b, winding: winding),
        HalfPlane(from: b, to: c, winding: winding),
        HalfPlane(from: c, to: d, winding: winding),
        HalfPlane(from: d, to: a, winding: winding)
      )
    }

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      let two = larger(edges.0.distance(to: point), edges.1.distance(to: point))
      let three = larger(two, edges.2.distance(to: point))
      return larger(three, edges.3.distance(to: point))
    }
  }

  /// Twice the signed area of the triangle (0, a, b).
  private static func cross(_ a: Pair, _ b: Pair) -> Float { a.x * b.y - b.x * a.y }
}
