import ResidualTensors

extension TenThings {
  /// A hull, half the time with a stripe, a mast and a mainsail, often with a jib.
  static func paintSailboat(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
    let halfLength = random.between(0.6, 0.85)
    let hullHeight = random.between(0.2, 0.3)
    let mastX = random.between(-0.15, 0.15)
    let sailHeight = random.between(0.85, 1.1)
    let boomLength = random.between(0.42, 0.62)
    let jibLength = random.between(0.25, 0.5)
    let hasJib = random.chance(0.7)
    let hasStripe = random.chance(0.5)

    let deck: Float = 0.45
    let boom = deck - 0.12

    let mast = Capsule(from: (mastX, deck), to: (mastX, deck - sailHeight - 0.18), radius: 0.04)
    canvas.paint(mast, colors.detail)
    let mainsail = Triangle(
      (mastX + 0.06, boom), (mastX + boomLength, boom), (mastX + 0.06, deck - sailHeight - 0.05))
    canvas.paint(mainsail, colors.second)
    if hasJib {
      let jib = Triangle(
        (mastX - 0.06, boom), (mastX - jibLength, boom), (mastX - 0.06, deck - sailHeight * 0.85))
      canvas.paint(jib, colors.second)
    }
    let hull = Quadrilateral(
      (-halfLength, deck), (halfLength, deck),
      (halfLength * 0.62, deck + hullHeight), (-halfLength * 0.62, deck + hullHeight))
    canvas.paint(hull, colors.body)
    if hasStripe {
      let stripe = Band(y: deck, offset: hullHeight * 0.45, halfWidth: 0.05)
      canvas.paint(hull.intersection(stripe), colors.detail)
    }
  }
}
