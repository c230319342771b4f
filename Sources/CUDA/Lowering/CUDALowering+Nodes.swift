import ResidualExecution

extension CUDALowering {
  /// Lowers the region that runs at a node's place, or the node by itself.
  mutating func lower(_ index: Int) {
    if let region = regions.normalizations[index] { return lowerNormalization(region) }
    if let region = regions.statistics[index] { return lowerStatistics(region) }
    if let region = regions.sums[index] { return lowerSums(region) }
    if let group = regions.updates[index] { return lowerUpdates(group) }
    if let chain = regions.gathers[index] { return lowerGather(chain) }
    let node = graph.nodes[index]
    let (path, operands, value) = (node.path, node.operands, Value(node: index))
    switch node.operation {
    case .input, .state: break
    case .constant(let constant):
      let output = result(value)
      fill(output, .float32, shape(value).count, constant.value, path)

    case .assembleImages: lowerImageAssembly(operands, value, path)
    case .convolution, .convolutionInputGradient, .convolutionFilterGradient:
      lowerConvolution(index)
    case .matrixProduct(let product): lowerMatrixProduct(product, operands, value, path)

    case .variance(let variance):
      lowerVector(0, operands[1], operands[0], Float(variance.correction), value, path)
    case .movingAverage(let average):
      lowerVector(1, operands[0], operands[1], average.weight, value, path)
    case .batchNormalizationScaleGradient(let gradient):
      lowerVector(2, operands[0], operands[1], gradient.epsilon, value, path)
    case .batchNormalizationInputGradient: lowerNormalizationGradient(index)
    case .channelSum: lowerChannelSum(operands[0], value, path)

    case .add: lowerMap(.addition, operands, value, path)
    case .subtract: lowerMap(.subtraction, operands, value, path)
    case .multiply: lowerMap(.multiplication, operands, value, path)
    case .scale(let scale): lowerMap(.scaling, operands, value, path, factor: scale.factor)
    case .relu: lowerMap(.rectification, operands, value, path)
    case .reluGradient: lowerMap(.rectifierGradient, operands, value, path)
    case .sigmoid: lowerMap(.logistic, operands, value, path)
    case .sigmoidGradient: lowerMap(.logisticGradient, operands, value, path)
    case .addBias:
      let type = storageType(value)
      let (x, bias) = (operand(operands[0], as: type), operand(operands[1], as: .float32))
      let (output, shape) = (result(value), shape(value))
      launch(
        "addBias", type, .elements(shape.count),
        [.buffer(x), .buffer(bias), .buffer(output), .wide(shape.count), .int(shape.channels)],
        path, touching: [x, bias, output])
    case .dropout(let dropout):
      let type = storageType(value)
      let (x, key) = (operand(operands[0], as: type), storage(operands[1]).buffer)
      let (output, count) = (result(value), shape(value).count)
      launch(
        "dropout", type, .elements(count),
        [
          .buffer(x), .buffer(key), .buffer(output), .wide(count),
          .wide(Int(bitPattern: UInt(dropout.stream))), .float(dropout.rate),
        ], path, touching: [x, key, output])

    case .maxPooling, .maxPoolingGradient, .averagePooling, .averagePoolingGradient,
      .globalAveragePooling, .globalAveragePoolingGradient:
      lowerPooling(node.operation, operands, value, path)
    case .concatenate, .concatenateGradient, .flatten, .flattenGradient, .transpose, .reshape,
      .reshapeGradient, .broadcast, .broadcastGradient:
      lowerMovement(node.operation, operands, value, path)
    case .softmax(let softmax): lowerSoftmax("softmax", softmax.axis, operands, value, path)
    case .softmaxGradient(let gradient):
      lowerSoftmax("softmaxGradient", gradient.softmax.axis, operands, value, path)
    case .softmaxCrossEntropy, .softmaxCrossEntropyGradient, .correctCount:
      lowerLoss(node.operation, operands, value, path)

    case .allFinite: lowerFinite(operands, value, path)
    case .lossScaleUpdate(let update): lowerLossScale(update, operands, value, path)

    case .batchNormalization, .channelStatistics, .batchNormalizationSums, .momentumUpdate,
      .slice, .sliceGradient, .pad:
      preconditionFailure("\(path) belongs to a region")
    }
  }

  // MARK: Maps

  /// What Kernels/Elementwise.cu can compute, by its numbers.
  enum MapFunction: Int {
    case addition = 0, subtraction, multiplication, scaling, rectification, rectifierGradient
    case logistic, logisticGradient
  }

  private mutating func lowerMap(
    _ function: MapFunction, _ operands: [Value], _ value: Value, _ path: String,
    factor: Float = 0
  ) {
    let type = storageType(value)
    let inputs = operands.map { operand($0, as: type) }
    appendMap(function, inputs, result(value), type, shape(value).count, path, factor: factor)
  }

