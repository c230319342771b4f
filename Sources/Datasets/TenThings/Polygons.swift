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

  /// The half planes that a convex polygon is the intersection of; its corners may be listed either
  /// way round.
  private static func halfPlanes(_ corners: Pair...) -> [HalfPlane] {
    let edges = zip(corners, corners.dropFirst() + [corners[0]])
    // Twice the polygon's area, positive or negative as the corners wind.
    let area = edges.map { a, b in a.x * b.y - b.x * a.y }.reduce(0, +)
    return edges.map { HalfPlane(from: $0, to: $1, winding: area >= 0 ? 1 : -1) }
  }

  /// A triangle; its corners may be listed either way round.
  package struct Triangle: Shape {
    let edges: (HalfPlane, HalfPlane, HalfPlane)

    package init(_ a: Pair, _ b: Pair, _ c: Pair) {
      let planes = halfPlanes(a, b, c)
      edges = (planes[0], planes[1], planes[2])
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
      let planes = halfPlanes(a, b, c, d)
      edges = (planes[0], planes[1], planes[2], planes[3])
    }

    @inline(__always)
    package func distance(to point: Point) -> Lanes {
      let two = larger(edges.0.distance(to: point), edges.1.distance(to: point))
      let three = larger(two, edges.2.distance(to: point))
      return larger(three, edges.3.distance(to: point))
    }
  }
}
