import ResidualExecution

extension GraphLowering {
  /// Lowers a node that only moves numbers.
  mutating func lowerMovement(
    _ operation: Operation, _ operands: [Value], _ value: Value, _ path: String
  ) {
    switch operation {
    case .slice(let slice):
      lowerCopy(
        .gather, slice.axis, start: slice.start, stride: slice.stride, large: operands[0],
        small: value, from: operands[0], to: value, path)
    case .sliceGradient(let gradient):
      let slice = gradient.slice
      lowerCopy(
        .scatter(0), slice.axis, start: slice.start, stride: slice.stride, large: value,
        small: operands[0], from: operands[0], to: value, path)
    case .pad(let pad):
      lowerCopy(
        .scatter(pad.value), pad.axis, start: pad.before, stride: 1, large: value,
        small: operands[0],
        from: operands[0], to: value, path)
    case .concatenate(let concatenation):
      let output = result(value)
      var start = 0
      for operand in operands {
        appendCopy(
          .place, concatenation.axis, start: start, large: value, small: operand,
          from: buffer(operand), to: output, path)
        start += shape(operand)[concatenation.axis]
      }
    case .concatenateGradient(let gradient):
      lowerCopy(
        .gather, gradient.concatenation.axis, start: gradient.start(operands.map(shape)),
        stride: 1, large: operands[0], small: value, from: operands[0], to: value, path)
    case .flatten:
      let image = shape(operands[0])
      lowerStrides(
        [image[0], image[1] * image[2], image[3]], [0, 2, 1], operands[0], value, path)
    case .flattenGradient:
      let image = shape(value)
      lowerStrides(
        [image[0], image[3], image[1] * image[2]], [0, 2, 1], operands[0], value, path)
    case .transpose(let transposition):
      lowerStrides(shape(operands[0]), transposition.permutation, operands[0], value, path)
    case .broadcast:
      lowerStrides(
        .init(shape(operands[0]), broadcastTo: shape(value)), operands[0], value, path)
    case .broadcastGradient:
      let (source, target) = (buffer(operands[0]), result(value))
      append(
        SumOverBroadcast(
          gradient: source, output: target, large: shape(operands[0]), small: shape(value)),
        path, touching: [source, target])
    case .reshape, .reshapeGradient:
      let (source, target) = (buffer(operands[0]), result(value))
      append(
        Copy(
          input: source, output: target,
          byteCount: shape(value).count * MemoryLayout<Float>.stride),
        path, touching: [source, target])
    default: preconditionFailure("\(path) changes numbers")
    }
  }

  private mutating func lowerStrides(
    _ shape: Shape, _ permutation: [Int], _ input: Value, _ output: Value, _ path: String
  ) {
    lowerStrides(.init(shape, permutation: permutation), input, output, path)
  }

  private mutating func lowerStrides(
    _ view: StridedView, _ input: Value, _ output: Value, _ path: String
  ) {
    let (source, target) = (buffer(input), result(output))
    append(
      CopyByStrides(input: source, output: target, view: view), path, touching: [source, target])
  }

  private mutating func lowerCopy(
    _ direction: CopyAlongAxis.Direction, _ axis: Int, start: Int, stride: Int, large: Value,
    small: Value, from source: Value, to target: Value, _ path: String
  ) {
    let (input, output) = (buffer(source), result(target))
    appendCopy(
      direction, axis, start: start, stride: stride, large: large, small: small, from: input,
      to: output, path)
  }

  private mutating func appendCopy(
    _ direction: CopyAlongAxis.Direction, _ axis: Int, start: Int, stride: Int = 1, large: Value,
    small: Value, from input: BufferID, to output: BufferID, _ path: String
  ) {
    append(
      CopyAlongAxis(
        source: input, target: output, direction: direction,
        large: AxisView(shape(large), axis: axis), small: AxisView(shape(small), axis: axis),
        start: start, stride: stride),
      path, touching: [input, output])
  }
}
