import ResidualTensors

extension TenThings {
  /// An elliptic body with a forked tail, a fin on back and belly, an eye, half the time a band.
  static func paintFish(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
    let halfLength = random.between(0.55, 0.72)
    let halfHeight = random.between(0.27, 0.42)
    let tailSpread = random.between(0.25, 0.45)
    let tailLength = random.between(0.32, 0.48)
    let finHeight = random.between(0.15, 0.42)
    let finShift = random.between(-0.15, 0.2)
    let hasBand = random.chance(0.5)
    let bandShift = random.between(-0.15, 0.2)
    let eyeRadius = random.between(0.07, 0.11)

    let center: Float = -0.18
    let body = Ellipse(at: (center, 0), radii: (halfLength, halfHeight))

    let root = center + halfLength - 0.12
    let notch = root + tailLength * 0.75
    let tail = Triangle((root, 0), (root + tailLength, -tailSpread), (notch, 0))
      .union(Triangle((root, 0), (root + tailLength, tailSpread), (notch, 0)))

    let backFin = Triangle(
      (center - 0.2 + finShift, -halfHeight * 0.8), (center + 0.25 + finShift, -halfHeight * 0.7),
      (center + 0.3 + finShift, -halfHeight - finHeight * 0.6))
    let bellyFin = Triangle(
      (center - 0.1 + finShift, halfHeight * 0.8), (center + 0.15 + finShift, halfHeight * 0.7),
      (center + 0.2 + finShift, halfHeight + finHeight * 0.4))

    canvas.paint(backFin.union(bellyFin), colors.second)
    canvas.paint(body.union(tail), colors.body)
    if hasBand {
      let band = Band(x: center, offset: bandShift, halfWidth: 0.09)
      canvas.paint(body.intersection(band), colors.second)
    }
    let eye = Disc(at: (center - halfLength * 0.62, -halfHeight * 0.2), radius: eyeRadius)
    canvas.paint(eye, colors.detail)
  }
}
