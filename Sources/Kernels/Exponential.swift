// eˣ for a vector.
//
// Goals, in order: no call and no table; a relative error of some 10⁻⁷; few operations. With
// x = n·ln 2 + r, |r| ≤ ½ ln 2, eˣ = 2ⁿ·eʳ: n by rounding to nearest through the addition of a large
// number, which leaves n in the sum's low bits; eʳ by its Taylor series to the seventh power, whose
// next term is below 6·10⁻⁹; 2ⁿ by adding n to the exponent. ln 2 is split in two, so that r keeps
// its digits.

/// eˣ, for −87 ≤ x ≤ 87; beyond, the value at these ends. A NaN gives a NaN.
@inline(__always) func exponential(_ x: Vector) -> Vector {
  let x = x.replacing(with: 87, where: x .> 87).replacing(with: -87, where: x .< -87)
  // 1.5 · 2²³: such sums keep no fraction, and their low bits are a whole number.
  let rounding = Vector(repeating: 12_582_912)
  let shifted = fusedMultiplyAdd(1.442_695_04, x, rounding)
  let n = shifted - rounding
  let r = fusedMultiplyAdd(
    1.428_606_82e-6, -n, fusedMultiplyAdd(0.693_145_752, -n, x))
  @inline(__always) func next(_ series: Vector, _ coefficient: Float) -> Vector {
    fusedMultiplyAdd(series, r, Vector(repeating: coefficient))
  }
  var series = next(Vector(repeating: 1 / 5040), 1 / 720)
  series = next(series, 1 / 120)
  series = next(series, 1 / 24)
  series = next(series, 1 / 6)
  series = next(series, 1 / 2)
  series = next(series, 1)
  series = next(series, 1)
  // The bits of a NaN are no power of two.
  return vector(bits: (bits(shifted) &<< 23) &+ bits(series)).replacing(with: x, where: x .!= x)
}
