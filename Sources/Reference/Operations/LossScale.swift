import ResidualExecution

extension Operation.AllFinite {
  func evaluate(_ tensors: StepTensors) {
    var isFinite = true
    for (index, operand) in tensors.step.operands.enumerated() {
      let x = tensors.operand(index)
      for i in 0..<operand.shape.count where !x[i].isFinite { isFinite = false }
    }
    tensors.result(0)[0] = isFinite ? 1 : 0
  }
}

extension Operation.LossScaleUpdate {
  func evaluate(_ tensors: StepTensors) {
    let (scale, steps) = (tensors.operand(0)[0], tensors.operand(1)[0])
    let (newScale, newSteps) = (tensors.result(0), tensors.result(1))
    newSteps[0] = 0
    if tensors.operand(2)[0] == 0 {
      newScale[0] = max(scale * Double(backoffFactor), Double(minimum))
    } else if steps + 1 >= Double(growthInterval) {
      newScale[0] = min(scale * Double(growthFactor), Double(maximum))
    } else {
      newScale[0] = scale
      newSteps[0] = steps + 1
    }
  }
}
