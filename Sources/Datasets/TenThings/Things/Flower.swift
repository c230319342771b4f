import ResidualTensors

extension TenThings {
  /// Five or six round petals around an eye, on a slanting stem with none to two leaves.
  static func paintFlower(on canvas: Canvas, in colors: Palette, _ random: inout RandomSource) {
    let hasFivePetals = random.chance(0.5)
    let petalSize = random.between(0.17, 0.24)
    let petalDistance = random.between(0.26, 0.34)
    let eyeRadius = random.between(0.14, 0.22)
    let y = random.between(-0.42, -0.28)
    let slant = random.between(-0.2, 0.2)
    let leafChoice = random.uniform()
    let leafY = random.between(0.3, 0.55)

    let stem = Capsule(from: (0, y), to: (slant, 0.92), radius: 0.055)
    func leaf(_ x: Float, _ y: Float) -> Ellipse {
      Ellipse(at: (x + slant * 0.6, y), radii: (0.2, 0.1))
    }
    let rightLeaf = leafChoice < 0.8 ? leaf(0.22, leafY) : nil
    let leftLeaf = leafChoice < 0.45 ? leaf(-0.22, leafY + 0.12) : nil
    canvas.paint(stem.union(rightLeaf).union(leftLeaf), colors.detail)

    let directions = hasFivePetals ? pentagon : hexagon
    let petalRadius = petalSize * (hasFivePetals ? 1.08 : 0.9)
    func petal(_ index: Int) -> Disc {
      let direction = directions[index % directions.count]
      return Disc(
        at: (petalDistance * direction.x, y + petalDistance * direction.y), radius: petalRadius)
    }
    // The sixth of five petals is the first again.
    let petals = petal(0).union(petal(1)).union(petal(2)).union(petal(3)).union(petal(4))
      .union(petal(5))
    canvas.paint(petals, colors.body)

    canvas.paint(Disc(at: (0, y), radius: eyeRadius), colors.second)
  }

  /// The corners of a regular pentagon at distance 1, from the uppermost clockwise.
  private static let pentagon: [Pair] = [
    (0, -1), (0.95105652, -0.30901699), (0.58778525, 0.80901699), (-0.58778525, 0.80901699),
    (-0.95105652, -0.30901699),
  ]

  /// The corners of a regular hexagon at distance 1, from the uppermost clockwise.
  private static let hexagon: [Pair] = [
    (0, -1), (0.8660254, -0.5), (0.8660254, 0.5), (0, 1), (-0.8660254, 0.5), (-0.8660254, -0.5),
  ]
}
