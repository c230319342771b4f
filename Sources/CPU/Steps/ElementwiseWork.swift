import ResidualExecution
import ResidualKernelInterface

struct AddTensors: Work {
  let a: BufferID, b: BufferID, output: BufferID
  let elements: Partition

  var parts: Int { elements.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.add(
      context.input(a), context.input(b), output: context.output(output),
      elements: elements.range(part))
  }
}

struct Rectify: Work {
  let input: BufferID, output: BufferID
  let elements: Partition

  var parts: Int { elements.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.rectify(
      context.input(input), output: context.output(output), elements: elements.range(part))
  }
}

struct RectifyGradient: Work {
  let gradient: BufferID, addend: BufferID?, activation: BufferID, output: BufferID
  let elements: Partition

  var parts: Int { elements.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.rectifyGradient(
      context.input(gradient), addend: addend.map(context.input),
      activation: context.input(activation), output: context.output(output),
      elements: elements.range(part))
  }
}

struct AddBiasToRows: SerialWork {
  let input: BufferID, bias: BufferID, output: BufferID
  let rows: Int, channels: Int

  func run(in context: StepContext) {
    let (input, bias) = (context.input(input), context.input(bias))
    let output = context.output(output)
    for row in 0..<rows {
      for channel in 0..<channels {
        output[row * channels + channel] = input[row * channels + channel] + bias[channel]
      }
    }
  }
}

struct UpdateByMomentum: Work {
  let parameter: BufferID, velocity: BufferID, gradient: BufferID
  let rate: BufferID, momentum: BufferID
  let newParameter: BufferID, newVelocity: BufferID
  let attributes: Operation.MomentumUpdate
  let elements: Partition

  var parts: Int { elements.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.momentumStep(
      parameter: context.input(parameter), velocity: context.input(velocity),
      gradient: context.input(gradient),
      rate: context.input(rate).pointee * attributes.rateScale,
      momentum: context.input(momentum).pointee, decay: attributes.weightDecay,
      newParameter: context.output(newParameter), newVelocity: context.output(newVelocity),
      elements: elements.range(part))
  }
}

struct SetConstant: SerialWork {
  let output: BufferID
  let value: Float
  func run(in context: StepContext) { context.output(output).pointee = value }
}

struct Copy: SerialWork {
  let input: BufferID, output: BufferID
  let byteCount: Int
  func run(in context: StepContext) {
    context.memory.pointer(output, of: UInt8.self).update(
      from: context.memory.pointer(input, of: UInt8.self), count: byteCount)
  }
}
