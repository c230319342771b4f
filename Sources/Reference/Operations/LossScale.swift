import ResidualExecution

extension Operation.LossScaleUpdate {
  func evaluate(_ tensors: StepTensors) {
    let (scale, steps) = (tensors.operand(0)[0], tensors.operand(1)[0])
    let (newScale, newSteps) = (tensors.result(0), tensors.result(1))
    newSteps[0] = 0
    if !tensors.operand(2)[0].isFinite {
      newScale[0] = max(scale * Double(backoffFactor), Double(minimum))
    } else if steps + 1 >= Double(growthInterval) {
      newScale[0] = min(scale * Double(growthFactor), Double(maximum))
    } else {
      newScale[0] = scale
      newSteps[0] = steps + 1
    }
  }
}
