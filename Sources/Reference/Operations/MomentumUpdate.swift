import ResidualExecution

extension Operation.MomentumUpdate {
  func evaluate(_ tensors: StepTensors) {
    let (parameter, velocity, gradient) = (
      tensors.operand(0), tensors.operand(1), tensors.operand(2)
    )
    let (rate, momentum) = (tensors.operand(3)[0] * Double(rateScale), tensors.operand(4)[0])
    let count = tensors.step.operands.count
    let isOpen = count > 5 ? tensors.operand(5)[0].isFinite : true
    let (unscale, clip) = count > 6 ? (tensors.operand(6)[0], tensors.operand(6)[1]) : (1, 1)
    let (newParameter, newVelocity) = (tensors.result(0), tensors.result(1))
    let squares = tensors.sums(2)
    for i in 0..<tensors.shape(ofResult: 0).count {
      let unscaled = unscale * gradient[i]
      let decayed = clip * unscaled + Double(weightDecay) * parameter[i]
      squares[0] += unscaled * unscaled
      squares[1] += parameter[i] * parameter[i]
      newVelocity[i] = isOpen ? momentum * velocity[i] + rate * decayed : velocity[i]
      newParameter[i] = isOpen ? parameter[i] - newVelocity[i] : parameter[i]
      if isOpen { squares[2] += newVelocity[i] * newVelocity[i] }
    }
  }
}
