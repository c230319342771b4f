import ResidualTensors

extension TenThings {
  /// Half an ellipse as a cap, often with three spots, on a stem that widens downwards.
  static func paintMushroom(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
    let halfWidth = random.between(0.62, 0.88)
    let height = random.between(0.5, 0.72)
    let rim = random.between(-0.08, 0.12)
    let halfStemWidth = random.between(0.15, 0.26)
    let stemLength = random.between(0.6, 0.78)
    let flare = random.between(0, 0.12)
    let hasSpots = random.chance(0.7)
    let spotX = random.between(-0.1, 0.1)
    let spotRadius = random.between(0.09, 0.14)

    let stem = Quadrilateral(
      (-halfStemWidth, rim - 0.05), (halfStemWidth, rim - 0.05),
      (halfStemWidth + flare, rim + stemLength), (-halfStemWidth - flare, rim + stemLength))
    canvas.paint(stem, colors.second)

    let cap = Ellipse(at: (0, rim), radii: (halfWidth, height))
      .intersection(Above(y: rim))
    canvas.paint(cap, colors.body)

    if hasSpots {
      func spot(_ x: Float, _ y: Float) -> Disc {
        Disc(at: (spotX + halfWidth * x, rim - height * y), radius: spotRadius)
      }
      let spots = spot(0, 0.6).union(spot(-0.45, 0.28)).union(spot(0.45, 0.32))
      canvas.paint(spots, colors.detail)
    }
  }
}
