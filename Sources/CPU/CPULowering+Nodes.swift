import ResidualExecution
import ResidualKernelInterface

extension CPULowering {
  /// Lowers a node that is a region of its own.
  mutating func lowerNode(_ index: Int) {
    let (node, value) = (graph.nodes[index], Value(node: index))
    switch node.operation {
    case .input, .state: break
    case .constant(let constant):
      let output = result(value)
      append(SetConstant(output: output, value: constant.value), node, touching: [output])
    case .assembleImages: lowerImageAssembly(node, value)
    case .matrixProduct(let product): lower(product, node, value)

    case .channelStatistics: lowerStatistics(node, value)
    case .variance(let variance): lower(variance, node, value)
    case .movingAverage(let average): lower(average, node, value)
    case .batchNormalizationSums: lowerSums(index, gradient: buffer(node.operands[0]))
    case .batchNormalizationScaleGradient(let gradient): lower(gradient, node, value)
    case .batchNormalizationInputGradient: lowerNormalizationInputGradient(node, value)
    case .channelSum: lowerChannelSum(node, value)

    case .add: lowerMap(.add, node, value)
    case .addBias: lowerBias(node, value)
    case .subtract: lowerMap(.subtract, node, value)
    case .multiply: lowerMap(.multiply, node, value)
    case .scale(let scale): lowerMap(.scale(scale.factor), node, value)
    case .sigmoid: lowerMap(.sigmoid, node, value)
    case .sigmoidGradient: lowerMap(.sigmoidGradient, node, value)
    case .relu: lowerMap(.rectify, node, value)
    case .dropout(let dropout): lower(dropout, node, value)

    case .maxPooling(let pooling): lower(pooling, node, value)
    case .maxPoolingGradient(let gradient): lower(gradient, node, value)
    case .averagePooling(let pooling): lower(pooling, node, value)
    case .averagePoolingGradient(let gradient): lower(gradient, node, value)
    case .globalAveragePooling: lowerGlobalAverage(node, value)
    case .globalAveragePoolingGradient: lowerGlobalAverageGradient(node, value)

    case .slice(let slice): lower(slice, node, value)
    case .sliceGradient(let gradient): lower(gradient, node, value)
    case .pad(let pad): lower(pad, node, value)
    case .concatenate(let concatenation): lower(concatenation, node, value)
    case .concatenateGradient(let gradient): lower(gradient, node, value)
    case .flatten:
      let image = shape(node.operands[0])
      lowerTransposition([image[0], image[1] * image[2], image[3]], [0, 2, 1], node, value)
    case .flattenGradient:
      let image = shape(value)
      lowerTransposition([image[0], image[3], image[1] * image[2]], [0, 2, 1], node, value)
    case .transpose(let transposition):
      lowerTransposition(shape(node.operands[0]), transposition.permutation, node, value)
    case .broadcast:
      lowerStrides(.init(shape(node.operands[0]), broadcastTo: shape(value)), node, value)
    case .broadcastGradient: lowerBroadcastGradient(node, value)
    case .reshape, .reshapeGradient: lowerReshape(node, value)

    case .softmax(let softmax): lower(softmax, node, value)
    case .softmaxGradient(let gradient): lower(gradient, node, value)
    case .softmaxCrossEntropy: lowerCrossEntropy(node, value)
    case .softmaxCrossEntropyGradient: lowerCrossEntropyGradient(node, value)
    case .correctCount(let count): lower(count, node, value)

    case .momentumUpdate(let update): lower(update, node, value)
    case .allFinite: lowerFinite(node, value)
    case .lossScaleUpdate(let update): lower(update, node, value)

    case .convolution, .convolutionInputGradient, .convolutionFilterGradient,
      .batchNormalization, .reluGradient:
      preconditionFailure("\(node.path) belongs to a region of its own kind")
    }
  }

  private mutating func lowerImageAssembly(_ node: Node, _ value: Value) {
    let (inputs, output) = (node.operands.map(buffer), result(value))
    let set = shape(node.operands[0])
    append(
      AssembleImages(
        pixels: inputs[0], samples: inputs[1], mean: inputs[2], deviation: inputs[3],
        output: output, images: set[0], height: set[1], width: set[2],
        isPerPixel: shape(node.operands[2]).rank == 3,
        batch: Partition(shape(value)[0], grain: 1)),
      node, touching: inputs + [output])
  }

