import ResidualTensors

extension TenThings {
  /// The colours of one picture.
  ///
  /// Half the things have colours near their class's own and half stand in their habitat; the
  /// others have any colours, as long as they stand out. So colour is a hint, never an answer.
  struct Palette {
    let background: Pigment
    /// The colour half-way between the background's two.
    let middle: Color
    /// The thing's main colour, and its fur or paint.
    let body: Pigment
    /// Of fins, roofs, sails.
    let second: Pigment
    /// Of eyes, wheels, stems.
    let detail: Pigment

    init(of thing: Thing, _ random: inout RandomSource) {
      // One picture in ten shows a dark thing on a light background.
      let hue = Hue(inverted: random.chance(0.1))
      let typical = thing.typical

      var ground = hue.color(0.02, 0.6, &random)
      let otherGround = hue.color(0.02, 0.6, &random)
      ground = hue.pull(ground, towards: typical.habitat.color, &random)
      let groundEnd = ground + (otherGround - ground) * random.between(0.1, 0.6)
      let middle = (ground + groundEnd) * 0.5
      background = Pigment(ground, accent: groundEnd)
      self.middle = middle

      let contrast = random.between(0.4, 1)
      let halfContrast = 0.5 + 0.5 * contrast

      var body = Self.farthest(from: ground, groundEnd) { hue.color(0.35, 0.98, &random) }
      body = hue.pull(body, towards: typical.body, &random)
      body = middle + (body - middle) * contrast

      var second = Self.farthest(from: body, middle) { random.color(0.04, 0.96) }
      second = hue.pull(second, towards: typical.second, &random)
      second = middle + (second - middle) * halfContrast
      self.second = Pigment(second)

      let detail = Self.farthest(from: body, second) { random.color(0.04, 0.96) }
      self.detail = Pigment(body + (detail - body) * halfContrast)

      let fur = random.color(0.04, 0.96)
      self.body = Pigment(body, accent: body + (fur - body) * random.between(0, 0.45))
    }

    /// Of three candidates the one whose nearer neighbour among two colours is farthest.
    private static func farthest(from a: Color, _ b: Color, candidate: () -> Color) -> Color {
      var best = candidate()
      var bestDistance = min(squaredDistance(best, a), squaredDistance(best, b))
      for _ in 1..<3 {
        let other = candidate()
        let distance = min(squaredDistance(other, a), squaredDistance(other, b))
        if distance > bestDistance { (best, bestDistance) = (other, distance) }
      }
      return best
    }

    private static func squaredDistance(_ a: Color, _ b: Color) -> Float {
      let squares = (a - b) * (a - b)
      return squares.x + squares.y + squares.z
    }
  }

  /// How colours of a picture are drawn: as they are, or as in a photographic negative.
  private struct Hue {
    let inverted: Bool

    func color(_ lower: Double, _ upper: Double, _ random: inout RandomSource) -> Color {
      seen(random.color(lower, upper))
    }

    /// Moves a colour, half the time, between half and all of the way to another.
    func pull(_ color: Color, towards other: Color, _ random: inout RandomSource) -> Color {
      let happens = random.chance(0.5)
      let share = random.between(0.5, 1)
      return happens ? color + (seen(other) - color) * share : color
    }

    private func seen(_ color: Color) -> Color { inverted ? 1 - color : color }
  }
}
