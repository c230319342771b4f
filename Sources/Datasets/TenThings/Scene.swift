import ResidualTensors

extension TenThings {
  /// One picture: what it shows, and the key of all that is random in it.
  struct Scene {
    let thing: Thing
    let key: RandomKey

    /// Draws the picture from back to front, then lights it and takes it with a noisy camera.
    ///
    /// - Parameter bytes: Room for 32 × 32 × 3 bytes: row, column, channel (RGB).
    func draw(on canvas: inout Canvas, into bytes: UnsafeMutablePointer<UInt8>) {
      var colorSource = Stream.colors.source(key)
      let palette = Palette(of: thing, &colorSource)
      drawBackground(on: canvas, palette)
      drawClutter(on: &canvas, palette)
      drawThing(on: &canvas, palette)
      drawOccluders(on: &canvas)
      light(canvas)
      expose(canvas, into: bytes)
    }

    private func drawBackground(on canvas: Canvas, _ palette: Palette) {
      var random = Stream.background.source(key)
      Pattern(period: (5, 16), &random).fill(canvas.pattern)
      canvas.fill(palette.background)
    }

    /// None to four stray shapes, in colours that fade into the background.
    private func drawClutter(on canvas: inout Canvas, _ palette: Palette) {
      var random = Stream.clutter.source(key)
      let most = 4
      let count = Int(random.uniform() * Float(most + 1))
      for _ in 0..<count {
        let shape = StrayShape.clutter(&random)
        let color = random.color(0.04, 0.96)
        let strength = random.between(0.3, 1)
        shape.paint(on: &canvas, palette.middle + (color - palette.middle) * strength)
      }
    }

    private func drawThing(on canvas: inout Canvas, _ palette: Palette) {
      var random = Stream.pose.source(key)
      canvas.enter(Pose(&random))
      Pattern(period: (3, 8), &random).fill(canvas.pattern)
      var proportions = Stream.proportions.source(key)
      thing.paint(on: canvas, in: palette, &proportions)
    }

    /// Two stray shapes in one picture of five, one in two of five.
    private func drawOccluders(on canvas: inout Canvas) {
      var random = Stream.occluders.source(key)
      let choice = random.uniform()
      let count = choice < 0.2 ? 2 : choice < 0.6 ? 1 : 0
      for _ in 0..<count {
        let shape = StrayShape.occluder(&random)
        shape.paint(on: &canvas, random.color(0.04, 0.96))
      }
    }

    /// Brightens or darkens the picture, evenly from one side to the other.
    private func light(_ canvas: Canvas) {
      var random = Stream.light.source(key)
      let direction = random.direction()
      let change = random.between(0, 0.3)
      let brightness = random.between(0.8, 1.2)
      canvas.multiply { pixels in
        brightness + change * direction.along(pixels.x - 16, pixels.y - 16) * (1 / 16)
      }
    }

    /// Adds noise and rounds to bytes.
    private func expose(_ canvas: Canvas, into bytes: UnsafeMutablePointer<UInt8>) {
      var noise = Noise(key)
      canvas.withChannels { red, green, blue in
        for pixel in 0..<side * side {
          let grain = noise.next()
          bytes[3 * pixel] = Self.level(red[pixel] + grain.red)
          bytes[3 * pixel + 1] = Self.level(green[pixel] + grain.green)
          bytes[3 * pixel + 2] = Self.level(blue[pixel] + grain.blue)
        }
      }
    }

    /// The byte nearest to 255 times a brightness of 0 to 1.
    @inline(__always)
    private static func level(_ brightness: Float) -> UInt8 {
      let atLeastBlack = brightness < 0 ? 0 : brightness
      let clamped = atLeastBlack > 1 ? 1 : atLeastBlack
      return UInt8(clamped * 255 + 0.5)
    }
  }

  /// The camera's noise: in each channel of each pixel the sum of two evenly drawn numbers.
  private struct Noise {
    private var random: RandomSource
    private let amplitude: Float

    init(_ key: RandomKey) {
      var source = Stream.noise.source(key)
      // Two numbers from −½ to ½ have a sum of variance 1/6, so √6 makes the first a deviation.
      amplitude = source.between(0.01, 0.09) * 2.4494897
      random = RandomSource(RandomKey(bits: source.next()))
    }

    /// The next pixel's noise, from 60 of 64 random bits.
    @inline(__always)
    mutating func next() -> (red: Float, green: Float, blue: Float) {
      let bits = random.next()
      return (grain(bits), grain(bits >> 20), grain(bits >> 40))
    }

    /// The sum of the two lowest 10-bit fields, scaled.
    @inline(__always)
    private func grain(_ bits: UInt64) -> Float {
      let sum = (bits & 1023) &+ ((bits >> 10) & 1023)
      return (Float(Int32(truncatingIfNeeded: sum)) * (1 / 1023) - 1) * amplitude
    }
  }
}
