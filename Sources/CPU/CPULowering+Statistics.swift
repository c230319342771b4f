import ResidualExecution

// Statistics, and the sums and coefficients that normalisations need.
extension CPULowering {
  mutating func lowerStatistics(_ node: Node, _ value: Value) {
    let input = shape(node.operands[0])
    let pixels = Partition.pixels(input)
    let source = buffer(node.operands[0])
    let partials = temporary(
      node.path + ".partials", floats: 2 * input.channels * pixels.parts)
    append(
      StatisticsParts(input: source, partials: partials, channels: input.channels, pixels: pixels),
      node, touching: [source, partials])
    mergeStatistics(
      value.node, partials: partials, counts: (0..<pixels.parts).map { pixels.range($0).count })
  }

  /// Merges the statistics of `counts` pixels each.
  mutating func mergeStatistics(_ index: Int, partials: BufferID, counts: [Int]) {
    let value = Value(node: index)
    let channels = shape(value.result(1)).count
    let (count, mean, m2) = (result(value), result(value.result(1)), result(value.result(2)))
    append(
      MergeStatistics(
        partials: partials, count: count, mean: mean, m2: m2, channels: channels, counts: counts),
      graph.nodes[index], touching: [partials, count, mean, m2])
  }

  mutating func lowerNormalizationInputGradient(_ node: Node, _ value: Value) {
    let source = differentiatedSource(value.node)
    guard case .differentiated(let gradient, let x, let coefficients) = source else { return }
    let output = result(value)
    append(
      NormalizationInputGradient(
        gradient: gradient, input: x, coefficients: coefficients, output: output,
        channels: shape(value).channels, pixels: .pixels(shape(value))),
      node, touching: source.buffers + [output])
  }

  /// Appends the coefficients of a backward normalisation.
  mutating func differentiatedSource(_ index: Int) -> ConvolutionSource {
    let node = graph.nodes[index]
    guard case .batchNormalizationInputGradient(let attributes) = node.operation else {
      preconditionFailure("\(node.path) is no backward normalisation")
    }
    let shape = shape(Value(node: index))
    let inputs = node.operands.map(buffer)
    let coefficients = temporary(node.path + ".coefficients", floats: 3 * shape.channels)
    append(
      InputGradientCoefficients(
        mean: inputs[2], variance: inputs[3], scale: inputs[4], sums: inputs[5],
        products: inputs[6], output: coefficients, epsilon: attributes.epsilon,
        statistics: attributes.statistics, channels: shape.channels,
        count: shape.count / shape.channels),
      node, touching: inputs.dropFirst(2) + [coefficients])
    return .differentiated(gradient: inputs[0], x: inputs[1], coefficients: coefficients)
  }

  mutating func lowerChannelSum(_ node: Node, _ value: Value) {
    let input = shape(node.operands[0])
    let pixels = Partition.pixels(input)
    let source = buffer(node.operands[0])
    let partials = temporary(node.path + ".partials", floats: input.channels * pixels.parts)
    append(
      ChannelSumParts(input: source, partials: partials, channels: input.channels, pixels: pixels),
      node, touching: [source, partials])
    let output = result(value)
    append(
      MergeSums(
        partials: partials, first: output, second: nil, channels: input.channels,
        partCount: pixels.parts),
      node, touching: [partials, output])
  }
}
