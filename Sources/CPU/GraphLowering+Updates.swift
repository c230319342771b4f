import ResidualExecution

extension GraphLowering {
  /// Lowers a node of the optimiser.
  mutating func lowerUpdate(
    _ operation: Operation, _ operands: [Value], _ value: Value, _ path: String
  ) {
    let inputs = operands.map(buffer)
    switch operation {
    case .momentumUpdate(let update):
      let (newParameter, newVelocity) = (result(value), result(value.result(1)))
      append(
        UpdateByMomentum(
          parameter: inputs[0], velocity: inputs[1], gradient: inputs[2], rate: inputs[3],
          momentum: inputs[4], scaling: inputs.count > 5 ? (inputs[5], inputs[6]) : nil,
          newParameter: newParameter, newVelocity: newVelocity, attributes: update,
          elements: .elements(shape(value).count)),
        path, touching: inputs + [newParameter, newVelocity])
    case .allFinite:
      let tensors = Partition(operands.count, grain: 1)
      let partials = temporary(path + ".partials", floats: tensors.parts)
      append(
        FindNotFinite(
          inputs: zip(inputs, operands).map { ($0, shape($1).count) }, partials: partials,
          tensors: tensors),
        path, touching: inputs + [partials])
      let output = result(value)
      append(
        MergeFinite(partials: partials, output: output, partCount: tensors.parts), path,
        touching: [partials, output])
    case .lossScaleUpdate(let update):
      let (newScale, newSteps) = (result(value), result(value.result(1)))
      append(
        UpdateLossScale(
          scale: inputs[0], steps: inputs[1], finite: inputs[2], newScale: newScale,
          newSteps: newSteps, attributes: update),
        path, touching: inputs + [newScale, newSteps])
    default: preconditionFailure("\(path) updates nothing")
    }
  }
}
