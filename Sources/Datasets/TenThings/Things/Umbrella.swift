import ResidualTensors

extension TenThings {
  /// A canopy with a scalloped rim and a tip, often with ribs, on a thin shaft with a hook.
  static func paintUmbrella(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
    let halfWidth = random.between(0.7, 0.92)
    let height = random.between(0.5, 0.72)
    let rim = random.between(-0.1, 0.1)
    let shaftLength = random.between(0.55, 0.72)
    let hookRadius = random.between(0.1, 0.16)
    let thickness = random.between(0.04, 0.06)
    let hasRibs = random.chance(0.6)
    let tipLength = random.between(0.08, 0.16)

    let end = rim + shaftLength
    let hook = Disc(at: (hookRadius, end), radius: hookRadius)
      .outline(halfWidth: thickness)
      .subtracting(Above(y: end))
    let shaft = Capsule(from: (0, rim - height * 0.5), to: (0, end), radius: thickness)

    let halfScallop = halfWidth * (1 / 3)
    func scallop(_ x: Float) -> Ellipse {
      Ellipse(at: (x, rim + 0.03), radii: (halfScallop * 0.86, 0.15))
    }
    let canopy = Ellipse(at: (0, rim), radii: (halfWidth, height))
      .intersection(Above(y: rim).inset(by: -0.02))
      .subtracting(scallop(-2 * halfScallop))
      .subtracting(scallop(0))
      .subtracting(scallop(2 * halfScallop))
    let top = rim - height
    let tip = Capsule(from: (0, top), to: (0, top - tipLength), radius: 0.04)

    canvas.paint(shaft.union(hook), colors.detail)
    canvas.paint(canopy.union(tip), colors.body)
    if hasRibs {
      let ribs = Ribs(rim: rim, height: height, spread: halfScallop, halfWidth: 0.03)
      canvas.paint(canopy.intersection(ribs), colors.second)
    }
  }

  /// Two parabolas that bend from the canopy's top to the rim's scallops.
  private struct Ribs: Shape {
    let rim, height: Float
    /// How far from the middle the ribs meet the rim.
    let spread: Float
    let halfWidth: Float

    @inline(__always)
    func distance(to point: Point) -> Lanes {
      let rise = (point.y - rim) / height
      let bend = spread * (1 - rise * rise)
      return magnitude(magnitude(point.x) - bend) - halfWidth
    }
  }
}
