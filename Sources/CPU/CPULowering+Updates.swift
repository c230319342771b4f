import ResidualExecution

// Nodes of the optimiser.
extension CPULowering {
  mutating func lower(_ update: Operation.MomentumUpdate, _ node: Node, _ value: Value) {
    let inputs = node.operands.map(buffer)
    let (newParameter, newVelocity) = (result(value), result(value.result(1)))
    append(
      UpdateByMomentum(
        parameter: inputs[0], velocity: inputs[1], gradient: inputs[2], rate: inputs[3],
        momentum: inputs[4], scaling: inputs.count > 5 ? (inputs[5], inputs[6]) : nil,
        newParameter: newParameter, newVelocity: newVelocity, attributes: update,
        elements: .elements(shape(value).count)),
      node, touching: inputs + [newParameter, newVelocity])
  }

  mutating func lowerFinite(_ node: Node, _ value: Value) {
    let inputs = node.operands.map(buffer)
    let tensors = Partition(inputs.count, grain: 1)
    let partials = temporary(node.path + ".partials", floats: tensors.parts)
    append(
      FindNotFinite(
        inputs: zip(inputs, node.operands).map { ($0, shape($1).count) }, partials: partials,
        tensors: tensors),
      node, touching: inputs + [partials])
    let output = result(value)
    append(
      MergeFinite(partials: partials, output: output, partCount: tensors.parts), node,
      touching: [partials, output])
  }

  mutating func lower(_ update: Operation.LossScaleUpdate, _ node: Node, _ value: Value) {
    let inputs = node.operands.map(buffer)
    let (newScale, newSteps) = (result(value), result(value.result(1)))
    append(
      UpdateLossScale(
        scale: inputs[0], steps: inputs[1], finite: inputs[2], newScale: newScale,
        newSteps: newSteps, attributes: update),
      node, touching: inputs + [newScale, newSteps])
  }
}