  private mutating func lower(
    _ product: Operation.MatrixProduct, _ node: Node, _ value: Value
  ) {
    let output = result(value)
    let (left, right) = (buffer(node.operands[0]), buffer(node.operands[1]))
    let extents = shape(value)
    let inner = product.depth(shape(node.operands[0]))
    guard extents.rank == 2 else {
      return append(
        MultiplyMatrices(
          left: left, right: right, output: output, rows: extents[extents.rank - 2],
          inner: inner, columns: extents.channels, product: product,
          matrices: Partition(extents.extents.dropLast(2).reduce(1, *), grain: 1)),
        node, touching: [left, right, output])
    }
    let (rows, columns) = (extents[0], extents[1])
    switch (product.transposesLeft, product.transposesRight) {
    case (false, let transposed):
      lowerConvolution(
        input: left, filter: right, output: output,
        .init(rows: rows, inputs: inner, outputs: columns), transposed ? .forward : .rotated, node)
    case (true, false):
      // Both matrices have the inner index outermost, as pixels: a filter gradient.
      lowerFilterGradient(
        input: right, outputGradient: left, output: output,
        .init(rows: inner, inputs: columns, outputs: rows), node)
    case (true, true):
      let transposed = temporary(node.path + ".transposed", floats: rows * inner)
      append(
        CopyByStrides(
          input: left, output: transposed, view: .init([inner, rows], permutation: [1, 0])),
        node, touching: [left, transposed])
      lowerConvolution(
        input: transposed, filter: right, output: output,
        .init(rows: rows, inputs: inner, outputs: columns), .forward, node)
    }
  }

  // MARK: Statistics and normalisation

  private mutating func lowerStatistics(_ node: Node, _ value: Value) {
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

  private mutating func lower(_ variance: Operation.Variance, _ node: Node, _ value: Value) {
    let (count, m2, output) = (buffer(node.operands[0]), buffer(node.operands[1]), result(value))
    append(
      ComputeVariance(
        count: count, m2: m2, output: output, correction: variance.correction,
        channels: shape(value).count),
      node, touching: [count, m2, output])
  }

  private mutating func lower(_ average: Operation.MovingAverage, _ node: Node, _ value: Value) {
    let (old, new, output) = (buffer(node.operands[0]), buffer(node.operands[1]), result(value))
    append(
      UpdateMovingAverage(
        old: old, new: new, output: output, weight: average.weight, count: shape(value).count),
      node, touching: [old, new, output])
  }

  private mutating func lower(
    _ gradient: Operation.BatchNormalizationScaleGradient, _ node: Node, _ value: Value
  ) {
    let (products, variance) = (buffer(node.operands[0]), buffer(node.operands[1]))
    let output = result(value)
    append(
      ScaleGradient(
        products: products, variance: variance, output: output, epsilon: gradient.epsilon,
        channels: shape(value).count),
      node, touching: [products, variance, output])
  }

  private mutating func lowerNormalizationInputGradient(_ node: Node, _ value: Value) {
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

  private mutating func lowerChannelSum(_ node: Node, _ value: Value) {
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

  // MARK: Maps

  private mutating func lowerMap(
    _ function: MapElements.Function, _ node: Node, _ value: Value
  ) {
    let (inputs, output) = (node.operands.map(buffer), result(value))
    append(
      MapElements(
        function: function, operands: inputs, output: output,
        elements: .elements(shape(value).count)),
      node, touching: inputs + [output])
  }

  private mutating func lowerBias(_ node: Node, _ value: Value) {
    let (input, bias, output) = (buffer(node.operands[0]), buffer(node.operands[1]), result(value))
    append(
      AddBiases(
        input: input, bias: bias, output: output, channels: shape(value).channels,
        pixels: .pixels(shape(value))),
      node, touching: [input, bias, output])
  }

  private mutating func lower(_ dropout: Operation.Dropout, _ node: Node, _ value: Value) {
    let (input, key, output) = (buffer(node.operands[0]), buffer(node.operands[1]), result(value))
    append(
      DropOut(
        input: input, key: key, output: output, dropout: dropout,
        elements: .elements(shape(value).count)),
      node, touching: [input, key, output])
  }
}
