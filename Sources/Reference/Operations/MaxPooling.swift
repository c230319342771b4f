import ResidualExecution

extension Operation.MaxPooling {
  /// Calls `body` for each output element: its offset, and the offset of the window's largest pixel.
  fileprivate func forEachMaximum(
    of x: UnsafePointer<Double>, _ input: Shape, _ output: Shape, _ body: (Int, Int) -> Void
  ) {
    for n in 0..<output[0] {
      for p in 0..<output[1] {
        for q in 0..<output[2] {
          for c in 0..<output[3] {
            var largest: Int?
            for r in 0..<windowHeight {
              let row = p * strideHeight + r * dilationHeight - padding.top
              guard 0..<input[1] ~= row else { continue }
              for s in 0..<windowWidth {
                let column = q * strideWidth + s * dilationWidth - padding.left
                guard 0..<input[2] ~= column else { continue }
                let place = ((n * input[1] + row) * input[2] + column) * input[3] + c
                if largest.map({ x[place] > x[$0] || x[place].isNaN }) ?? true { largest = place }
              }
            }
            guard let largest else { preconditionFailure("the window at \(p), \(q) is empty") }
            body(((n * output[1] + p) * output[2] + q) * output[3] + c, largest)
          }
        }
      }
    }
  }

  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    forEachMaximum(of: x, tensors.shape(ofOperand: 0), tensors.shape(ofResult: 0)) {
      result[$0] = x[$1]
    }
  }
}

extension Operation.MaxPoolingGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, x, result) = (tensors.operand(0), tensors.operand(1), tensors.sums(0))
    pooling.forEachMaximum(of: x, tensors.shape(ofOperand: 1), tensors.shape(ofOperand: 0)) {
      result[$1] += gradient[$0]
    }
  }
}
