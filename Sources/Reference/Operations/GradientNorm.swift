import ResidualExecution

extension Operation.GradientNorm {
  func evaluate(_ tensors: StepTensors) {
    let scale = tensors.operand(0)[0]
    var sum = 0.0
    for (index, operand) in tensors.step.operands.enumerated().dropFirst() {
      let gradient = tensors.operand(index)
      for i in 0..<operand.shape.count { sum += gradient[i] * gradient[i] }
    }
    let norm = sum.squareRoot() / scale
    tensors.result(0)[0] = norm
    tensors.result(1)[0] = 1 / scale
    tensors.result(1)[1] = min(1, Double(maximum) / (norm + 1e-6))
  }
}
