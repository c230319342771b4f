import ResidualExecution

extension StepTensors {
  /// `result[n, j, i] = operand[n, i, j]`.
  fileprivate func transpose(images: Int, rows: Int, columns: Int) {
    let (x, result) = (operand(0), result(0))
    for n in 0..<images {
      for i in 0..<rows {
        for j in 0..<columns {
          result[(n * columns + j) * rows + i] = x[(n * rows + i) * columns + j]
        }
      }
    }
  }
}

extension Operation.Flatten {
  func evaluate(_ tensors: StepTensors) {
    let image = tensors.shape(ofOperand: 0)
    tensors.transpose(images: image[0], rows: image[1] * image[2], columns: image[3])
  }
}

extension Operation.FlattenGradient {
  func evaluate(_ tensors: StepTensors) {
    let image = tensors.shape(ofResult: 0)
    tensors.transpose(images: image[0], rows: image[3], columns: image[1] * image[2])
  }
}
