import ResidualExecution

extension Operation.MomentumUpdate {
  func evaluate(_ tensors: StepTensors) {
    let (parameter, velocity, gradient) = (
      tensors.operand(0), tensors.operand(1), tensors.operand(2)
    )
    let (rate, momentum) = (tensors.operand(3)[0] * Double(rateScale), tensors.operand(4)[0])
    let isScaled = tensors.step.operands.count > 5
    let (scale, finite) = isScaled ? (tensors.operand(5)[0], tensors.operand(6)[0]) : (1, 1)
    let (newParameter, newVelocity) = (tensors.result(0), tensors.result(1))
    for i in 0..<tensors.shape(ofResult: 0).count {
      let decayed = gradient[i] / scale + Double(weightDecay) * parameter[i]
      newVelocity[i] = finite == 0 ? velocity[i] : momentum * velocity[i] + rate * decayed
      newParameter[i] = finite == 0 ? parameter[i] : parameter[i] - newVelocity[i]
    }
  }
}
