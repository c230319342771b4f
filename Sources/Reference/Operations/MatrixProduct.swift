import ResidualExecution

extension Operation.MatrixProduct {
  func evaluate(_ tensors: StepTensors) {
    let (left, right, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    let (leftShape, rightShape) = (tensors.shape(ofOperand: 0), tensors.shape(ofOperand: 1))
    let (rows, columns) = (tensors.shape(ofResult: 0)[0], tensors.shape(ofResult: 0)[1])
    let depth = transposesLeft ? leftShape[0] : leftShape[1]
    // The distances of neighbours along a matrix's first and second logical axis.
    let leftStrides = transposesLeft ? (1, leftShape[1]) : (leftShape[1], 1)
    let rightStrides = transposesRight ? (1, rightShape[1]) : (rightShape[1], 1)
    for m in 0..<rows {
      for n in 0..<columns {
        var sum = 0.0
        for k in 0..<depth {
          sum +=
            left[m * leftStrides.0 + k * leftStrides.1]
            * right[k * rightStrides.0 + n * rightStrides.1]
        }
        result[m * columns + n] = sum
      }
    }
  }
}
