import ResidualExecution
import ResidualKernelInterface

extension GraphLowering {
  /// Lowers a node that is a region of its own.
  mutating func lowerNode(_ index: Int) {
    let node = graph.nodes[index]
    let path = node.path
    let value = Value(node: index)
    let operands = node.operands
    switch node.operation {
    case .input, .state:
      break
    case .constant(let constant):
      let output = result(value)
      append(SetConstant(output: output, value: constant.value), path, touching: [output])

    case .assembleImages:
      let (inputs, output) = (operands.map(buffer), result(value))
      let set = shape(operands[0])
      append(
        AssembleImages(
          pixels: inputs[0], samples: inputs[1], mean: inputs[2], deviation: inputs[3],
          output: output, images: set[0], height: set[1], width: set[2],
          isPerPixel: shape(operands[2]).rank == 3, batch: Partition(shape(value)[0], grain: 1)),
        path, touching: inputs + [output])

    case .matrixProduct(let product):
      lowerMatrixProduct(product, operands[0], operands[1], value, path)

    case .channelStatistics: lowerStatistics(operands[0], value, path)
    case .variance(let variance):
      let (count, m2, output) = (buffer(operands[0]), buffer(operands[1]), result(value))
      append(
        ComputeVariance(
          count: count, m2: m2, output: output, correction: variance.correction,
          channels: shape(value).count),
        path, touching: [count, m2, output])
    case .movingAverage(let average):
      let (old, new, output) = (buffer(operands[0]), buffer(operands[1]), result(value))
      append(
        UpdateMovingAverage(
          old: old, new: new, output: output, weight: average.weight, count: shape(value).count),
        path, touching: [old, new, output])
    case .batchNormalizationSums: lowerSums(index, gradient: buffer(operands[0]))
    case .batchNormalizationScaleGradient(let gradient):
      let (products, variance, output) = (buffer(operands[0]), buffer(operands[1]), result(value))
      append(
        ScaleGradient(
          products: products, variance: variance, output: output, epsilon: gradient.epsilon,
          channels: shape(value).count),
        path, touching: [products, variance, output])
    case .batchNormalizationInputGradient: lowerNormalizationInputGradient(value)

    case .add: lowerMap(.add, operands, value, path)
    case .addBias:
      let (input, bias, output) = (buffer(operands[0]), buffer(operands[1]), result(value))
      append(
        AddBiases(
          input: input, bias: bias, output: output, channels: shape(value).channels,
          pixels: .pixels(shape(value))),
        path, touching: [input, bias, output])
    case .subtract: lowerMap(.subtract, operands, value, path)
    case .multiply: lowerMap(.multiply, operands, value, path)
    case .scale(let scale): lowerMap(.scale(scale.factor), operands, value, path)
    case .sigmoid: lowerMap(.sigmoid, operands, value, path)
    case .sigmoidGradient: lowerMap(.sigmoidGradient, operands, value, path)
    case .dropout(let dropout):
      let (input, key, output) = (buffer(operands[0]), buffer(operands[1]), result(value))
      append(
        DropOut(
          input: input, key: key, output: output, dropout: dropout,
          elements: .elements(shape(value).count)),
        path, touching: [input, key, output])
    case .channelSum: lowerChannelSum(operands[0], value, path)
    case .relu: lowerMap(.rectify, operands, value, path)
    case .maxPooling, .maxPoolingGradient, .averagePooling, .averagePoolingGradient,
      .globalAveragePooling, .globalAveragePoolingGradient:
      lowerPooling(node.operation, operands, value, path)
    case .slice, .sliceGradient, .pad, .concatenate, .concatenateGradient, .flatten,
      .flattenGradient, .transpose, .reshape, .reshapeGradient, .broadcast, .broadcastGradient:
      lowerMovement(node.operation, operands, value, path)

    case .softmax(let softmax):
      let (input, output) = (buffer(operands[0]), result(value))
      append(
        ComputeSoftmax(
          input: input, output: output, rows: AxisView(shape(value), axis: softmax.axis)),
        path, touching: [input, output])
    case .softmaxGradient(let gradient):
      let (inputs, output) = (operands.map(buffer), result(value))
      append(
        ComputeSoftmaxGradient(
          gradient: inputs[0], probabilities: inputs[1], output: output,
          rows: AxisView(shape(value), axis: gradient.softmax.axis)),
        path, touching: inputs + [output])
    case .softmaxCrossEntropy, .softmaxCrossEntropyGradient, .correctCount:
      lowerLoss(node.operation, operands, value, path)
    case .momentumUpdate, .allFinite, .lossScaleUpdate:
      lowerUpdate(node.operation, operands, value, path)

    case .convolution, .convolutionInputGradient, .convolutionFilterGradient,
      .batchNormalization, .reluGradient:
      preconditionFailure("\(path) belongs to a region of its own kind")
    }
  }

