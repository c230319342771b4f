/// Arithmetic on eight pixels at once.
///
/// The operators of Swift's vectors compile to the machine's own instructions, but its
/// `pointwiseMin`, `clamped` and `rounded` go lane by lane; hence these.
extension TenThings {
  /// One number for each of eight neighbouring pixels of a row.
  package typealias Lanes = SIMD8<Float>

  /// A place for each of eight neighbouring pixels; y grows downwards.
  package struct Point {
    package var x, y: Lanes

    package init(x: Lanes, y: Lanes) { (self.x, self.y) = (x, y) }
  }

  @inline(__always)
  static func smaller(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: b .< a) }

  @inline(__always)
  static func larger(_ a: Lanes, _ b: Lanes) -> Lanes { a.replacing(with: b, where: b .> a) }

  @inline(__always)
  static func magnitude(_ a: Lanes) -> Lanes { larger(a, -a) }

  /// `a`, or the nearer end of 0...1.
  @inline(__always)
  static func clamped(_ a: Lanes) -> Lanes {
    smaller(larger(a, Lanes(repeating: 0)), Lanes(repeating: 1))
  }

  /// √(x² + y²). The compiler sees that the root's argument is not negative, so that one
  /// instruction takes all roots.
  @inline(__always)
  static func length(_ x: Lanes, _ y: Lanes) -> Lanes { (x * x + y * y).squareRoot() }

  /// The largest whole numbers not above `a`, for |a| < 2²²: adding 1.5 × 2²³ leaves no bits for
  /// a fraction, which rounds to the nearest.
  @inline(__always)
  package static func floor(_ a: Lanes) -> Lanes {
    let shift = Float(0x1.8p23)
    let nearest = (a + shift) - shift
    return nearest.replacing(with: nearest - 1, where: nearest .> a)
  }
}