  mutating func appendMap(
    _ function: MapFunction, _ inputs: [BufferID], _ output: BufferID, _ type: ElementType,
    _ count: Int, _ path: String, factor: Float = 0
  ) {
    let pack = 16 / type.size
    let isWide = count % pack == 0
    let operands = (0..<3).map { $0 < inputs.count ? inputs[$0] : nil }
    launch(
      isWide ? "mapWide" : "mapNarrow", type, .elements(isWide ? count / pack : count),
      operands.map { .buffer($0) } + [
        .buffer(output), .wide(count), .int(function.rawValue), .float(factor),
      ], path, touching: operands + [output])
  }

  mutating func fill(
    _ output: BufferID, _ type: ElementType, _ count: Int, _ value: Float, _ path: String
  ) {
    launch(
      "fill", type, .elements(count), [.buffer(output), .wide(count), .float(value)], path,
      touching: [output])
  }

  private mutating func lowerVector(
    _ function: Int, _ first: Value, _ second: Value, _ factor: Float, _ value: Value,
    _ path: String
  ) {
    let (x, y) = (operand(first, as: .float32), operand(second, as: .float32))
    let count = shape(value).count
    let type = storageType(value)
    let output = type == .float32 ? result(value) : temporary(path, shape(value), .float32)
    launch(
      "mapVector", .float32, Grid(x: max(1, (count + 255) / 256)),
      [.buffer(x), .buffer(y), .buffer(output), .int(count), .int(function), .float(factor)],
      path, touching: [x, y, output])
    if type != .float32 {
      convert(
        Stored(buffer: output, type: .float32), to: Stored(buffer: result(value), type: type),
        pixels: count, channels: 1, into: 1, path)
    }
  }

  // MARK: Losses

  private mutating func lowerSoftmax(
    _ kernel: String, _ axis: Int, _ operands: [Value], _ value: Value, _ path: String
  ) {
    let (type, shape) = (storageType(value), shape(value))
    let inputs = operands.map { operand($0, as: type) }
    let output = result(value)
    let inner = shape.extents[(axis + 1)...].reduce(1, *)
    let outer = shape.extents[..<axis].reduce(1, *)
    // The softmax has no gradient in front of its operand.
    let read: [BufferID?] = inputs.count > 1 ? inputs : [nil, inputs[0]]
    launch(
      kernel, type, .elements(outer * inner),
      read.map { .buffer($0) } + [
        .buffer(output), .int(outer), .int(shape[axis]), .int(inner),
      ], path, touching: read + [output])
  }

  private mutating func lowerLoss(
    _ operation: Operation, _ operands: [Value], _ value: Value, _ path: String
  ) {
    func grid(_ rows: Int) -> Grid { Grid(x: max(1, (rows + 7) / 8)) }
    switch operation {
    case .softmaxCrossEntropy:
      let shape = shape(operands[0])
      let (logits, labels) = (operand(operands[0], as: .float32), storage(operands[1]).buffer)
      let weights = operand(operands[2], as: .float32)
      let losses = temporary(path + ".losses", [shape[0]], .float32)
      let (loss, probabilities) = (result(value), result(value.result(1)))
      launch(
        "crossEntropy", .float32, grid(shape[0]),
        [
          .buffer(logits), .buffer(labels), .buffer(losses), .buffer(probabilities),
          .int(shape[0]), .int(shape[1]),
        ], path, touching: [logits, labels, losses, probabilities])
      appendWeightedSum(losses, weights, loss, shape[0], divides: true, path)
    case .softmaxCrossEntropyGradient:
      let shape = shape(value)
      let (gradient, probabilities) = (
        operand(operands[0], as: .float32), operand(operands[1], as: .float32)
      )
      let (labels, weights) = (storage(operands[2]).buffer, operand(operands[3], as: .float32))
      let output = result(value)
      launch(
        "crossEntropyGradient", .float32, grid(shape[0]),
        [
          .buffer(gradient), .buffer(probabilities), .buffer(weights), .buffer(labels),
          .buffer(output), .int(shape[0]), .int(shape[1]),
        ], path, touching: [gradient, probabilities, weights, labels, output])
    case .correctCount(let count):
      let shape = shape(operands[0])
      let (logits, labels) = (operand(operands[0], as: .float32), storage(operands[1]).buffer)
      let weights = operand(operands[2], as: .float32)
      let correct = temporary(path + ".rows", [shape[0]], .float32)
      launch(
        "correctRows", .float32, grid(shape[0]),
        [
          .buffer(logits), .buffer(labels), .buffer(correct), .int(shape[0]), .int(shape[1]),
          .int(count.top),
        ], path, touching: [logits, labels, correct])
      appendWeightedSum(correct, weights, result(value), shape[0], divides: false, path)
    default: preconditionFailure("\(path) is no loss")
    }
  }

  private mutating func appendWeightedSum(
    _ values: BufferID, _ weights: BufferID, _ output: BufferID, _ count: Int, divides: Bool,
    _ path: String
  ) {
    launch(
      "weightedSum", .float32, Grid(),
      [.buffer(values), .buffer(weights), .buffer(output), .int(count), .flag(divides)], path,
      touching: [values, weights, output])
  }
}