  private mutating func lowerMatrixProduct(
    _ product: Operation.MatrixProduct, _ left: Value, _ right: Value, _ value: Value,
    _ path: String
  ) {
    let output = result(value)
    let extents = shape(value)
    guard extents.rank == 2 else {
      let (first, second) = (buffer(left), buffer(right))
      return append(
        MultiplyMatrices(
          left: first, right: second, output: output, rows: extents[extents.rank - 2],
          inner: product.depth(shape(left)), columns: extents.channels, product: product,
          matrices: Partition(extents.extents.dropLast(2).reduce(1, *), grain: 1)),
        path, touching: [first, second, output])
    }
    let (rows, columns) = (extents[0], extents[1])
    let inner = product.depth(shape(left))
    switch (product.transposesLeft, product.transposesRight) {
    case (false, let transposed):
      lowerConvolution(
        input: buffer(left), filter: buffer(right), output: output,
        .init(rows: rows, inputs: inner, outputs: columns), transposed ? .forward : .rotated, path)
    case (true, false):
      // Both matrices have the inner index outermost, as pixels: a filter gradient.
      lowerFilterGradient(
        input: buffer(right), outputGradient: buffer(left), output: output,
        .init(rows: inner, inputs: columns, outputs: rows), path)
    case (true, true):
      let source = buffer(left)
      let transposed = temporary(path + ".transposed", floats: rows * inner)
      append(
        CopyByStrides(
          input: source, output: transposed,
          view: .init([inner, rows], permutation: [1, 0])),
        path, touching: [source, transposed])
      lowerConvolution(
        input: transposed, filter: buffer(right), output: output,
        .init(rows: rows, inputs: inner, outputs: columns), .forward, path)
    }
  }

  private mutating func lowerStatistics(_ input: Value, _ value: Value, _ path: String) {
    let channels = shape(input).channels
    let pixels = Partition.pixels(shape(input))
    let source = buffer(input)
    let partials = temporary(path + ".partials", floats: 2 * channels * pixels.parts)
    append(
      StatisticsParts(input: source, partials: partials, channels: channels, pixels: pixels), path,
      touching: [source, partials])
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
      graph.nodes[index].path, touching: [partials, count, mean, m2])
  }

  private mutating func lowerNormalizationInputGradient(_ value: Value) {
    let source = differentiatedSource(value.node)
    guard case .differentiated(let gradient, let x, let coefficients) = source else { return }
    let output = result(value)
    append(
      NormalizationInputGradient(
        gradient: gradient, input: x, coefficients: coefficients, output: output,
        channels: shape(value).channels, pixels: .pixels(shape(value))),
      graph.nodes[value.node].path, touching: source.buffers + [output])
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
      node.path, touching: inputs.dropFirst(2) + [coefficients])
    return .differentiated(gradient: inputs[0], x: inputs[1], coefficients: coefficients)
  }

  private mutating func lowerChannelSum(_ input: Value, _ value: Value, _ path: String) {
    let channels = shape(input).channels
    let pixels = Partition.pixels(shape(input))
    let source = buffer(input)
    let partials = temporary(path + ".partials", floats: channels * pixels.parts)
    append(
      ChannelSumParts(input: source, partials: partials, channels: channels, pixels: pixels), path,
      touching: [source, partials])
    let output = result(value)
    append(
      MergeSums(
        partials: partials, first: output, second: nil, channels: channels,
        partCount: pixels.parts),
      path, touching: [partials, output])
  }

  private mutating func lowerMap(
    _ function: MapElements.Function, _ operands: [Value], _ value: Value, _ path: String
  ) {
    let (inputs, output) = (operands.map(buffer), result(value))
    append(
      MapElements(
        function: function, operands: inputs, output: output,
        elements: .elements(shape(value).count)),
      path, touching: inputs + [output])
  }

  private mutating func lowerLoss(
    _ operation: Operation, _ operands: [Value], _ value: Value, _ path: String
  ) {
    let inputs = operands.map(buffer)
    switch operation {
    case .softmaxCrossEntropy:
      let logits = shape(operands[0])
      let (loss, probabilities) = (result(value), result(value.result(1)))
      append(
        ComputeCrossEntropy(
          logits: inputs[0], labels: inputs[1], weights: inputs[2], loss: loss,
          probabilities: probabilities, rows: logits[0], classes: logits[1]),
        path, touching: inputs + [loss, probabilities])
    case .softmaxCrossEntropyGradient:
      let logits = shape(value)
      let output = result(value)
      append(
        ComputeCrossEntropyGradient(
          gradient: inputs[0], probabilities: inputs[1], labels: inputs[2], weights: inputs[3],
          output: output, rows: logits[0], classes: logits[1]),
        path, touching: inputs + [output])
    case .correctCount(let count):
      let logits = shape(operands[0])
      let output = result(value)
      append(
        CountCorrect(
          logits: inputs[0], labels: inputs[1], weights: inputs[2], output: output,
          rows: logits[0], classes: logits[1], top: count.top),
        path, touching: inputs + [output])
    default: preconditionFailure("\(path) is no loss")
    }
  }
}
