import ResidualTensors

extension TenThings {
  /// The two eyes and the nose of a cat or a rabbit.
  struct Face {
    let eyes: Union<Disc, Disc>
    let nose: Triangle

    /// - Parameter y: The height of the face's middle.
    init(at y: Float, _ random: inout RandomSource) {
      let eyeX = random.between(0.18, 0.3)
      let eyeY = y + random.between(-0.18, -0.02)
      let eyeRadius = random.between(0.07, 0.12)
      let noseY = y + random.between(0.12, 0.24)
      eyes = Disc(at: (-eyeX, eyeY), radius: eyeRadius)
        .union(Disc(at: (eyeX, eyeY), radius: eyeRadius))
      nose = Triangle((-0.09, noseY), (0.09, noseY), (0, noseY + 0.13))
    }
  }
}
