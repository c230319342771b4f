import ResidualExecution

/// Where each element of a tensor lies in one that was broadcast to it: axes of extent 1 and missing
/// ones do not count.
private struct BroadcastPlaces {
  let extents: [Int], strides: [Int]

  /// - Parameters:
  ///   - small: the operand of the broadcast.
  ///   - large: its result.
  init(of small: Shape, in large: Shape) {
    extents = large.extents
    let missing = large.rank - small.rank
    var strides = [Int](repeating: 0, count: large.rank)
    var distance = 1
    for axis in (0..<small.rank).reversed() {
      if small[axis] > 1 { strides[missing + axis] = distance }
      distance *= small[axis]
    }
    self.strides = strides
  }

  /// The place of the element of a row-major index.
  subscript(index: Int) -> Int {
    var (rest, place) = (index, 0)
    for axis in extents.indices.reversed() {
      place += rest % extents[axis] * strides[axis]
      rest /= extents[axis]
    }
    return place
  }
}

extension Operation.Broadcast {
  func evaluate(_ tensors: StepTensors) {
    let (x, result, shape) = (tensors.operand(0), tensors.result(0), tensors.shape(ofResult: 0))
    let places = BroadcastPlaces(of: tensors.shape(ofOperand: 0), in: shape)
    for index in 0..<shape.count { result[index] = x[places[index]] }
  }
}

extension Operation.BroadcastGradient {
  func evaluate(_ tensors: StepTensors) {
    let (gradient, result) = (tensors.operand(0), tensors.sums(0))
    let (large, small) = (tensors.shape(ofOperand: 0), tensors.shape(ofResult: 0))
    let places = BroadcastPlaces(of: small, in: large)
    for index in 0..<large.count { result[places[index]] += gradient[index] }
  }
}
