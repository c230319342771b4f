import ResidualTensors

extension TenThings {
  /// An elliptic body, a neck and a round head, with a wedge of a tail, a beak, a wing, two legs
  /// and an eye.
  static func paintBird(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
    let halfLength = random.between(0.42, 0.54)
    let halfHeight = random.between(0.28, 0.38)
    let headRadius = random.between(0.19, 0.27)
    let headX = random.between(-0.55, -0.4)
    let headY = random.between(-0.5, -0.34)
    let beakLength = random.between(0.2, 0.34)
    let tailLength = random.between(0.35, 0.55)
    let tailY = random.between(-0.25, 0.2)
    let legLength = random.between(0.26, 0.42)
    let wingY = random.between(-0.1, 0.05)

    let foot = 0.33 + legLength
    let legs = Capsule(from: (-0.08, 0.3), to: (-0.13, foot), radius: 0.045)
      .union(Capsule(from: (0.12, 0.3), to: (0.12, foot), radius: 0.045))

    let throat = headX - headRadius * 0.7
    let beak = Triangle(
      (throat, headY - 0.12), (throat, headY + 0.12),
      (headX - headRadius - beakLength, headY + 0.04))

    let body = Ellipse(at: (0, 0.05), radii: (halfLength, halfHeight))
    let head = Disc(at: (headX, headY), radius: headRadius)
    let neck = Capsule(from: (headX, headY), to: (-0.18, 0), radius: headRadius * 0.75)
    let tail = Quadrilateral(
      (halfLength * 0.5, -0.1), (halfLength * 0.5, 0.18),
      (halfLength + tailLength, tailY + 0.1), (halfLength + tailLength, tailY - 0.1))

    let wing = Ellipse(at: (0.1, wingY), radii: (halfLength * 0.6, halfHeight * 0.5))
    let eye = Disc(at: (headX - 0.05, headY - 0.04), radius: 0.065)

    canvas.paint(legs, colors.detail)
    canvas.paint(beak, colors.second)
    canvas.paint(body.union(head).union(neck).union(tail), colors.body)
    canvas.paint(wing, colors.second)
    canvas.paint(eye, colors.detail)
  }
}
