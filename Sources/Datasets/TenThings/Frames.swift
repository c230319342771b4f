import ResidualTensors

extension TenThings {
  /// How the thing stands in its picture. A unit of its plane is about half the thing's size.
  struct Pose: Frame {
    let scale: Float
    let center: Pair
    let tilt: Direction
    let shear, aspect, mirroring: Float

    init(_ random: inout RandomSource) {
      scale = random.between(8.5, 13)
      let x = 16 + random.between(-4, 4)
      let y = 16 + random.between(-4, 4)
      center = (x, y)
      tilt = Direction(halfAngleTangent: random.between(-0.18, 0.18))  // 20.4° at most
      shear = random.between(-0.15, 0.15)
      aspect = random.between(1 - 0.13, 1 + 0.13)
      mirroring = random.chance(0.5) ? -1 : 1
    }

    @inline(__always)
    func point(at pixel: Point) -> Point {
      let x = pixel.x - center.x
      let y = pixel.y - center.y
      let level = tilt.along(x, y) / (scale * aspect)
      let upright = tilt.across(x, y) / scale * aspect
      return Point(x: (level + shear * upright) * mirroring, y: upright)
    }
  }

  /// How a stray shape lies in the picture: moved and turned, in units of pixels.
  struct Placement: Frame {
    let center: Pair
    let direction: Direction
    var scale: Float { 1 }

    init(_ random: inout RandomSource) {
      let x = random.between(0, 32)
      let y = random.between(0, 32)
      center = (x, y)
      direction = random.direction()
    }

    @inline(__always)
    func point(at pixel: Point) -> Point {
      let x = pixel.x - center.x
      let y = pixel.y - center.y
      return Point(x: direction.along(x, y), y: direction.across(x, y))
    }
  }
}
