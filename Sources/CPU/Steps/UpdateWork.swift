import ResidualExecution
import ResidualKernelInterface

struct UpdateByMomentum: Work {
  let parameter: BufferID, velocity: BufferID, gradient: BufferID
  let rate: BufferID, momentum: BufferID
  /// What they are by default, a number that is finite and ones, where they are `nil`.
  let gate: BufferID?, factors: BufferID?
  let newParameter: BufferID, newVelocity: BufferID
  /// Three numbers for each part, from a place on.
  let squares: BufferID, place: Int
  let attributes: Operation.MomentumUpdate
  let elements: Partition

  var parts: Int { elements.parts }

  func run(part: Int, in context: StepContext) {
    let range = elements.range(part)
    let factors = factors.map(context.input)
    let (unscale, clip) = (factors?[0] ?? 1, factors?[1] ?? 1)
    let isOpen = gate.map { context.input($0).pointee.isFinite } ?? true
    let squares = context.output(squares) + place + 3 * part
    var sums = SIMD3<Double>.zero
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.block) {
      let block = start..<min(start + Self.block, range.upperBound)
      if isOpen {
        step(block, unscale, clip, squares, in: context)
      } else {
        keep(block, unscale, squares, in: context)
      }
      for index in 0..<3 { sums[index] += Double(squares[index]) }
    }
    for index in 0..<3 { squares[index] = Float(sums[index]) }
  }

  /// Numbers whose squares a kernel adds up in float32.
  static let block = 16_384

  private func step(
    _ block: Range<Int>, _ unscale: Float, _ clip: Float, _ squares: UnsafeMutablePointer<Float>,
    in context: StepContext
  ) {
    context.kernels.momentumStep(
      parameter: context.input(parameter), velocity: context.input(velocity),
      gradient: context.input(gradient),
      rate: context.input(rate).pointee * attributes.rateScale,
      momentum: context.input(momentum).pointee, decay: attributes.weightDecay, unscale: unscale,
      clip: clip, newParameter: context.output(newParameter),
      newVelocity: context.output(newVelocity), squares: squares, elements: block)
  }

  private func keep(
    _ block: Range<Int>, _ unscale: Float, _ squares: UnsafeMutablePointer<Float>,
    in context: StepContext
  ) {
    keep(parameter, as: newParameter, block, in: context)
    keep(velocity, as: newVelocity, block, in: context)
    squares[0] = context.kernels.sumOfSquares(
      context.input(gradient), factor: unscale, elements: block)
    squares[1] = context.kernels.sumOfSquares(context.input(parameter), factor: 1, elements: block)
    squares[2] = 0
  }

  private func keep(
    _ old: BufferID, as new: BufferID, _ range: Range<Int>, in context: StepContext
  ) {
    guard old != new else { return }
    (context.output(new) + range.lowerBound).update(
      from: context.input(old) + range.lowerBound, count: range.count)
  }
}

/// Sums of squares of parts of some tensors.
struct SumSquares: Work {
  let pieces: [(buffer: BufferID, elements: Range<Int>)]
  /// One number for each part.
  let partials: BufferID

  var parts: Int { pieces.count }

  func run(part: Int, in context: StepContext) {
    let (buffer, elements) = pieces[part]
    context.output(partials)[part] = context.kernels.sumOfSquares(
      context.input(buffer), factor: 1, elements: elements)
  }
}

struct ComputeGradientNorm: SerialWork {
  let scale: BufferID, partials: BufferID
  let norm: BufferID, factors: BufferID
  let partCount: Int
  let maximum: Float

  func run(in context: StepContext) {
    let (scale, partials) = (context.input(scale).pointee, context.input(partials))
    var sum = 0.0
    for part in 0..<partCount { sum += Double(partials[part]) }
    // A sum beyond float32 counts as infinite, as those of single gradients do.
    let norm = Double(Float(sum)).squareRoot() / Double(scale)
    context.output(self.norm).pointee = Float(norm)
    context.output(factors)[0] = 1 / scale
    context.output(factors)[1] = Float(min(1, Double(maximum) / (norm + 1e-6)))
  }
}

/// One buffer or another of the same size.
struct SelectVector: SerialWork {
  let gate: BufferID, first: BufferID, second: BufferID, output: BufferID
  let byteCount: Int

  func run(in context: StepContext) {
    let chosen = context.input(gate).pointee.isFinite ? first : second
    guard chosen != output else { return }
    Copy(input: chosen, output: output, byteCount: byteCount).run(in: context)
  }
}

struct UpdateLossScale: SerialWork {
  let scale: BufferID, steps: BufferID, gate: BufferID
  let newScale: BufferID, newSteps: BufferID
  let attributes: Operation.LossScaleUpdate

  func run(in context: StepContext) {
    let (scale, steps) = (context.input(scale).pointee, context.input(steps).pointee)
    let (newScale, newSteps): (Float, Float) =
      if !context.input(gate).pointee.isFinite {
        (max(scale * attributes.backoffFactor, attributes.minimum), 0)
      } else if steps + 1 >= Float(attributes.growthInterval) {
        (min(scale * attributes.growthFactor, attributes.maximum), 0)
      } else {
        (scale, steps + 1)
      }
    context.output(self.newScale).pointee = newScale
    context.output(self.newSteps).pointee = newSteps
  }
}
