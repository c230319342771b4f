import ResidualExecution
import ResidualKernelInterface

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

/// Arithmetic number by number.
struct MapElements: Work {
  enum Function: Hashable, Sendable {
    case add, subtract, multiply, rectify, sigmoid, sigmoidGradient
    case scale(Float)
  }

  let function: Function
  /// In the operation's order.
  let operands: [BufferID]
  let output: BufferID
  let elements: Partition

  var parts: Int { elements.parts }

  func run(part: Int, in context: StepContext) {
    let (kernels, range) = (context.kernels, elements.range(part))
    let first = context.input(operands[0])
    let output = context.output(output)
    switch function {
    case .add: kernels.add(first, context.input(operands[1]), output: output, elements: range)
    case .rectify: kernels.rectify(first, output: output, elements: range)
    case .subtract:
      kernels.subtract(first, context.input(operands[1]), output: output, elements: range)
    case .multiply:
      kernels.multiply(first, context.input(operands[1]), output: output, elements: range)
    case .scale(let factor):
      kernels.scale(first, by: factor, addend: nil, output: output, elements: range)
    case .sigmoid: kernels.sigmoid(first, output: output, elements: range)
    case .sigmoidGradient:
      kernels.sigmoidGradient(
        first, result: context.input(operands[1]), output: output, elements: range)
    }
  }
}

struct DropOut: Work {
  let input: BufferID, key: BufferID, output: BufferID
  let dropout: Operation.Dropout
  let elements: Partition

  var parts: Int { elements.parts }

  func run(part: Int, in context: StepContext) {
    let (input, key, output) = (
      context.input(input), context.labels(key), context.output(output)
    )
    let source = dropout.source(low: key[0], high: key[1])
    for i in elements.range(part) { output[i] = input[i] * dropout.factor(source, index: i) }
  }
}

struct AddBiases: Work {
  let input: BufferID, bias: BufferID, output: BufferID
  let channels: Int
  let pixels: Partition

  var parts: Int { pixels.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.addBias(
      context.input(input), bias: context.input(bias), output: context.output(output),
      channels: channels, pixels: pixels.range(part))
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
