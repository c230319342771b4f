import ResidualExecution

// Softmax, losses and what is counted beside them.
extension CPULowering {
  mutating func lower(_ softmax: Operation.Softmax, _ node: Node, _ value: Value) {
    let (input, output) = (buffer(node.operands[0]), result(value))
    append(
      ComputeSoftmax(
        input: input, output: output, rows: AxisView(shape(value), axis: softmax.axis)),
      node, touching: [input, output])
  }

  mutating func lower(_ gradient: Operation.SoftmaxGradient, _ node: Node, _ value: Value) {
    let (inputs, output) = (node.operands.map(buffer), result(value))
    append(
      ComputeSoftmaxGradient(
        gradient: inputs[0], probabilities: inputs[1], output: output,
        rows: AxisView(shape(value), axis: gradient.softmax.axis)),
      node, touching: inputs + [output])
  }

  mutating func lowerCrossEntropy(_ node: Node, _ value: Value) {
    let (inputs, logits) = (node.operands.map(buffer), shape(node.operands[0]))
    let (loss, probabilities) = (result(value), result(value.result(1)))
    append(
      ComputeCrossEntropy(
        logits: inputs[0], labels: inputs[1], weights: inputs[2], loss: loss,
        probabilities: probabilities, rows: logits[0], classes: logits[1]),
      node, touching: inputs + [loss, probabilities])
  }

  mutating func lowerCrossEntropyGradient(_ node: Node, _ value: Value) {
    let (inputs, logits) = (node.operands.map(buffer), shape(value))
    let output = result(value)
    append(
      ComputeCrossEntropyGradient(
        gradient: inputs[0], probabilities: inputs[1], labels: inputs[2], weights: inputs[3],
        output: output, rows: logits[0], classes: logits[1]),
      node, touching: inputs + [output])
  }

  mutating func lower(_ count: Operation.CorrectCount, _ node: Node, _ value: Value) {
    let (inputs, logits) = (node.operands.map(buffer), shape(node.operands[0]))
    let output = result(value)
    append(
      CountCorrect(
        logits: inputs[0], labels: inputs[1], weights: inputs[2], output: output,
        rows: logits[0], classes: logits[1], top: count.top),
      node, touching: inputs + [output])
  }
}
