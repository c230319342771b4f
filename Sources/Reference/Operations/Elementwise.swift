import ResidualExecution
import ResidualPlatform

extension StepTensors {
  /// Each number of the result from the operand's number at the same place.
  func map(_ function: (Double) -> Double) {
    let (x, result) = (operand(0), result(0))
    for i in 0..<shape(ofResult: 0).count { result[i] = function(x[i]) }
  }

  /// Each number of the result from the two operands' numbers at the same place.
  func mapPairs(_ function: (Double, Double) -> Double) {
    let (x, y, result) = (operand(0), operand(1), result(0))
    for i in 0..<shape(ofResult: 0).count { result[i] = function(x[i], y[i]) }
  }
}

extension Operation.Add {
  func evaluate(_ tensors: StepTensors) { tensors.mapPairs { $0 + $1 } }
}

extension Operation.Subtract {
  func evaluate(_ tensors: StepTensors) { tensors.mapPairs { $0 - $1 } }
}

extension Operation.Multiply {
  func evaluate(_ tensors: StepTensors) { tensors.mapPairs { $0 * $1 } }
}

extension Operation.Scale {
  func evaluate(_ tensors: StepTensors) { tensors.map { Double(factor) * $0 } }
}

extension Operation.ReLU {
  func evaluate(_ tensors: StepTensors) { tensors.map { $0 > 0 || $0.isNaN ? $0 : 0 } }
}

extension Operation.ReLUGradient {
  func evaluate(_ tensors: StepTensors) {
    tensors.mapPairs { gradient, activation in activation > 0 ? gradient : 0 }
  }
}

extension Operation.Sigmoid {
  func evaluate(_ tensors: StepTensors) { tensors.map { 1 / (1 + exp(-$0)) } }
}

extension Operation.SigmoidGradient {
  func evaluate(_ tensors: StepTensors) { tensors.mapPairs { g, y in g * y * (1 - y) } }
}

extension Operation.AddBias {
  func evaluate(_ tensors: StepTensors) {
    let (x, bias, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    let shape = tensors.shape(ofOperand: 0)
    for i in 0..<shape.count { result[i] = x[i] + bias[i % shape.channels] }
  }
}

extension Operation.Dropout {
  func evaluate(_ tensors: StepTensors) {
    let (x, key, result) = (tensors.operand(0), tensors.labels(1), tensors.result(0))
    let source = source(low: key[0], high: key[1])
    for i in 0..<tensors.shape(ofResult: 0).count {
      result[i] = x[i] * Double(factor(source, index: i))
    }
  }
}
