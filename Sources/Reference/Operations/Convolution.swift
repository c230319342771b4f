import ResidualExecution

/// The numbers that a convolution connects.
private struct ConvolutionTaps {
  let convolution: Operation.Convolution
  let input: Shape, filter: Shape, output: Shape

  /// The number of filter positions, R · S: the distance of neighbouring channels in a filter.
  var step: Int { filter[2] * filter[3] }
  var channels: Int { input[3] }

  /// Calls `body` for each filter position that meets a pixel of the input, and each output channel.
  ///
  /// - Parameter body: takes the offsets of the output number, of the input pixel's first channel, and
  ///   of the filter's number for that channel.
  @inline(__always)
  func forEach(_ body: (_ output: Int, _ input: Int, _ filter: Int) -> Void) {
    for n in 0..<output[0] {
      for p in 0..<output[1] {
        for q in 0..<output[2] {
          for r in 0..<filter[2] {
            let y = p * convolution.strideHeight + r - convolution.padding.top
            guard 0..<input[1] ~= y else { continue }
            for s in 0..<filter[3] {
              let x = q * convolution.strideWidth + s - convolution.padding.left
              guard 0..<input[2] ~= x else { continue }
              for k in 0..<output[3] {
                body(
                  ((n * output[1] + p) * output[2] + q) * output[3] + k,
                  ((n * input[1] + y) * input[2] + x) * channels,
                  k * channels * step + r * filter[3] + s)
              }
            }
          }
        }
      }
    }
  }
}

extension Operation.Convolution {
  func evaluate(_ tensors: StepTensors) {
    let (input, filter, output) = (tensors.operand(0), tensors.operand(1), tensors.sums(0))
    let taps = ConvolutionTaps(
      convolution: self, input: tensors.shape(ofOperand: 0), filter: tensors.shape(ofOperand: 1),
      output: tensors.shape(ofResult: 0))
    taps.forEach { o, i, f in
      var sum = 0.0
      for c in 0..<taps.channels { sum += input[i + c] * filter[f + c * taps.step] }
      output[o] += sum
    }
  }
}

extension Operation.ConvolutionInputGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, filter, result) = (tensors.operand(0), tensors.operand(1), tensors.sums(0))
    let taps = ConvolutionTaps(
      convolution: convolution, input: tensors.shape(ofOperand: 2),
      filter: tensors.shape(ofOperand: 1), output: tensors.shape(ofOperand: 0))
    taps.forEach { o, i, f in
      for c in 0..<taps.channels { result[i + c] += gradient[o] * filter[f + c * taps.step] }
    }
  }
}

extension Operation.ConvolutionFilterGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, input, result) = (tensors.operand(0), tensors.operand(1), tensors.sums(0))
    let taps = ConvolutionTaps(
      convolution: convolution, input: tensors.shape(ofOperand: 1),
      filter: tensors.shape(ofOperand: 2), output: tensors.shape(ofOperand: 0))
    taps.forEach { o, i, f in
      for c in 0..<taps.channels { result[f + c * taps.step] += gradient[o] * input[i + c] }
    }
  }
}
