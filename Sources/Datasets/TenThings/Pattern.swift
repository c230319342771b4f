import ResidualTensors

extension TenThings {
  /// A pattern over the whole picture with values 0 to 1: of the background or the thing's surface.
  struct Pattern {
    enum Kind {
      case ramp, stripes, check, blotches
    }

    let kind: Kind
    let direction: Direction
    /// The stripes' period in pixels.
    let period: Float
    /// Where the stripes begin, in periods.
    let phase: Float
    /// How steeply stripes rise; from 1, a triangle wave, the flat parts grow.
    let sharpness: Float
    let blotchKey: RandomKey

    init(period range: (Double, Double), _ random: inout RandomSource) {
      kind =
        switch random.uniform() {
        case ..<0.25: .ramp
        case ..<0.5: .stripes
        case ..<0.65: .check
        default: .blotches
        }
      direction = random.direction()
      period = random.between(range.0, range.1)
      phase = random.uniform()
      sharpness = random.between(1, 4)
      blotchKey = RandomKey(bits: random.next())
    }

    /// Writes the pattern's value at every pixel.
    func fill(_ values: UnsafeMutablePointer<Lanes>) {
      switch kind {
      case .ramp: fill(values) { along, _ in 0.5 + along * (1 / 40) }
      case .stripes: fill(values) { along, _ in 0.5 + stripes(along) * sharpness }
      case .check:
        fill(values) { along, across in
          0.5 + stripes(along) * (Self.triangleWave(across / period) - 0.5) * 2 * sharpness
        }
      case .blotches: fillBlotches(values)
      }
    }

    /// Writes a function of the pixels' places along and across the direction, from the middle.
    @inline(__always)
    private func fill(_ values: UnsafeMutablePointer<Lanes>, _ value: (Lanes, Lanes) -> Lanes) {
      for block in 0..<Canvas.blocks {
        let pixels = Canvas.pixels(block)
        let (x, y) = (pixels.x - 16, pixels.y - 16)
        values[block] = clamped(value(direction.along(x, y), direction.across(x, y)))
      }
    }

    @inline(__always)
    private func stripes(_ along: Lanes) -> Lanes {
      Self.triangleWave(along / period + phase) - 0.5
    }

    /// |2x − 1| on 0...1, repeated with period 1.
    @inline(__always)
    private static func triangleWave(_ x: Lanes) -> Lanes {
      magnitude(2 * (x - floor(x)) - 1)
    }

    /// Random values at the corners of 5 × 5 cells, between them smooth.
    ///
    /// The six rows of corners are first spread along x, then each pixel lies between two of them.
    private func fillBlotches(_ values: UnsafeMutablePointer<Lanes>) {
      let cells = 5
      let width = Canvas.blocksPerRow
      let cellsPerPixel = Float(cells) / Float(side)
      var random = RandomSource(blotchKey)
      withUnsafeTemporaryAllocation(of: Lanes.self, capacity: (cells + 1) * width) { rows in
        for row in 0...cells {
          var left = random.uniform()
          var right = random.uniform()
          var cell = 0
          for x in 0..<side {
            let place = (Float(x) + 0.5) * cellsPerPixel
            if Int(place) > cell {
              (left, right) = (right, random.uniform())
              cell += 1
            }
            let share = Self.smoothStep(place - Float(cell))
            rows[row * width + x / Canvas.lanes][x % Canvas.lanes] =
              left * (1 - share) + right * share
          }
        }
        for y in 0..<side {
          let place = (Float(y) + 0.5) * cellsPerPixel
          let cell = Int(place)
          let share = Self.smoothStep(place - Float(cell))
          for block in 0..<width {
            values[y * width + block] =
              rows[cell * width + block] * (1 - share) + rows[(cell + 1) * width + block] * share
          }
        }
      }
    }

    /// 3x² − 2x³: from 0 to 1 with level ends.
    private static func smoothStep(_ x: Float) -> Float { x * x * (3 - 2 * x) }
  }
}
