import ResidualExecution

// What happens to parameters at the end of a step, and what it depends on.
extension CPULowering {
  mutating func lower(_ update: Operation.MomentumUpdate, _ node: Node, _ value: Value) {
    let operands = node.operands.map(buffer)
    let results = [result(value), result(value.result(1))]
    let (squares, place) = squares(ofUpdate: value.node)
    let elements = Partition.elements(shape(value).count)
    let isOne = elements.parts == 1
    let partials =
      isOne ? squares : temporary(node.path + ".squares", floats: 3 * elements.parts)
    append(
      UpdateByMomentum(
        parameter: operands[0], velocity: operands[1], gradient: operands[2], rate: operands[3],
        momentum: operands[4], gate: operands.count > 5 ? operands[5] : nil,
        factors: operands.count > 6 ? operands[6] : nil, newParameter: results[0],
        newVelocity: results[1], squares: partials, place: isOne ? place : 0,
        attributes: update, elements: elements),
      node, touching: operands + results + [partials])
    guard !isOne else { return }
    append(
      MergeSums(
        partials: partials, first: squares, place: place, second: nil, channels: 3,
        partCount: elements.parts),
      node, touching: [partials, squares])
  }

  mutating func lower(_ norm: Operation.GradientNorm, _ node: Node, _ value: Value) {
    let gradients = node.operands.dropFirst()
    let block = UpdateByMomentum.block
    let pieces = gradients.flatMap { gradient in
      let count = shape(gradient).count
      return stride(from: 0, to: count, by: block).map {
        (buffer(gradient), $0..<min($0 + block, count))
      }
    }
    let partials = temporary(node.path + ".partials", floats: pieces.count)
    append(
      SumSquares(pieces: pieces, partials: partials), node,
      touching: gradients.map(buffer) + [partials])
    let scale = buffer(node.operands[0])
    let results = [result(value), result(value.result(1))]
    append(
      ComputeGradientNorm(
        scale: scale, partials: partials, norm: results[0], factors: results[1],
        partCount: pieces.count, maximum: norm.maximum),
      node, touching: [scale, partials] + results)
  }
}

extension Graph {
  /// The updates whose squares, and nothing else, are put one behind another, with the tensor and the place
  /// of the first of their numbers in it.
  ///
  /// - Complexity: O(nodes + edges).
  func gatheredSquares() -> [Int: (all: Value, place: Int)] {
    let outputs = Set(outputs.map(\.value))
    let uses = uses()
    func isGathered(_ value: Value) -> Bool {
      guard case .momentumUpdate = nodes[value.node].operation else { return false }
      return value.result == 2 && uses[value.node].count == 1 && !outputs.contains(value)
    }
    var places: [Int: (all: Value, place: Int)] = [:]
    for (index, node) in nodes.enumerated() {
      guard case .concatenate = node.operation, node.operands.allSatisfy(isGathered) else {
        continue
      }
      for (position, operand) in node.operands.enumerated() {
        places[operand.node] = (Value(node: index), 3 * position)
      }
    }
    return places
  }
}
