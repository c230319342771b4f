import ResidualExecution

extension Operation.MatrixProduct {
  func evaluate(_ tensors: StepTensors) {
    let (left, right, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    let (leftShape, rightShape) = (tensors.shape(ofOperand: 0), tensors.shape(ofOperand: 1))
    let shape = tensors.shape(ofResult: 0)
    let (rows, columns) = (shape[shape.rank - 2], shape[shape.rank - 1])
    let depth = depth(leftShape)
    // The distances of neighbours along a matrix's first and second logical axis.
    let leftStrides = transposesLeft ? (1, leftShape.channels) : (leftShape.channels, 1)
    let rightStrides = transposesRight ? (1, rightShape.channels) : (rightShape.channels, 1)
    for matrix in 0..<shape.extents.dropLast(2).reduce(1, *) {
      for m in 0..<rows {
        for n in 0..<columns {
          var sum = 0.0
          for k in 0..<depth {
            sum +=
              left[matrix * rows * depth + m * leftStrides.0 + k * leftStrides.1]
              * right[matrix * depth * columns + k * rightStrides.0 + n * rightStrides.1]
          }
          result[(matrix * rows + m) * columns + n] = sum
        }
      }
    }
  }
}
