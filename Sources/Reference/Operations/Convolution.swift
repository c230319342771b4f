import ResidualExecution

/// The pairs of pixels that a convolution connects.
private struct ConvolutionTaps {
  let convolution: Operation.Convolution
  let batch: Int
  let inputHeight: Int, inputWidth: Int
  let outputHeight: Int, outputWidth: Int
  let filterHeight: Int, filterWidth: Int
  let inputChannels: Int, outputChannels: Int

  init(_ convolution: Operation.Convolution, input: Shape, filter: Shape, output: Shape) {
    self.convolution = convolution
    batch = input[0]
    (inputHeight, inputWidth, inputChannels) = (input[1], input[2], input[3])
    (outputHeight, outputWidth, outputChannels) = (output[1], output[2], output[3])
    (filterHeight, filterWidth) = (filter[2], filter[3])
  }

  /// The number of filter positions, R · S: the distance of neighbouring channels in a filter.
  var count: Int { filterHeight * filterWidth }
  /// The distance of neighbouring output channels in a filter.
  var filterStride: Int { inputChannels * count }

  /// Calls `body` for each output pixel and each filter position that meets a pixel of the input.
  ///
  /// - Parameter body: takes the offsets of the output pixel's channels, of the input pixel's
  ///   channels, and the filter position `r · S + s`.
  @inline(__always)
  func forEach(_ body: (_ output: Int, _ input: Int, _ position: Int) -> Void) {
    for n in 0..<batch {
      for p in 0..<outputHeight {
        for q in 0..<outputWidth {
          for r in 0..<filterHeight {
            let y = p * convolution.strideHeight + r - convolution.padding.top
            guard 0..<inputHeight ~= y else { continue }
            for s in 0..<filterWidth {
              let x = q * convolution.strideWidth + s - convolution.padding.left
              guard 0..<inputWidth ~= x else { continue }
              body(
                ((n * outputHeight + p) * outputWidth + q) * outputChannels,
                ((n * inputHeight + y) * inputWidth + x) * inputChannels,
                r * filterWidth + s)
            }
          }
        }
      }
    }
  }
}

extension Operation.Convolution {
  func evaluate(_ tensors: StepTensors) {
    let (input, filter, output) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    let taps = ConvolutionTaps(
      self, input: tensors.shape(ofOperand: 0), filter: tensors.shape(ofOperand: 1),
      output: tensors.shape(ofResult: 0))
    output.update(repeating: 0, count: tensors.shape(ofResult: 0).count)
    taps.forEach { outputPixel, inputPixel, position in
      for k in 0..<taps.outputChannels {
        var sum = 0.0
        for c in 0..<taps.inputChannels {
          sum +=
            input[inputPixel + c] * filter[k * taps.filterStride + c * taps.count + position]
        }
        output[outputPixel + k] += sum
      }
    }
  }
}

extension Operation.ConvolutionInputGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, filter, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    let taps = ConvolutionTaps(
      convolution, input: tensors.shape(ofOperand: 2), filter: tensors.shape(ofOperand: 1),
      output: tensors.shape(ofOperand: 0))
    result.update(repeating: 0, count: tensors.shape(ofResult: 0).count)
    taps.forEach { outputPixel, inputPixel, position in
      for k in 0..<taps.outputChannels {
        let g = gradient[outputPixel + k]
        for c in 0..<taps.inputChannels {
          result[inputPixel + c] += g * filter[k * taps.filterStride + c * taps.count + position]
        }
      }
    }
  }
}

extension Operation.ConvolutionFilterGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, input, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    let taps = ConvolutionTaps(
      convolution, input: tensors.shape(ofOperand: 1), filter: tensors.shape(ofOperand: 2),
      output: tensors.shape(ofOperand: 0))
    result.update(repeating: 0, count: tensors.shape(ofResult: 0).count)
    taps.forEach { outputPixel, inputPixel, position in
      for k in 0..<taps.outputChannels {
        let g = gradient[outputPixel + k]
        for c in 0..<taps.inputChannels {
          result[k * taps.filterStride + c * taps.count + position] += g * input[inputPixel + c]
        }
      }
    }
  }
}
