import ResidualExecution

// What happens to parameters at the end of a step, and what it depends on.
extension CPULowering {
  mutating func lower(_ update: Operation.MomentumUpdate, _ node: Node, _ value: Value) {
    let operands = node.operands.map(buffer)
    let results = (0..<3).map { result(value.result($0)) }
    let elements = Partition.elements(shape(value).count)
    let isOne = elements.parts == 1
    let squares =
      isOne ? results[2] : temporary(node.path + ".squares", floats: 3 * elements.parts)
    append(
      UpdateByMomentum(
        parameter: operands[0], velocity: operands[1], gradient: operands[2], rate: operands[3],
        momentum: operands[4], gate: operands.count > 5 ? operands[5] : nil,
        factors: operands.count > 6 ? operands[6] : nil, newParameter: results[0],
        newVelocity: results[1], squares: squares, attributes: update, elements: elements),
      node, touching: operands + results.prefix(2) + [squares])
    guard !isOne else { return }
    append(
      MergeSums(
        partials: squares, first: results[2], second: nil, channels: 3, partCount: elements.parts),
      node, touching: [squares, results[2]])
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
