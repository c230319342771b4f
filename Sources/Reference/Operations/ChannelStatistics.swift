import ResidualExecution

extension Shape {
  /// The number of channel vectors: the product of all extents but the last.
  var pixels: Int { rank == 0 ? 1 : extents.dropLast().reduce(1, *) }
}

extension Operation.ChannelStatistics {
  func evaluate(_ tensors: StepTensors) {
    let shape = tensors.shape(ofOperand: 0)
    let (pixels, channels) = (shape.pixels, shape.channels)
    let (x, mean, m2) = (tensors.operand(0), tensors.result(1), tensors.result(2))
    tensors.result(0)[0] = Double(pixels)
    for c in 0..<channels {
      var sum = 0.0
      for pixel in 0..<pixels { sum += x[pixel * channels + c] }
      mean[c] = sum / Double(pixels)
      var squares = 0.0
      for pixel in 0..<pixels {
        let deviation = x[pixel * channels + c] - mean[c]
        squares += deviation * deviation
      }
      m2[c] = squares
    }
  }
}

extension Operation.Variance {
  func evaluate(_ tensors: StepTensors) {
    let (m2, result) = (tensors.operand(1), tensors.result(0))
    let divisor = max(tensors.operand(0)[0] - Double(correction), 1)
    for c in 0..<tensors.shape(ofResult: 0).count { result[c] = m2[c] / divisor }
  }
}

extension Operation.MovingAverage {
  func evaluate(_ tensors: StepTensors) {
    tensors.mapPairs { old, new in old + Double(weight) * (new - old) }
  }
}

extension Operation.ChannelSum {
  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    let shape = tensors.shape(ofOperand: 0)
    for c in 0..<shape.channels {
      var sum = 0.0
      for pixel in 0..<shape.pixels { sum += x[pixel * shape.channels + c] }
      result[c] = sum
    }
  }
}
