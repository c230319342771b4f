import ResidualExecution

extension CUDALowering {
  /// Lowers the region that runs at a node's place, or the node by itself.
  mutating func lower(_ index: Int) {
    if let region = regions.normalizations[index] { return lowerNormalization(region) }
    if let region = regions.statistics[index] { return lowerStatistics(region) }
    if let region = regions.sums[index] { return lowerSums(region) }
    if let region = regions.updates[index] { return lowerUpdates(region) }
    if let chain = regions.gathers[index] { return lowerGather(chain) }
    let (node, value) = (graph.nodes[index], Value(node: index))
    switch node.operation {
    case .input, .state: break
    case .constant(let constant):
      let output = result(value)
      fill(output, .float32, shape(value).count, constant.value, node)

    case .assembleImages: lowerImageAssembly(node, value)
    case .convolution(let convolution): lower(convolution, node, value)
    case .convolutionInputGradient(let gradient): lower(gradient, node, value)
    case .convolutionFilterGradient(let gradient): lower(gradient, node, value)
    case .matrixProduct(let product): lower(product, node, value)

    case .variance(let variance):
      lowerVector(0, node.operands[1], node.operands[0], Float(variance.correction), node, value)
    case .movingAverage(let average):
      lowerVector(1, node.operands[0], node.operands[1], average.weight, node, value)
    case .batchNormalizationScaleGradient(let gradient):
      lowerVector(2, node.operands[0], node.operands[1], gradient.epsilon, node, value)
    case .batchNormalizationInputGradient(let gradient): lower(gradient, node, value)
    case .channelSum: lowerChannelSum(node, value)

    case .add: lowerMap(.addition, node, value)
    case .subtract: lowerMap(.subtraction, node, value)
    case .multiply: lowerMap(.multiplication, node, value)
    case .scale(let scale): lowerMap(.scaling, node, value, factor: scale.factor)
    case .relu: lowerMap(.rectification, node, value)
    case .reluGradient: lowerMap(.rectifierGradient, node, value)
    case .sigmoid: lowerMap(.logistic, node, value)
    case .sigmoidGradient: lowerMap(.logisticGradient, node, value)
    case .addBias: lowerBias(node, value)
    case .dropout(let dropout): lower(dropout, node, value)

    case .maxPooling(let pooling): lower(pooling, node, value)
    case .maxPoolingGradient(let gradient): lower(gradient, node, value)
    case .averagePooling(let pooling): lower(pooling, node, value)
    case .averagePoolingGradient(let gradient): lower(gradient, node, value)
    case .globalAveragePooling: lowerGlobalAverage(node, value)
    case .globalAveragePoolingGradient: lowerGlobalAverageGradient(node, value)

    case .concatenate(let concatenation): lower(concatenation, node, value)
    case .concatenateGradient(let gradient): lower(gradient, node, value)
    case .flatten:
      let image = shape(node.operands[0])
      permute([image[0], image[1] * image[2], image[3]], [0, 2, 1], node, value)
    case .flattenGradient:
      let image = shape(value)
      permute([image[0], image[3], image[1] * image[2]], [0, 2, 1], node, value)
    case .transpose(let transposition):
      permute(shape(node.operands[0]).extents, transposition.permutation, node, value)
    case .reshape, .reshapeGradient: permute([shape(value).count], [0], node, value)
    case .broadcast: lowerBroadcast(node, value)
    case .broadcastGradient: lowerBroadcastGradient(node, value)

    case .softmax(let softmax): lowerSoftmax("softmax", softmax.axis, node, value)
    case .softmaxGradient(let gradient):
      lowerSoftmax("softmaxGradient", gradient.softmax.axis, node, value)
    case .softmaxCrossEntropy: lowerCrossEntropy(node, value)
    case .softmaxCrossEntropyGradient: lowerCrossEntropyGradient(node, value)
    case .correctCount(let count): lower(count, node, value)

    case .gradientNorm(let norm): lower(norm, node, value)
    case .select:
      let gate = operand(node.operands[0], as: .float32)
      lowerVector(3, node.operands[1], node.operands[2], gate: gate, 0, node, value)
    case .lossScaleUpdate(let update): lower(update, node, value)

    case .batchNormalization, .channelStatistics, .batchNormalizationSums, .momentumUpdate,
      .slice, .sliceGradient, .pad:
      preconditionFailure("\(node.path) belongs to a region")
    }
  }

  // MARK: Maps

  /// What Kernels/Elementwise.cu can compute, by its numbers.
  enum MapFunction: Int {
    case addition = 0, subtraction, multiplication, scaling, rectification, rectifierGradient
    case logistic, logisticGradient
  }

  private mutating func lowerMap(
    _ function: MapFunction, _ node: Node, _ value: Value, factor: Float = 0
  ) {
    let type = storageType(value)
    let inputs = node.operands.map { operand($0, as: type) }
    let (output, count) = (result(value), shape(value).count)
    let pack = 16 / type.size
    let isWide = count % pack == 0
    let operands = (0..<3).map { $0 < inputs.count ? inputs[$0] : nil }
    launch(
      isWide ? "mapWide" : "mapNarrow", type, .elements(isWide ? count / pack : count),
      operands.map { .buffer($0) } + [
        .buffer(output), .wide(count), .int(function.rawValue), .float(factor),
      ], node, touching: operands + [output])
  }

  private mutating func lowerBias(_ node: Node, _ value: Value) {
    let type = storageType(value)
    let x = operand(node.operands[0], as: type)
    let bias = operand(node.operands[1], as: .float32)
    let (output, shape) = (result(value), shape(value))
    launch(
      "addBias", type, .elements(shape.count),
      [.buffer(x), .buffer(bias), .buffer(output), .wide(shape.count), .int(shape.channels)],
      node, touching: [x, bias, output])
  }

  private mutating func lower(_ dropout: Operation.Dropout, _ node: Node, _ value: Value) {
    let type = storageType(value)
    let (x, key) = (operand(node.operands[0], as: type), storage(node.operands[1]).buffer)
    let (output, count) = (result(value), shape(value).count)
    launch(
      "dropout", type, .elements(count),
      [
        .buffer(x), .buffer(key), .buffer(output), .wide(count),
        .wide(Int(bitPattern: UInt(dropout.stream))), .float(dropout.rate),
      ], node, touching: [x, key, output])
  }

  mutating func fill(
    _ output: BufferID, _ type: ElementType, _ count: Int, _ value: Float, _ node: Node
  ) {
    launch(
      "fill", type, .elements(count), [.buffer(output), .wide(count), .float(value)], node,
      touching: [output])
  }

  private mutating func lowerVector(
    _ function: Int, _ first: Value, _ second: Value, gate: BufferID? = nil, _ factor: Float,
    _ node: Node, _ value: Value
  ) {
    let (x, y) = (operand(first, as: .float32), operand(second, as: .float32))
    let count = shape(value).count
    let type = storageType(value)
    let output = type == .float32 ? result(value) : temporary(node.path, shape(value), .float32)
    launch(
      "mapVector", .float32, Grid(x: max(1, (count + 255) / 256)),
      [x, y, gate, output].map { .buffer($0) } + [.int(count), .int(function), .float(factor)],
      node, touching: [x, y, gate, output])
    if type != .float32 {
      convert(
        Stored(buffer: output, type: .float32), to: Stored(buffer: result(value), type: type),
        pixels: count, channels: 1, into: 1, node)
    }
  }
}
