import ResidualExecution

extension Operation.BatchNormalization {
  func evaluate(_ tensors: StepTensors) {
    let (x, mean, variance) = (tensors.operand(0), tensors.operand(1), tensors.operand(2))
    let (scale, shift, result) = (tensors.operand(3), tensors.operand(4), tensors.result(0))
    let shape = tensors.shape(ofOperand: 0)
    let (pixels, channels) = (shape.pixels, shape.channels)
    for c in 0..<channels {
      let factor = scale[c] / (variance[c] + Double(epsilon)).squareRoot()
      for pixel in 0..<pixels {
        let i = pixel * channels + c
        result[i] = factor * (x[i] - mean[c]) + shift[c]
      }
    }
  }
}

extension Operation.BatchNormalizationSums {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, x, mean) = (tensors.operand(0), tensors.operand(1), tensors.operand(2))
    let (sums, products) = (tensors.result(0), tensors.result(1))
    let shape = tensors.shape(ofOperand: 0)
    let (pixels, channels) = (shape.pixels, shape.channels)
    for c in 0..<channels {
      var sum = 0.0
      var product = 0.0
      for pixel in 0..<pixels {
        let i = pixel * channels + c
        sum += gradient[i]
        product += gradient[i] * (x[i] - mean[c])
      }
      (sums[c], products[c]) = (sum, product)
    }
  }
}

extension Operation.BatchNormalizationScaleGradient {
  func evaluate(_ tensors: StepTensors) {
    tensors.mapPairs { product, variance in product / (variance + Double(epsilon)).squareRoot() }
  }
}

extension Operation.BatchNormalizationInputGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, x, mean) = (tensors.operand(0), tensors.operand(1), tensors.operand(2))
    let (variance, scale) = (tensors.operand(3), tensors.operand(4))
    let (sums, products, result) = (tensors.operand(5), tensors.operand(6), tensors.result(0))
    let shape = tensors.shape(ofOperand: 1)
    let (pixels, channels) = (shape.pixels, shape.channels)
    for c in 0..<channels {
      let inverseDeviation = 1 / (variance[c] + Double(epsilon)).squareRoot()
      let factor = scale[c] * inverseDeviation
      switch statistics {
      case .fixed:
        for pixel in 0..<pixels {
          result[pixel * channels + c] = factor * gradient[pixel * channels + c]
        }
      case .batch:
        let meanGradient = sums[c] / Double(pixels)
        let meanProduct = products[c] * inverseDeviation / Double(pixels)
        for pixel in 0..<pixels {
          let i = pixel * channels + c
          let normalized = (x[i] - mean[c]) * inverseDeviation
          result[i] = factor * (gradient[i] - meanGradient - normalized * meanProduct)
        }
      }
    }
  }
}
