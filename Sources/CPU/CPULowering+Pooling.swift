import ResidualExecution

extension CPULowering {
  mutating func lower(_ pooling: Operation.MaxPooling, _ node: Node, _ value: Value) {
    let (input, output) = (buffer(node.operands[0]), result(value))
    append(
      PoolMaximum(
        input: input, output: output,
        extents: .init(pooling, input: shape(node.operands[0]), output: shape(value))),
      node, touching: [input, output])
  }

  mutating func lower(_ attributes: Operation.MaxPoolingGradient, _ node: Node, _ value: Value) {
    let operands = node.operands
    let (gradient, input, output) = (buffer(operands[0]), buffer(operands[1]), result(value))
    append(
      PoolMaximumGradient(
        gradient: gradient, input: input, output: output,
        extents: .init(
          attributes.pooling, input: shape(operands[1]), output: shape(operands[0]))),
      node, touching: [gradient, input, output])
  }

  mutating func lower(_ pooling: Operation.AveragePooling, _ node: Node, _ value: Value) {
    let (input, output) = (buffer(node.operands[0]), result(value))
    append(
      PoolAverage(
        input: input, output: output,
        windows: .init(pooling, input: shape(node.operands[0]), output: shape(value))),
      node, touching: [input, output])
  }

  mutating func lower(
    _ attributes: Operation.AveragePoolingGradient, _ node: Node, _ value: Value
  ) {
    let (gradient, output) = (buffer(node.operands[0]), result(value))
    append(
      PoolAverageGradient(
        gradient: gradient, output: output,
        windows: .init(
          attributes.pooling, input: shape(node.operands[1]), output: shape(node.operands[0]))),
      node, touching: [gradient, output])
  }

  mutating func lowerGlobalAverage(_ node: Node, _ value: Value) {
    let (input, output) = (buffer(node.operands[0]), result(value))
    let image = shape(node.operands[0])
    append(
      AverageImages(
        input: input, output: output, pixels: image[1] * image[2], channels: image[3],
        images: Partition(image[0], grain: 8)),
      node, touching: [input, output])
  }

  mutating func lowerGlobalAverageGradient(_ node: Node, _ value: Value) {
    let (gradient, output) = (buffer(node.operands[0]), result(value))
    let image = shape(value)
    append(
      SpreadOverImages(
        gradient: gradient, output: output, pixels: image[1] * image[2], channels: image[3],
        images: Partition(image[0], grain: 8)),
      node, touching: [gradient, output])
  }
}
