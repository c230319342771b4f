import ResidualExecution

extension Operation.Transpose {
  func evaluate(_ tensors: StepTensors) {
    let (x, result) = (tensors.operand(0), tensors.result(0))
    let (source, target) = (tensors.shape(ofOperand: 0), tensors.shape(ofResult: 0))
    for index in 0..<target.count {
      var rest = index
      var coordinates = [Int](repeating: 0, count: source.rank)
      for axis in permutation.indices.reversed() {
        coordinates[permutation[axis]] = rest % target[axis]
        rest /= target[axis]
      }
      let place = zip(coordinates, source.extents).reduce(0) { $0 * $1.1 + $1.0 }
      result[index] = x[place]
    }
  }
}

extension StepTensors {
  /// The operand's elements in their order, whatever the axes are.
  func copy() { result(0).update(from: operand(0), count: shape(ofResult: 0).count) }
}
