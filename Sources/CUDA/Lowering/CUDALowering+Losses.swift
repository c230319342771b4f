import ResidualExecution

// Softmax, losses and what is counted beside them.
extension CUDALowering {
  mutating func lowerSoftmax(
    _ kernel: String, _ axis: Int, _ node: Node, _ value: Value
  ) {
    let (type, shape) = (storageType(value), shape(value))
    let inputs = node.operands.map { operand($0, as: type) }
    let output = result(value)
    let inner = shape.extents[(axis + 1)...].reduce(1, *)
    let outer = shape.extents[..<axis].reduce(1, *)
    // The softmax has no gradient in front of its operand.
    let read: [BufferID?] = inputs.count > 1 ? inputs : [nil, inputs[0]]
    launch(
      kernel, type, .elements(outer * inner),
      read.map { .buffer($0) } + [
        .buffer(output), .int(outer), .int(shape[axis]), .int(inner),
      ], node, touching: read + [output])
  }

  mutating func lowerCrossEntropy(_ node: Node, _ value: Value) {
    let (operands, shape) = (node.operands, shape(node.operands[0]))
    let (logits, labels) = (operand(operands[0], as: .float32), storage(operands[1]).buffer)
    let weights = operand(operands[2], as: .float32)
    let losses = temporary(node.path + ".losses", [shape[0]], .float32)
    let (loss, probabilities) = (result(value), result(value.result(1)))
    launch(
      "crossEntropy", .float32, Self.grid(rows: shape[0]),
      [
        .buffer(logits), .buffer(labels), .buffer(losses), .buffer(probabilities),
        .int(shape[0]), .int(shape[1]),
      ], node, touching: [logits, labels, losses, probabilities])
    appendWeightedSum(losses, weights, loss, shape[0], divides: true, node)
  }

  mutating func lowerCrossEntropyGradient(_ node: Node, _ value: Value) {
    let (operands, shape) = (node.operands, shape(value))
    let (gradient, probabilities) = (
      operand(operands[0], as: .float32), operand(operands[1], as: .float32)
    )
    let (labels, weights) = (storage(operands[2]).buffer, operand(operands[3], as: .float32))
    let output = result(value)
    launch(
      "crossEntropyGradient", .float32, Self.grid(rows: shape[0]),
      [
        .buffer(gradient), .buffer(probabilities), .buffer(weights), .buffer(labels),
        .buffer(output), .int(shape[0]), .int(shape[1]),
      ], node, touching: [gradient, probabilities, weights, labels, output])
  }

  mutating func lower(_ count: Operation.CorrectCount, _ node: Node, _ value: Value) {
    let (operands, shape) = (node.operands, shape(node.operands[0]))
    let (logits, labels) = (operand(operands[0], as: .float32), storage(operands[1]).buffer)
    let weights = operand(operands[2], as: .float32)
    let correct = temporary(node.path + ".rows", [shape[0]], .float32)
    launch(
      "correctRows", .float32, Self.grid(rows: shape[0]),
      [
        .buffer(logits), .buffer(labels), .buffer(correct), .int(shape[0]), .int(shape[1]),
        .int(count.top),
      ], node, touching: [logits, labels, correct])
    appendWeightedSum(correct, weights, result(value), shape[0], divides: false, node)
  }

  private static func grid(rows: Int) -> Grid { Grid(x: max(1, (rows + 7) / 8)) }

  private mutating func appendWeightedSum(
    _ values: BufferID, _ weights: BufferID, _ output: BufferID, _ count: Int, divides: Bool,
    _ node: Node
  ) {
    launch(
      "weightedSum", .float32, Grid(),
      [.buffer(values), .buffer(weights), .buffer(output), .int(count), .flag(divides)], node,
      touching: [values, weights, output])
  }
}
