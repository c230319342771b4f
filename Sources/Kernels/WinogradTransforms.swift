// Winograd's minimal filtering F(4, 3) along one axis: the transforms as algebra.
//
// Four outputs of a filter of three taps, y_i = Σ_r d_{i+r} · g_r, take six multiplications:
//
//     y = Aᵀ [(G g) ⊙ (Bᵀ d)]                                        outputs
//     g' = Gᵀ [(Bᵀ d) ⊙ (A y')]                                      the filter's gradient from y'
//
// the second being the transpose of the first, with the same three matrices. In two dimensions each
// transform runs along the columns and then along the rows, and 36 multiplications do the work of
// 144. Goals: a small rounding error, then few operations, then few live registers.
//
// The matrices are those of the polynomials' values at the points 0, 1, −1, 1/2, −2 and ∞. The
// points 0, ±1, ±2, ∞ have one and a half times the rounding error.
//
//          ⎡ 1 −3/2  −2   3/2   1   0 ⎤
//          ⎢ 0  −1  1/2   5/2   1   0 ⎥          ⎡ 1  1   1   1    1  0 ⎤
//     Bᵀ = ⎢ 0   1 −5/2   1/2   1   0 ⎥     Aᵀ = ⎢ 0  1  −1  1/2  −2  0 ⎥
//          ⎢ 0  −2  −1    2     1   0 ⎥          ⎢ 0  1   1  1/4   4  0 ⎥
//          ⎢ 0  1/2 −1  −1/2    1   0 ⎥          ⎣ 0  1  −1  1/8  −8  1 ⎦
//          ⎣ 0   1 −3/2  −2    3/2  1 ⎦
//
//         ⎡   1       0       0   ⎤
//         ⎢  1/3     1/3     1/3  ⎥
//     G = ⎢ −1/3     1/3    −1/3  ⎥
//         ⎢ −16/15  −8/15   −4/15 ⎥
//         ⎢  1/15   −2/15    4/15 ⎥
//         ⎣   0       0       1   ⎦
//
// S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms
// for Convolutional Neural Networks, 2016; B. Barabasz et al., Error Analysis and Improving the
// Accuracy of Winograd Convolution for Deep Neural Networks, 2020 (the choice of points).

import ResidualKernelInterface

typealias Three = (Vector, Vector, Vector)
typealias Four = (Vector, Vector, Vector, Vector)
typealias Six = (Vector, Vector, Vector, Vector, Vector, Vector)

enum Winograd {
  /// Bᵀ d, in 14 operations.
  @inline(__always)
  static func input(_ d: Six) -> Six {
    let odd = d.3 - d.1
    let even = d.4 - d.2
    let first = fusedMultiplyAdd(1.5, d.2, odd)
    let second = fusedMultiplyAdd(1.5, d.3, even)
    return (
      fusedMultiplyAdd(-1.5, d.1, d.0 - d.2) + second,
      second + first,
      second - first,
      fusedMultiplyAdd(2, odd, even),
      fusedMultiplyAdd(-0.5, odd, even),
      fusedMultiplyAdd(1.5, d.4, d.5 - d.3) - first
    )
  }

  /// Aᵀ m, in 12 operations.
  @inline(__always)
  static func output(_ m: Six) -> Four {
    let sum = m.1 + m.2
    let difference = m.1 - m.2
    return (
      (m.0 + sum) + (m.3 + m.4),
      fusedMultiplyAdd(-2, m.4, fusedMultiplyAdd(0.5, m.3, difference)),
      fusedMultiplyAdd(4, m.4, fusedMultiplyAdd(0.25, m.3, sum)),
      fusedMultiplyAdd(-8, m.4, fusedMultiplyAdd(0.125, m.3, difference + m.5))
    )
  }

  /// A y, in 10 operations.
  @inline(__always)
  static func outputGradient(_ y: Four) -> Six {
    let even = y.0 + y.2
    let odd = y.1 + y.3
    return (
      y.0,
      even + odd,
      even - odd,
      fusedMultiplyAdd(
        0.5, fusedMultiplyAdd(0.25, y.3, y.1), fusedMultiplyAdd(0.25, y.2, y.0)),
      fusedMultiplyAdd(-2, fusedMultiplyAdd(4, y.3, y.1), fusedMultiplyAdd(4, y.2, y.0)),
      y.3
    )
  }

  /// G g, in 13 operations.
  @inline(__always)
  static func filter(_ g: Three) -> Six {
    let even = (g.0 + g.2) * third
    let odd = g.1 * third
    let outer = fusedMultiplyAdd(4, g.0, g.2) * fifteenth
    let inner = g.1 * fifteenth
    return (
      g.0,
      odd + even,
      odd - even,
      fusedMultiplyAdd(-8, inner, outer * -4),
      fusedMultiplyAdd(-2, inner, fusedMultiplyAdd(4, g.2, g.0) * fifteenth),
      g.2
    )
  }

  /// Gᵀ u, in 15 operations.
  @inline(__always)
  static func filterGradient(_ u: Six) -> Three {
    let difference = (u.1 - u.2) * third
    let sum = (u.1 + u.2) * third
    let half = u.3 * (fifteenth * -4)
    let two = u.4 * fifteenth
    return (
      (u.0 + difference) + fusedMultiplyAdd(4, half, two),
      fusedMultiplyAdd(2, half, sum) - (two + two),
      (u.5 + difference) + fusedMultiplyAdd(4, two, half)
    )
  }

  @inline(__always) private static var third: Float { 1 / 3 }
  @inline(__always) private static var fifteenth: Float { 1 / 15 }
}

extension Kernels {
  public func winogradTransform(
    _ transform: WinogradTransform, _ source: UnsafePointer<Float>,
    into target: UnsafeMutablePointer<Float>
  ) {
    func vector(_ i: Int) -> Vector { Vector(repeating: source[i]) }
    func put(_ vectors: Six) {
      put((vectors.0, vectors.1, vectors.2))
      (target[3], target[4], target[5]) = (vectors.3[0], vectors.4[0], vectors.5[0])
    }
    func put(_ vectors: Three) {
      (target[0], target[1], target[2]) = (vectors.0[0], vectors.1[0], vectors.2[0])
    }
    func six() -> Six { (vector(0), vector(1), vector(2), vector(3), vector(4), vector(5)) }
    switch transform {
    case .input: put(Winograd.input(six()))
    case .filter: put(Winograd.filter((vector(0), vector(1), vector(2))))
    case .output:
      let outputs = Winograd.output(six())
      put((outputs.0, outputs.1, outputs.2))
      target[3] = outputs.3[0]
    case .outputGradient:
      put(Winograd.outputGradient((vector(0), vector(1), vector(2), vector(3))))
    case .filterGradient: put(Winograd.filterGradient(six()))
    }
  }
}
