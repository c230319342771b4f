import ResidualTensors

extension TenThings {
  /// A shape that does not belong to the thing: clutter behind it or something in front of it.
  struct StrayShape {
    enum Kind {
      case bar, disc, ring, triangle, box
    }

    let kind: Kind
    let placement: Placement
    /// Half the length and half the thickness of a bar, in pixels.
    let halfLength, halfWidth: Float
    /// The size of any other kind, in pixels.
    let radius: Float

    private init(_ random: inout RandomSource, kind: (Float) -> Kind) {
      self.kind = kind(random.uniform())
      placement = Placement(&random)
      halfLength = random.between(3, 9)
      halfWidth = random.between(0.5, 1.4)
      radius = random.between(2, 4.5)
    }

    static func clutter(_ random: inout RandomSource) -> StrayShape {
      StrayShape(&random) { choice in
        switch choice {
        case ..<0.3: .bar
        case ..<0.5: .disc
        case ..<0.65: .ring
        case ..<0.85: .triangle
        default: .box
        }
      }
    }

    static func occluder(_ random: inout RandomSource) -> StrayShape {
      StrayShape(&random) { choice in
        switch choice {
        case ..<0.6: .bar
        case ..<0.8: .disc
        default: .box
        }
      }
    }

    func paint(on canvas: inout Canvas, _ color: Color) {
      canvas.enter(placement, rows: placement.center.y - reach...placement.center.y + reach)
      let pigment = Pigment(color)
      let disc = Disc(at: (0, 0), radius: radius)
      switch kind {
      case .bar:
        let bar = Capsule(from: (-halfLength, 0), to: (halfLength, 0), radius: halfWidth)
        canvas.paint(bar, pigment)
      case .disc: canvas.paint(disc, pigment)
      case .ring: canvas.paint(disc.outline(halfWidth: 0.8), pigment)
      case .triangle: canvas.paint(StrayTriangle(radius: radius), pigment)
      case .box:
        canvas.paint(Box(at: (0, 0), halfSize: (radius, radius * 0.6)), pigment)
      }
    }

    /// No pixel further from the centre is touched; a corner of the triangle is the farthest.
    private var reach: Float { 1 + (kind == .bar ? halfLength + halfWidth : radius * 1.8) }
  }

  /// An isosceles triangle round (0, 0) with a level base at y = 0.6 radii.
  private struct StrayTriangle: Shape {
    let radius: Float

    @inline(__always)
    func distance(to point: Point) -> Lanes {
      let rise = -point.y * 0.447
      let run = point.x * 0.894
      let base = point.y - radius * 0.6
      let sides = larger(rise + run - radius * 0.7, rise - run - radius * 0.7)
      return larger(base, sides)
    }
  }
}
