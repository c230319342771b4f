import ResidualDatasets
import Testing

/// Distances of the shapes that things are made of, against lengths known from school.
@Suite struct TenThingsShapeTests {
  private typealias Shape = TenThings.Shape

  private func distance(_ x: Float, _ y: Float, to shape: some Shape) -> Float {
    let point = TenThings.Point(x: .init(repeating: x), y: .init(repeating: y))
    let lanes = shape.distance(to: point)
    #expect(lanes == .init(repeating: lanes[0]))
    return lanes[0]
  }

  private func isClose(_ a: Float, _ b: Float) -> Bool { abs(a - b) < 1e-3 }

  @Test func disc() {
    let disc = TenThings.Disc(at: (1, 2), radius: 3)
    #expect(isClose(distance(1, 2, to: disc), -3))
    #expect(isClose(distance(4, 6, to: disc), 2))
    #expect(isClose(distance(1, 2, to: disc.outline(halfWidth: 1)), 2))
    #expect(isClose(distance(4, 2, to: disc.outline(halfWidth: 1)), -1))
    #expect(isClose(distance(4, 6, to: disc.inset(by: 0.5)), 2.5))
  }

  @Test func ellipse() {
    let circle = TenThings.Ellipse(at: (0, 0), radii: (2, 2))
    #expect(isClose(distance(3, 4, to: circle), 3))
    // On the axes the estimate is the distance itself; on the edge it is 0.
    let ellipse = TenThings.Ellipse(at: (1, 0), radii: (2, 0.5))
    #expect(isClose(distance(4, 0, to: ellipse), 1))
    #expect(isClose(distance(1, -1.5, to: ellipse), 1))
    #expect(isClose(distance(1 + 2 * 0.6, 0.5 * 0.8, to: ellipse), 0))
    #expect(distance(1.5, 0.1, to: ellipse) < 0)
  }

  @Test func capsule() {
    let capsule = TenThings.Capsule(from: (0, 0), to: (4, 0), radius: 1)
    #expect(isClose(distance(2, 3, to: capsule), 2))
    #expect(isClose(distance(7, 4, to: capsule), 4))
    #expect(isClose(distance(-3, -4, to: capsule), 4))
    let point = TenThings.Capsule(from: (1, 1), to: (1, 1), radius: 1)
    #expect(isClose(distance(1, 4, to: point), 2))
  }

  @Test func boxes() {
    let box = TenThings.Box(at: (1, 1), halfSize: (2, 1))
    #expect(isClose(distance(1, 1, to: box), -1))
    #expect(isClose(distance(4, 1, to: box), 1))
    #expect(isClose(distance(1, 0, to: box), 0))
    let rounded = TenThings.RoundedBox(at: (0, 0), halfSize: (1, 1), radius: 1)
    #expect(isClose(distance(4, 5, to: rounded), 4))
    #expect(isClose(distance(0.5, 0.5, to: rounded), -1))
  }

  @Test("A polygon is the same whichever way round its corners are listed")
  func polygons() {
    let triangle = TenThings.Triangle((0, 0), (4, 0), (0, 3))
    let reversed = TenThings.Triangle((0, 3), (4, 0), (0, 0))
    let square = TenThings.Quadrilateral((0, 0), (2, 0), (2, 2), (0, 2))
    let reversedSquare = TenThings.Quadrilateral((0, 2), (2, 2), (2, 0), (0, 0))
    // The inscribed circle of the triangle 3, 4, 5 has radius 1.
    #expect(isClose(distance(1, 1, to: triangle), -1))
    #expect(isClose(distance(1, 1, to: reversed), -1))
    #expect(isClose(distance(2, -2, to: triangle), 2))
    #expect(isClose(distance(2, -2, to: reversed), 2))
    #expect(isClose(distance(1, 1, to: square), -1))
    #expect(isClose(distance(1, 1, to: reversedSquare), -1))
    #expect(isClose(distance(5, 1, to: reversedSquare), 3))
  }

  @Test("Shapes combine like sets")
  func combinations() {
    let left = TenThings.Disc(at: (-1, 0), radius: 2)
    let right = TenThings.Disc(at: (1, 0), radius: 2)
    #expect(distance(2.5, 0, to: left.union(right)) < 0)
    #expect(distance(2.5, 0, to: left.intersection(right)) > 0)
    #expect(distance(0, 0, to: left.intersection(right)) < 0)
    #expect(distance(0, 0, to: left.subtracting(right)) > 0)
    #expect(distance(-2.5, 0, to: left.subtracting(right)) < 0)
    let none: TenThings.Disc? = nil
    #expect(distance(-1, 0, to: none) > 1)
    #expect(distance(-1, 0, to: left.union(none)) == distance(-1, 0, to: left))
  }

  @Test("Half the plane lies above a line, and y grows downwards")
  func linesAndBands() {
    #expect(isClose(distance(9, -1, to: TenThings.Above(y: 1)), -2))
    let below = TenThings.Disc(at: (0, 0), radius: 99).subtracting(TenThings.Above(y: 1))
    #expect(isClose(distance(9, -1, to: below), 2))
    let vertical = TenThings.Band(x: 1, offset: 2, halfWidth: 0.5)
    #expect(isClose(distance(5, 9, to: vertical), 1.5))
    let horizontal = TenThings.Band(y: 1, offset: 2, halfWidth: 0.5)
    #expect(isClose(distance(9, 3, to: horizontal), -0.5))
  }

  @Test("The floor of lanes is that of numbers")
  func floor() {
    for x in [-3, -2.5, -0.25, 0, 0.25, 0.5, 0.99999994, 1, 1.5, 2.5, 1000.75] as [Float] {
      #expect(TenThings.floor(.init(repeating: x))[3] == x.rounded(.down))
    }
  }
}
