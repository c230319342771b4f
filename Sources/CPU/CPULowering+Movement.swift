import ResidualExecution

// Nodes that only move numbers.
extension CPULowering {
  mutating func lower(_ slice: Operation.Slice, _ node: Node, _ value: Value) {
    let (source, target) = (buffer(node.operands[0]), result(value))
    appendCopy(
      .gather, slice.axis, start: slice.start, stride: slice.stride, large: node.operands[0],
      small: value, from: source, to: target, node)
  }

  mutating func lower(_ gradient: Operation.SliceGradient, _ node: Node, _ value: Value) {
    let slice = gradient.slice
    let (source, target) = (buffer(node.operands[0]), result(value))
    appendCopy(
      .scatter(0), slice.axis, start: slice.start, stride: slice.stride, large: value,
      small: node.operands[0], from: source, to: target, node)
  }

  mutating func lower(_ pad: Operation.Pad, _ node: Node, _ value: Value) {
    let (source, target) = (buffer(node.operands[0]), result(value))
    appendCopy(
      .scatter(pad.value), pad.axis, start: pad.before, large: value, small: node.operands[0],
      from: source, to: target, node)
  }

  mutating func lower(_ concatenation: Operation.Concatenate, _ node: Node, _ value: Value) {
    let target = result(value)
    var start = 0
    for operand in node.operands {
      appendCopy(
        .place, concatenation.axis, start: start, large: value, small: operand,
        from: buffer(operand), to: target, node)
      start += shape(operand)[concatenation.axis]
    }
  }

  mutating func lower(_ gradient: Operation.ConcatenateGradient, _ node: Node, _ value: Value) {
    let (source, target) = (buffer(node.operands[0]), result(value))
    appendCopy(
      .gather, gradient.concatenation.axis, start: gradient.start(node.operands.map(shape)),
      large: node.operands[0], small: value, from: source, to: target, node)
  }

  /// A change of the order of axes of what is seen as `shape`.
  mutating func lowerTransposition(
    _ shape: Shape, _ permutation: [Int], _ node: Node, _ value: Value
  ) {
    lowerStrides(.init(shape, permutation: permutation), node, value)
  }

  mutating func lowerStrides(_ view: StridedView, _ node: Node, _ value: Value) {
    let (source, target) = (buffer(node.operands[0]), result(value))
    append(
      CopyByStrides(input: source, output: target, view: view), node, touching: [source, target])
  }

  mutating func lowerBroadcastGradient(_ node: Node, _ value: Value) {
    let (source, target) = (buffer(node.operands[0]), result(value))
    append(
      SumOverBroadcast(
        gradient: source, output: target, large: shape(node.operands[0]), small: shape(value)),
      node, touching: [source, target])
  }

  mutating func lowerReshape(_ node: Node, _ value: Value) {
    let (source, target) = (buffer(node.operands[0]), result(value))
    append(
      Copy(input: source, output: target, byteCount: byteCount(value)), node,
      touching: [source, target])
  }

  private mutating func appendCopy(
    _ direction: CopyAlongAxis.Direction, _ axis: Int, start: Int, stride: Int = 1, large: Value,
    small: Value, from source: BufferID, to target: BufferID, _ node: Node
  ) {
    append(
      CopyAlongAxis(
        source: source, target: target, direction: direction,
        large: AxisView(shape(large), axis: axis), small: AxisView(shape(small), axis: axis),
        start: start, stride: stride),
      node, touching: [source, target])
  }
}
