import ResidualTensors

extension TenThings {
  /// A small face below two long ears, with eyes and a nose.
  static func paintRabbit(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
    let halfWidth = random.between(0.42, 0.55)
    let halfHeight = random.between(0.38, 0.48)
    let y = random.between(0.38, 0.48)
    let earLength = random.between(0.62, 0.9)
    let earRadius = random.between(0.11, 0.17)
    let earX = random.between(0.16, 0.28)
    let earSplay = random.between(0, 0.35)
    _ = (random.next(), random.next())  // Unused, but what follows depends on their being taken.
    let features = Face(at: y, &random)

    let root = y - halfHeight * 0.6
    let tip = root - earLength

    func ear(_ side: Float) -> Capsule {
      Capsule(
        from: (side * earX, root), to: (side * (earX + earSplay), tip + 0.1), radius: earRadius)
    }
    func innerEar(_ side: Float) -> Capsule {
      let tipX = side * (earX + earSplay)
      return Capsule(
        from: (side * earX * 0.4 + tipX * 0.6, root * 0.4 + (tip + 0.1) * 0.6),
        to: (tipX, tip + 0.14), radius: earRadius * 0.45)
    }

    canvas.paint(ear(-1).union(ear(1)), colors.body)
    canvas.paint(innerEar(-1).union(innerEar(1)), colors.second)
    let face = Ellipse(at: (0, y), radii: (halfWidth, halfHeight))
    canvas.paint(face, colors.body)
    canvas.paint(features.eyes, colors.detail)
    canvas.paint(features.nose, colors.second)
  }
}
