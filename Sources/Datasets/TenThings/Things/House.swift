import ResidualTensors

extension TenThings {
  /// A wall with a door under a gable roof, often with a window and a chimney.
  static func paintHouse(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
    let halfWidth = random.between(0.48, 0.7)
    let height = random.between(0.5, 0.75)
    let roofHeight = random.between(0.4, 0.62)
    let overhang = random.between(0.06, 0.2)
    let doorX = random.between(-0.25, 0.25)
    let halfDoorWidth = random.between(0.1, 0.15)
    let doorHeight = random.between(0.35, 0.5)
    let hasChimney = random.chance(0.6)
    let chimneyX = random.between(0.2, 0.4)
    let hasWindow = random.chance(0.8)

    let ground: Float = 0.82
    let eaves = ground - height

    if hasChimney {
      let chimney = Box(
        at: (chimneyX, eaves - roofHeight * 0.55), halfSize: (0.09, roofHeight * 0.42))
      canvas.paint(chimney, colors.detail)
    }
    let wall = Box(at: (0, ground - height * 0.5), halfSize: (halfWidth, height * 0.5))
    canvas.paint(wall, colors.body)
    let roof = Triangle(
      (-halfWidth - overhang, eaves), (halfWidth + overhang, eaves), (0, eaves - roofHeight))
    canvas.paint(roof, colors.second)
    let door = Box(
      at: (doorX, ground - doorHeight * 0.5), halfSize: (halfDoorWidth, doorHeight * 0.5))
    canvas.paint(door, colors.detail)
    if hasWindow {
      let roomierSide: Float = doorX < 0 ? 1 : -1
      let window = Box(
        at: (doorX + roomierSide * 0.42, eaves + height * 0.42), halfSize: (0.12, 0.12))
      canvas.paint(window, colors.detail)
    }
  }
}
