import ResidualTensors

extension TenThings {
  /// What the random numbers of a picture are for. Each purpose has its own sequence, so that a
  /// change to one disturbance leaves the others as they were. Raw values are part of the bytes.
  enum Stream: UInt64 {
    case pose = 1
    case proportions, colors, background, clutter, occluders, light, noise

    /// The sequence for this purpose in the picture with the given key.
    func source(_ picture: RandomKey) -> RandomSource {
      let step: UInt64 = 0xD134_2543_DE82_EF95  // odd, so that streams of a picture differ
      return RandomSource(RandomKey(bits: RandomKey.mix(picture.bits &+ step &* rawValue)))
    }
  }

  /// Red, green and blue; 0 is black, 1 is full.
  typealias Color = SIMD3<Float>

  /// A direction in the plane, as the cosine and sine of its angle.
  struct Direction {
    let cosine, sine: Float

    /// The direction at angle 2·atan(`t`), without trigonometry.
    init(halfAngleTangent t: Float) {
      let share = 1 / (1 + t * t)
      cosine = (1 - t * t) * share
      sine = 2 * t * share
    }

    /// How far (x, y) lies along this direction.
    @inline(__always)
    func along(_ x: Lanes, _ y: Lanes) -> Lanes { x * cosine + y * sine }

    /// How far (x, y) lies across this direction.
    @inline(__always)
    func across(_ x: Lanes, _ y: Lanes) -> Lanes { y * cosine - x * sine }
  }
}

extension RandomSource {
  /// A number drawn evenly between two bounds, which are subtracted in Double.
  mutating func between(_ lower: Double, _ upper: Double) -> Float {
    Float(lower) + Float(upper - lower) * uniform()
  }

  /// Whether something of the given probability happens.
  mutating func chance(_ probability: Float) -> Bool { uniform() < probability }

  /// A colour whose channels are drawn apart.
  mutating func color(_ lower: Double, _ upper: Double) -> TenThings.Color {
    let red = between(lower, upper)
    let green = between(lower, upper)
    let blue = between(lower, upper)
    return TenThings.Color(red, green, blue)
  }

  /// A direction of an angle between −90° and 90°; opposite ones draw the same bar or ramp.
  mutating func direction() -> TenThings.Direction {
    TenThings.Direction(halfAngleTangent: between(-1, 1))
  }
}
