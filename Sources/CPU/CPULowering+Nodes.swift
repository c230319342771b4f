import ResidualExecution
import ResidualKernelInterface

extension CPULowering {
  /// Lowers a node that is a region of its own.
  mutating func lowerNode(_ index: Int) {
    let (node, value) = (graph.nodes[index], Value(node: index))
    let (operands, result) = (node.operands.map(shape), shape(value))
    switch node.operation {
    case .input, .state: break
    case .constant(let constant):
      appendWork(of: node, value) { SetConstant(output: $1[0], value: constant.value) }
    case .assembleImages:
      appendWork(of: node, value) {
        AssembleImages(
          pixels: $0[0], samples: $0[1], mean: $0[2], deviation: $0[3], output: $1[0],
          images: operands[0][0], height: operands[0][1], width: operands[0][2],
          isPerPixel: operands[2].rank == 3, batch: Partition(result[0], grain: 1))
      }
    case .matrixProduct(let product): lower(product, node, value)

    case .channelStatistics: lowerStatistics(node, value)
    case .variance(let variance):
      appendWork(of: node, value) {
        ComputeVariance(
          count: $0[0], m2: $0[1], output: $1[0], correction: variance.correction,
          channels: result.count)
      }
    case .movingAverage(let average):
      appendWork(of: node, value) {
        UpdateMovingAverage(
          old: $0[0], new: $0[1], output: $1[0], weight: average.weight, count: result.count)
      }
    case .batchNormalizationSums: lowerSums(index, gradient: buffer(node.operands[0]))
    case .batchNormalizationScaleGradient(let gradient):
      appendWork(of: node, value) {
        ScaleGradient(
          products: $0[0], variance: $0[1], output: $1[0], epsilon: gradient.epsilon,
          channels: result.count)
      }
    case .batchNormalizationInputGradient: lowerNormalizationInputGradient(node, value)
    case .channelSum: lowerChannelSum(node, value)

    case .add: lowerMap(.add, node, value)
    case .subtract: lowerMap(.subtract, node, value)
    case .multiply: lowerMap(.multiply, node, value)
    case .scale(let scale): lowerMap(.scale(scale.factor), node, value)
    case .sigmoid: lowerMap(.sigmoid, node, value)
    case .sigmoidGradient: lowerMap(.sigmoidGradient, node, value)
    case .relu: lowerMap(.rectify, node, value)
    case .addBias:
      appendWork(of: node, value) {
        AddBiases(
          input: $0[0], bias: $0[1], output: $1[0], channels: result.channels,
          pixels: .pixels(result))
      }
    case .dropout(let dropout):
      appendWork(of: node, value) {
        DropOut(
          input: $0[0], key: $0[1], output: $1[0], dropout: dropout,
          elements: .elements(result.count))
      }

    case .maxPooling(let pooling):
      appendWork(of: node, value) {
        PoolMaximum(
          input: $0[0], output: $1[0], extents: .init(pooling, input: operands[0], output: result))
      }
    case .maxPoolingGradient(let gradient):
      appendWork(of: node, value) {
        PoolMaximumGradient(
          gradient: $0[0], input: $0[1], output: $1[0],
          extents: .init(gradient.pooling, input: operands[1], output: operands[0]))
      }
    case .averagePooling(let pooling):
      appendWork(of: node, value) {
        PoolAverage(
          input: $0[0], output: $1[0], windows: .init(pooling, input: operands[0], output: result))
      }
    case .averagePoolingGradient(let gradient):
      appendWork(of: node, value) {
        PoolAverageGradient(
          gradient: $0[0], output: $1[0],
          windows: .init(gradient.pooling, input: operands[1], output: operands[0]))
      }
    case .globalAveragePooling:
      let image = operands[0]
      appendWork(of: node, value) {
        AverageImages(
          input: $0[0], output: $1[0], pixels: image[1] * image[2], channels: image[3],
          images: Partition(image[0], grain: 8))
      }
    case .globalAveragePoolingGradient:
      appendWork(of: node, value) {
        SpreadOverImages(
          gradient: $0[0], output: $1[0], pixels: result[1] * result[2], channels: result[3],
          images: Partition(result[0], grain: 8))
      }

    case .slice(let slice):
      lowerCopy(.gather, slice.axis, start: slice.start, stride: slice.stride, node, value)
    case .sliceGradient(let gradient):
      let slice = gradient.slice
      lowerCopy(.scatter(0), slice.axis, start: slice.start, stride: slice.stride, node, value)
    case .pad(let pad): lowerCopy(.scatter(pad.value), pad.axis, start: pad.before, node, value)
    case .concatenate(let concatenation):
      if !hasSquares(value) { lower(concatenation, node, value) }
    case .concatenateGradient(let gradient):
      lowerCopy(
        .gather, gradient.concatenation.axis, start: gradient.start(operands), node, value)
    case .flatten:
      let image = operands[0]
      let matrices: Shape = [image[0], image[1] * image[2], image[3]]
      lowerStrides(.init(matrices, permutation: [0, 2, 1]), node, value)
    case .flattenGradient:
      let matrices: Shape = [result[0], result[3], result[1] * result[2]]
      lowerStrides(.init(matrices, permutation: [0, 2, 1]), node, value)
    case .transpose(let transposition):
      lowerStrides(.init(operands[0], permutation: transposition.permutation), node, value)
    case .broadcast: lowerStrides(.init(operands[0], broadcastTo: result), node, value)
    case .broadcastGradient:
      appendWork(of: node, value) {
        SumOverBroadcast(gradient: $0[0], output: $1[0], large: operands[0], small: result)
      }
    case .reshape, .reshapeGradient:
      let byteCount = byteCount(value)
      appendWork(of: node, value) { Copy(input: $0[0], output: $1[0], byteCount: byteCount) }

    case .softmax(let softmax):
      let rows = AxisView(result, axis: softmax.axis)
      appendWork(of: node, value) { ComputeSoftmax(input: $0[0], output: $1[0], rows: rows) }
    case .softmaxGradient(let gradient):
      appendWork(of: node, value) {
        ComputeSoftmaxGradient(
          gradient: $0[0], probabilities: $0[1], output: $1[0],
          rows: AxisView(result, axis: gradient.softmax.axis))
      }
    case .softmaxCrossEntropy:
      appendWork(of: node, value) {
        ComputeCrossEntropy(
          logits: $0[0], labels: $0[1], weights: $0[2], loss: $1[0], probabilities: $1[1],
          rows: operands[0][0], classes: operands[0][1])
      }
    case .softmaxCrossEntropyGradient:
      appendWork(of: node, value) {
        ComputeCrossEntropyGradient(
          gradient: $0[0], probabilities: $0[1], labels: $0[2], weights: $0[3], output: $1[0],
          rows: result[0], classes: result[1])
      }
    case .correctCount(let count):
      appendWork(of: node, value) {
        CountCorrect(
          logits: $0[0], labels: $0[1], weights: $0[2], output: $1[0], rows: operands[0][0],
          classes: operands[0][1], top: count.top)
      }

    case .momentumUpdate(let update): lower(update, node, value)
    case .gradientNorm(let norm): lower(norm, node, value)
    case .select:
      let byteCount = byteCount(value)
      appendWork(of: node, value) {
        SelectVector(
          gate: $0[0], first: $0[1], second: $0[2], output: $1[0], byteCount: byteCount)
      }
    case .lossScaleUpdate(let update):
      appendWork(of: node, value) {
        UpdateLossScale(
          scale: $0[0], steps: $0[1], gate: $0[2], newScale: $1[0], newSteps: $1[1],
          attributes: update)
      }

    case .convolution, .convolutionInputGradient, .convolutionFilterGradient,
      .batchNormalization, .reluGradient:
      preconditionFailure("\(node.path) belongs to a region of its own kind")
    }
  }

