import ResidualKernelInterface

// The update of parameters, and sums of squares.
//
// Goals, in order: one pass over memory, whose speed is the limit; norms exact to about 1e-6. The sums of
// squares ride along in registers, in float32: callers give some ten thousand numbers at a time, and merge
// the sums in Double.

extension Kernels {
  public func momentumStep(
    parameter: UnsafePointer<Float>, velocity: UnsafePointer<Float>,
    gradient: UnsafePointer<Float>, rate: Float, momentum: Float, decay: Float, unscale: Float,
    clip: Float, newParameter: UnsafeMutablePointer<Float>,
    newVelocity: UnsafeMutablePointer<Float>, squares: UnsafeMutablePointer<Float>,
    elements: Range<Int>
  ) {
    var (gradients, parameters, velocities) = (Vector.zero, Vector.zero, Vector.zero)
    map(elements) { i, count in
      let w = load(parameter + i, count: count)
      let unscaled = unscale * load(gradient + i, count: count)
      let g = fusedMultiplyAdd(decay, w, clip * unscaled)
      let v = fusedMultiplyAdd(momentum, load(velocity + i, count: count), rate * g)
      store(v, newVelocity + i, count: count)
      store(w - v, newParameter + i, count: count)
      gradients = fusedMultiplyAdd(unscaled, unscaled, gradients)
      parameters = fusedMultiplyAdd(w, w, parameters)
      velocities = fusedMultiplyAdd(v, v, velocities)
    }
    squares[0] = sum(gradients)
    squares[1] = sum(parameters)
    squares[2] = sum(velocities)
  }

  public func sumOfSquares(
    _ input: UnsafePointer<Float>, factor: Float, elements: Range<Int>
  ) -> Float {
    var squares = Vector.zero
    map(elements) { i, count in
      let x = factor * load(input + i, count: count)
      squares = fusedMultiplyAdd(x, x, squares)
    }
    return sum(squares)
  }
}

/// The sum over the lanes, from the first to the last.
@inline(__always)
private func sum(_ vector: Vector) -> Float {
  var sum: Float = 0
  var lane = 0
  while lane < lanes {
    sum += vector[lane]
    lane &+= 1
  }
  return sum
}
