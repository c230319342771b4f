import ResidualExecution

extension Operation.GlobalAveragePooling {
  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    let shape = tensors.shape(ofOperand: 0)
    let (batch, pixels, channels) = (shape[0], shape[1] * shape[2], shape[3])
    for n in 0..<batch {
      for c in 0..<channels {
        var sum = 0.0
        for pixel in 0..<pixels { sum += x[(n * pixels + pixel) * channels + c] }
        result[n * channels + c] = sum / Double(pixels)
      }
    }
  }
}

extension Operation.GlobalAveragePoolingGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, result) = (tensors.operand(0), tensors.result(0))
    let shape = tensors.shape(ofResult: 0)
    let (batch, pixels, channels) = (shape[0], shape[1] * shape[2], shape[3])
    for n in 0..<batch {
      for pixel in 0..<pixels {
        for c in 0..<channels {
          result[(n * pixels + pixel) * channels + c] = gradient[n * channels + c] / Double(pixels)
        }
      }
    }
  }
}
