import ResidualTensors

extension TenThings {
  /// A wide face with two pointed ears, eyes, a nose and, three times in five, whiskers.
  static func paintCat(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
    let halfWidth = random.between(0.56, 0.72)
    let halfHeight = random.between(0.48, 0.6)
    let y = random.between(0.1, 0.2)
    let earHeight = random.between(0.4, 0.58)
    let earWidth = random.between(0.28, 0.4)
    let earSplay = random.between(0.05, 0.35)
    let hasWhiskers = random.chance(0.6)
    let features = Face(at: y, &random)

    let face = Ellipse(at: (0, y), radii: (halfWidth, halfHeight))

    func ear(_ side: Float) -> Triangle {
      let outer = side * halfWidth * 0.95
      let inner = side * (halfWidth * 0.95 - earWidth) - side * 0.08
      let tip = side * halfWidth * (0.8 + earSplay * 0.5)
      return Triangle(
        (outer, y - halfHeight * 0.25), (inner, y - halfHeight * 0.88),
        (tip, y - halfHeight * 0.55 - earHeight))
    }
    let ears = ear(-1).union(ear(1))

    func whisker(_ side: Float, _ slope: Float) -> Capsule {
      Capsule(
        from: (side * 0.3, y + 0.24 + slope * 0.4),
        to: (side * (halfWidth + 0.22), y + 0.2 + slope * 2), radius: 0.025)
    }

    canvas.paint(face.union(ears), colors.body)
    canvas.paint(ears.inset(by: 0.09).subtracting(face), colors.second)
    if hasWhiskers {
      let left = whisker(-1, -0.06).union(whisker(-1, 0.1))
      let right = whisker(1, -0.06).union(whisker(1, 0.1))
      canvas.paint(left.union(right), colors.detail)
    }
    canvas.paint(features.eyes, colors.detail)
    canvas.paint(features.nose, colors.second)
  }
}
