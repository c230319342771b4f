import ResidualExecution
import ResidualPlatform

extension Operation.Add {
  func evaluate(_ tensors: StepTensors) {
    let (left, right, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    for i in 0..<tensors.shape(ofResult: 0).count { result[i] = left[i] + right[i] }
  }
}

extension Operation.AddBias {
  func evaluate(_ tensors: StepTensors) {
    let (x, bias, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    let shape = tensors.shape(ofOperand: 0)
    let (pixels, channels) = (shape.pixels, shape.channels)
    for pixel in 0..<pixels {
      for c in 0..<channels { result[pixel * channels + c] = x[pixel * channels + c] + bias[c] }
    }
  }
}

extension Operation.ReLU {
  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    for i in 0..<tensors.shape(ofResult: 0).count {
      result[i] = x[i] > 0 || x[i].isNaN ? x[i] : 0
    }
  }
}

extension Operation.ReLUGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, activation, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    for i in 0..<tensors.shape(ofResult: 0).count {
      result[i] = activation[i] > 0 ? gradient[i] : 0
    }
  }
}

extension Operation.Subtract {
  func evaluate(_ tensors: StepTensors) {
    let (left, right, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    for i in 0..<tensors.shape(ofResult: 0).count { result[i] = left[i] - right[i] }
  }
}

extension Operation.Multiply {
  func evaluate(_ tensors: StepTensors) {
    let (left, right, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    for i in 0..<tensors.shape(ofResult: 0).count { result[i] = left[i] * right[i] }
  }
}

extension Operation.Scale {
  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    for i in 0..<tensors.shape(ofResult: 0).count { result[i] = Double(factor) * x[i] }
  }
}

extension Operation.Sigmoid {
  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    for i in 0..<tensors.shape(ofResult: 0).count { result[i] = 1 / (1 + exp(-x[i])) }
  }
}

extension Operation.SigmoidGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, y, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    for i in 0..<tensors.shape(ofResult: 0).count { result[i] = gradient[i] * y[i] * (1 - y[i]) }
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
