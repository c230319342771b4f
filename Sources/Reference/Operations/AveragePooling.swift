import ResidualExecution

extension Operation.AveragePooling {
  /// Calls `body` for each pixel of each window: the offsets of the output and of the input number,
  /// and the numbers that the window counts.
  fileprivate func forEachPixel(
    _ input: Shape, _ output: Shape, _ body: (Int, Int, Int) -> Void
  ) {
    let rows = windows(axis: 1, extent: input[1], count: output[1])
    let columns = windows(axis: 2, extent: input[2], count: output[2])
    for n in 0..<output[0] {
      for (p, row) in rows.enumerated() {
        for (q, column) in columns.enumerated() {
          for h in row.places {
            for w in column.places {
              for c in 0..<output[3] {
                body(
                  ((n * output[1] + p) * output[2] + q) * output[3] + c,
                  ((n * input[1] + h) * input[2] + w) * input[3] + c, row.size * column.size)
              }
            }
          }
        }
      }
    }
  }

  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.sums(0))
    forEachPixel(tensors.shape(ofOperand: 0), tensors.shape(ofResult: 0)) {
      result[$0] += x[$1] / Double($2)
    }
  }
}

extension Operation.AveragePoolingGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, result) = (tensors.operand(0), tensors.sums(0))
    pooling.forEachPixel(tensors.shape(ofResult: 0), tensors.shape(ofOperand: 0)) {
      result[$1] += gradient[$0] / Double($2)
    }
  }
}
