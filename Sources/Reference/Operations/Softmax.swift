import ResidualExecution
import ResidualPlatform

extension Operation.Softmax {
  /// Calls `body` for each row along the axis: the places of its first element, the distance between
  /// neighbours, and how many there are.
  fileprivate func forEachRow(_ shape: Shape, _ body: (_ start: Int, _ step: Int, Int) -> Void) {
    let inner = shape.extents[(axis + 1)...].reduce(1, *)
    for outer in 0..<shape.extents[..<axis].reduce(1, *) {
      for place in 0..<inner { body(outer * shape[axis] * inner + place, inner, shape[axis]) }
    }
  }

  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    forEachRow(tensors.shape(ofResult: 0)) { start, step, count in
      let places = (0..<count).map { start + $0 * step }
      let largest = places.map { x[$0] }.max() ?? 0
      let sum = places.reduce(0) { $0 + exp(x[$1] - largest) }
      for place in places { result[place] = exp(x[place] - largest) / sum }
    }
  }
}

extension Operation.SoftmaxGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, y, result) = (tensors.operand(0), tensors.operand(1), tensors.result(0))
    softmax.forEachRow(tensors.shape(ofResult: 0)) { start, step, count in
      let places = (0..<count).map { start + $0 * step }
      let product = places.reduce(0) { $0 + gradient[$1] * y[$1] }
      for place in places { result[place] = y[place] * (gradient[place] - product) }
    }
  }
}
