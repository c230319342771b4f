import ResidualExecution

extension CUDALowering {
  /// Lowers the assembly of a batch. Where only convolutions read it, it is written as they want it.
  mutating func lowerImageAssembly(_ node: Node, _ value: Value) {
    let operands = node.operands
    let shape = shape(value)
    let type = precision.activation
    let padded = storedChannels(shape.channels)
    let isForConvolutions =
      !isOutput(value)
      && uses[value.node].allSatisfy { use in
        switch graph.nodes[use.node].operation {
        case .convolution: use.operand == 0
        case .convolutionFilterGradient: use.operand == 1
        default: false
        }
      }
    let channels = isForConvolutions ? padded : shape.channels
    let pixels = storage(operands[0]).buffer
    let samples = storage(operands[1]).buffer
    let (mean, deviation) = (
      operand(operands[2], as: .float32), operand(operands[3], as: .float32)
    )
    let output: BufferID
    if channels != shape.channels {
      output = temporary(node.path, shape.replacing(axis: 3, with: channels), type)
      note(value, padded: output, channels: channels)
    } else {
      output = result(value)
    }
    launch(
      "assembleImages", type, .elements(shape.count / max(1, shape.channels)),
      [
        .buffer(pixels), .buffer(samples), .buffer(mean), .buffer(deviation), .buffer(output),
        .int(shape[0]), .int(self.shape(operands[0])[0]), .int(shape[1]), .int(shape[2]),
        .int(shape[3]), .int(channels), .flag(self.shape(operands[2]).rank > 1),
      ], node, touching: [pixels, samples, mean, deviation, output])
  }
}
