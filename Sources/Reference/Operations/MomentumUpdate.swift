import ResidualExecution

extension Operation.MomentumUpdate {
  func evaluate(_ tensors: StepTensors) {
    let (parameter, velocity, gradient) = (
      tensors.operand(0), tensors.operand(1), tensors.operand(2)
    )
    let (rate, momentum) = (tensors.operand(3)[0] * Double(rateScale), tensors.operand(4)[0])
    let (newParameter, newVelocity) = (tensors.result(0), tensors.result(1))
    for i in 0..<tensors.shape(ofResult: 0).count {
      let decayed = gradient[i] + Double(weightDecay) * parameter[i]
      newVelocity[i] = momentum * velocity[i] + rate * decayed
      newParameter[i] = parameter[i] - newVelocity[i]
    }
  }
}
