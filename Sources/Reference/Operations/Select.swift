import ResidualExecution

extension Operation.Select {
  func evaluate(_ tensors: StepTensors) {
    let chosen = tensors.operand(tensors.operand(0)[0].isFinite ? 1 : 2)
    tensors.result(0).update(from: chosen, count: tensors.shape(ofResult: 0).count)
  }
}