  private mutating func lowerMap(_ function: MapElements.Function, _ node: Node, _ value: Value) {
    let elements = Partition.elements(shape(value).count)
    appendWork(of: node, value) {
      MapElements(function: function, operands: $0, output: $1[0], elements: elements)
    }
  }

  // MARK: Movement

  /// Copies between a node's operand and its result, of which one is larger along an axis.
  private mutating func lowerCopy(
    _ direction: CopyAlongAxis.Direction, _ axis: Int, start: Int, stride: Int = 1, _ node: Node,
    _ value: Value
  ) {
    let (operand, result) = (shape(node.operands[0]), shape(value))
    let (large, small) = direction == .gather ? (operand, result) : (result, operand)
    appendWork(of: node, value) {
      CopyAlongAxis(
        source: $0[0], target: $1[0], direction: direction, large: AxisView(large, axis: axis),
        small: AxisView(small, axis: axis), start: start, stride: stride)
    }
  }

  private mutating func lower(
    _ concatenation: Operation.Concatenate, _ node: Node, _ value: Value
  ) {
    let (target, large) = (result(value), AxisView(shape(value), axis: concatenation.axis))
    var start = 0
    for operand in node.operands {
      let (source, small) = (buffer(operand), AxisView(shape(operand), axis: concatenation.axis))
      append(
        CopyAlongAxis(
          source: source, target: target, direction: .place, large: large, small: small,
          start: start, stride: 1),
        node, touching: [source, target])
      start += small.extent
    }
  }

  private mutating func lowerStrides(_ view: StridedView, _ node: Node, _ value: Value) {
    appendWork(of: node, value) { CopyByStrides(input: $0[0], output: $1[0], view: view) }
  }
}
