import ResidualExecution

extension Operation.Slice {
  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    let source = AxisView(tensors.shape(ofOperand: 0), axis: axis)
    let target = AxisView(tensors.shape(ofResult: 0), axis: axis)
    for o in 0..<target.outer {
      for i in 0..<target.extent {
        (result + target.offset(o, i)).update(
          from: x + source.offset(o, start + i * stride), count: source.inner)
      }
    }
  }
}

extension Operation.SliceGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, result) = (tensors.operand(0), tensors.result(0))
    let source = AxisView(tensors.shape(ofOperand: 0), axis: slice.axis)
    let target = AxisView(tensors.shape(ofResult: 0), axis: slice.axis)
    result.update(repeating: 0, count: tensors.shape(ofResult: 0).count)
    for o in 0..<source.outer {
      for i in 0..<source.extent {
        (result + target.offset(o, slice.start + i * slice.stride)).update(
          from: gradient + source.offset(o, i), count: source.inner)
      }
    }
  }
}

extension Operation.Pad {
  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    let source = AxisView(tensors.shape(ofOperand: 0), axis: axis)
    let target = AxisView(tensors.shape(ofResult: 0), axis: axis)
    result.update(repeating: Double(value), count: tensors.shape(ofResult: 0).count)
    for o in 0..<source.outer {
      (result + target.offset(o, before)).update(
        from: x + source.offset(o, 0), count: source.extent * source.inner)
    }
  }
}

extension Operation.Concatenate {
  func evaluate(_ tensors: StepTensors) {
    let result = tensors.result(0)
    let target = AxisView(tensors.shape(ofResult: 0), axis: axis)
    var start = 0
    for index in tensors.step.operands.indices {
      let x = tensors.operand(index)
      let source = AxisView(tensors.shape(ofOperand: index), axis: axis)
      for o in 0..<source.outer {
        (result + target.offset(o, start)).update(
          from: x + source.offset(o, 0), count: source.extent * source.inner)
      }
      start += source.extent
    }
  }
}

extension Operation.ConcatenateGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, result) = (tensors.operand(0), tensors.result(0))
    let source = AxisView(tensors.shape(ofOperand: 0), axis: concatenation.axis)
    let target = AxisView(tensors.shape(ofResult: 0), axis: concatenation.axis)
    let start = start(tensors.step.operands.map(\.shape))
    for o in 0..<target.outer {
      (result + target.offset(o, 0)).update(
        from: gradient + source.offset(o, start), count: target.extent * target.inner)
    }
  }
}
