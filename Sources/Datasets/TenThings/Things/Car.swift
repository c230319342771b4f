import ResidualTensors

extension TenThings {
  /// A rounded body on two wheels with hubs, above it a cabin with two windows.
  static func paintCar(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
    let halfLength = random.between(0.78, 0.98)
    let halfHeight = random.between(0.17, 0.24)
    let y = random.between(0.1, 0.22)
    let halfRoofLength = random.between(0.38, 0.55)
    let cabinHeight = random.between(0.3, 0.44)
    let cabinX = random.between(-0.12, 0.25)
    let wheelRadius = random.between(0.17, 0.24)
    let wheelX = random.between(0.44, 0.58)
    let windscreenSlope = random.between(0.1, 0.3)

    let corner: Float = 0.08
    let body = RoundedBox(
      at: (0, y), halfSize: (halfLength - corner, halfHeight - corner), radius: corner)

    let bonnet = y - halfHeight
    let cabin = Quadrilateral(
      (cabinX - halfRoofLength - windscreenSlope * 0.6, bonnet + 0.05),
      (cabinX + halfRoofLength + windscreenSlope, bonnet + 0.05),
      (cabinX + halfRoofLength, bonnet - cabinHeight),
      (cabinX - halfRoofLength, bonnet - cabinHeight))
    let pillar = Band(x: cabinX, halfWidth: 0.045)
    let windows = cabin.inset(by: 0.09)
      .intersection(Above(y: bonnet).inset(by: 0.02))
      .subtracting(pillar)

    let wheels = Disc(at: (-wheelX, y + halfHeight), radius: wheelRadius)
      .union(Disc(at: (wheelX, y + halfHeight), radius: wheelRadius))

    canvas.paint(body.union(cabin), colors.body)
    canvas.paint(windows, colors.second)
    canvas.paint(wheels, colors.detail)
    canvas.paint(wheels.inset(by: wheelRadius * 0.6), colors.body)
  }
}
