import ResidualExecution
import ResidualKernelInterface

struct UpdateByMomentum: Work {
  let parameter: BufferID, velocity: BufferID, gradient: BufferID
  let rate: BufferID, momentum: BufferID
  /// With loss scaling.
  let scaling: (scale: BufferID, finite: BufferID)?
  let newParameter: BufferID, newVelocity: BufferID
  let attributes: Operation.MomentumUpdate
  let elements: Partition

  var parts: Int { elements.parts }

  func run(part: Int, in context: StepContext) {
    let range = elements.range(part)
    if let scaling, context.input(scaling.finite).pointee == 0 {
      keep(parameter, as: newParameter, range, in: context)
      keep(velocity, as: newVelocity, range, in: context)
      return
    }
    // rate · (g / scale + decay · w) = rate / scale · (g + decay · scale · w), to the bit where the
    // scale is a power of two.
    let scale = scaling.map { context.input($0.scale).pointee } ?? 1
    context.kernels.momentumStep(
      parameter: context.input(parameter), velocity: context.input(velocity),
      gradient: context.input(gradient),
      rate: context.input(rate).pointee * attributes.rateScale / scale,
      momentum: context.input(momentum).pointee, decay: attributes.weightDecay * scale,
      newParameter: context.output(newParameter), newVelocity: context.output(newVelocity),
      elements: range)
  }

  private func keep(
    _ old: BufferID, as new: BufferID, _ range: Range<Int>, in context: StepContext
  ) {
    guard old != new else { return }
    (context.output(new) + range.lowerBound).update(
      from: context.input(old) + range.lowerBound, count: range.count)
  }
}

/// Looks for numbers that are not finite; parts are tensors.
struct FindNotFinite: Work {
  let inputs: [(buffer: BufferID, count: Int)]
  /// For each part 1, or 0 where it has found one.
  let partials: BufferID
  let tensors: Partition

  var parts: Int { tensors.parts }

  func run(part: Int, in context: StepContext) {
    var found: UInt32 = 0
    for (buffer, count) in inputs[tensors.range(part)] {
      let numbers = context.input(buffer)
      // An exponent of ones; a flag for all of them lets the compiler use vectors.
      for i in 0..<count { found |= ~numbers[i].bitPattern & 0x7F80_0000 == 0 ? 1 : 0 }
    }
    context.output(partials)[part] = found == 0 ? 1 : 0
  }
}

struct MergeFinite: SerialWork {
  let partials: BufferID, output: BufferID
  let partCount: Int

  func run(in context: StepContext) {
    let partials = UnsafeBufferPointer(start: context.input(partials), count: partCount)
    context.output(output).pointee = partials.contains(0) ? 0 : 1
  }
}

struct UpdateLossScale: SerialWork {
  let scale: BufferID, steps: BufferID, finite: BufferID
  let newScale: BufferID, newSteps: BufferID
  let attributes: Operation.LossScaleUpdate

  func run(in context: StepContext) {
    let (scale, steps) = (context.input(scale).pointee, context.input(steps).pointee)
    let (newScale, newSteps): (Float, Float) =
      if context.input(finite).pointee == 0 {
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
