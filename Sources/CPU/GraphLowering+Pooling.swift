import ResidualExecution

extension GraphLowering {
  /// Lowers a pooling or the gradient of one.
  mutating func lowerPooling(
    _ operation: Operation, _ operands: [Value], _ value: Value, _ path: String
  ) {
    switch operation {
    case .maxPooling(let pooling):
      let (input, output) = (buffer(operands[0]), result(value))
      append(
        PoolMaximum(
          input: input, output: output,
          extents: .init(pooling, input: shape(operands[0]), output: shape(value))),
        path, touching: [input, output])
    case .maxPoolingGradient(let attributes):
      let (gradient, input, output) = (buffer(operands[0]), buffer(operands[1]), result(value))
      append(
        PoolMaximumGradient(
          gradient: gradient, input: input, output: output,
          extents: .init(
            attributes.pooling, input: shape(operands[1]), output: shape(operands[0]))),
        path, touching: [gradient, input, output])
    case .averagePooling(let pooling):
      let (input, output) = (buffer(operands[0]), result(value))
      append(
        PoolAverage(
          input: input, output: output,
          windows: .init(pooling, input: shape(operands[0]), output: shape(value))),
        path, touching: [input, output])
    case .averagePoolingGradient(let attributes):
      let (gradient, output) = (buffer(operands[0]), result(value))
      append(
        PoolAverageGradient(
          gradient: gradient, output: output,
          windows: .init(
            attributes.pooling, input: shape(operands[1]), output: shape(operands[0]))),
        path, touching: [gradient, output])
    case .globalAveragePooling, .globalAveragePoolingGradient:
      lowerGlobalAverage(operation, operands, value, path)
    default: preconditionFailure("\(path) is no pooling")
    }
  }

  private mutating func lowerGlobalAverage(
    _ operation: Operation, _ operands: [Value], _ value: Value, _ path: String
  ) {
    let (source, output) = (buffer(operands[0]), result(value))
    if case .globalAveragePooling = operation {
      let image = shape(operands[0])
      append(
        AverageImages(
          input: source, output: output, pixels: image[1] * image[2], channels: image[3],
          images: Partition(image[0], grain: 8)),
        path, touching: [source, output])
    } else {
      let image = shape(value)
      append(
        SpreadOverImages(
          gradient: source, output: output, pixels: image[1] * image[2], channels: image[3],
          images: Partition(image[0], grain: 8)),
        path, touching: [source, output])
    }
  }
}
