import ResidualExecution

/// Calls `body` for each place along an axis of a smaller tensor: the offset there, the offset of place
/// `start + i · stride` of the larger one, and how many numbers lie there in a row.
private func forEachPlace(
  of small: Shape, in large: Shape, axis: Int, start: Int, stride: Int = 1,
  _ body: (_ small: Int, _ large: Int, _ count: Int) -> Void
) {
  let (small, large) = (AxisView(small, axis: axis), AxisView(large, axis: axis))
  for o in 0..<small.outer {
    for i in 0..<small.extent {
      body(small.offset(o, i), large.offset(o, start + i * stride), small.inner)
    }
  }
}

extension Operation.Slice {
  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    forEachPlace(
      of: tensors.shape(ofResult: 0), in: tensors.shape(ofOperand: 0), axis: axis, start: start,
      stride: stride
    ) { (result + $0).update(from: x + $1, count: $2) }
  }
}

extension Operation.SliceGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, result) = (tensors.operand(0), tensors.sums(0))
    forEachPlace(
      of: tensors.shape(ofOperand: 0), in: tensors.shape(ofResult: 0), axis: slice.axis,
      start: slice.start, stride: slice.stride
    ) { (result + $1).update(from: gradient + $0, count: $2) }
  }
}

extension Operation.Pad {
  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.sums(0, from: Double(value)))
    forEachPlace(
      of: tensors.shape(ofOperand: 0), in: tensors.shape(ofResult: 0), axis: axis, start: before
    ) { (result + $1).update(from: x + $0, count: $2) }
  }
}

extension Operation.Concatenate {
  func evaluate(_ tensors: StepTensors) {
    let result = tensors.result(0)
    var start = 0
    for index in tensors.step.operands.indices {
      let (x, shape) = (tensors.operand(index), tensors.shape(ofOperand: index))
      forEachPlace(of: shape, in: tensors.shape(ofResult: 0), axis: axis, start: start) {
        (result + $1).update(from: x + $0, count: $2)
      }
      start += shape[axis]
    }
  }
}

extension Operation.ConcatenateGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, result) = (tensors.operand(0), tensors.result(0))
    forEachPlace(
      of: tensors.shape(ofResult: 0), in: tensors.shape(ofOperand: 0), axis: concatenation.axis,
      start: start(tensors.step.operands.map(\.shape))
    ) { (result + $0).update(from: gradient + $1, count: $2) }
  }
}
