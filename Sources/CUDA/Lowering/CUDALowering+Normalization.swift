import ResidualExecution

/// How a block's threads lie on pixels and channels: see Kernels/Normalization.cu.
struct PixelLayout {
  /// Numbers a thread reads at once: 16 bytes, or one where the channels do not come in such packs.
  let width: Int
  /// Threads side by side on a pixel's channels.
  let lanes: Int
  /// Pixels that a block takes at once.
  var rows: Int { 256 / lanes }
  /// Blocks side by side on the channels.
  let tiles: Int

  init(channels: Int, type: ElementType) {
    let pack = 16 / type.size
    width = channels % pack == 0 ? pack : 1
    let packs = (channels + width - 1) / width
    var lanes = 1
    while lanes < min(packs, 32) { lanes *= 2 }
    self.lanes = lanes
    tiles = (packs + lanes - 1) / lanes
  }

  /// The kernel for this width.
  func kernel(_ name: String) -> String { name + (width > 1 ? "Wide" : "Narrow") }

  /// Pixels a block where each is read and written once.
  var passChunk: Int { rows * 8 }
  /// Parts and pixels a part where sums are left to be merged: at most 528 parts, and 1,056 blocks,
  /// which the 132 multiprocessors of a large GPU share evenly.
  func sumParts(_ pixels: Int) -> (count: Int, chunk: Int) {
    let most = max(1, min(528, 1056 / tiles))
    let wanted = max(1, min(most, (pixels + rows * 4 - 1) / (rows * 4)))
    let chunk = max(1, (pixels + wanted - 1) / wanted)
    return (max(1, (pixels + chunk - 1) / chunk), chunk)
  }

  /// Whether the last block of a tile merges the parts, because they are few: it has 256 threads, and
  /// a launch of its own takes longer than some rounds of them.
  func mergesAtOnce(_ pixels: Int) -> Bool {
    sumParts(pixels).count * lanes * width <= 16 * 256 && tiles <= Self.counters
  }
  /// Tiles that can be counted.
  static let counters = 256

  func passGrid(_ pixels: Int) -> Grid {
    Grid(x: max(1, (pixels + passChunk - 1) / passChunk), y: tiles)
  }
  func sumGrid(_ pixels: Int) -> Grid { Grid(x: sumParts(pixels).count, y: tiles) }
  /// For the kernels that merge parts.
  static func mergeGrid(_ channels: Int) -> Grid { Grid(x: (channels + 31) / 32, threads: 1024) }
}

extension CUDALowering {
  private func pixels(_ shape: Shape) -> Int { shape.count / max(1, shape.channels) }

  mutating func lowerNormalization(_ region: NormalizationChain) {
    let node = graph.nodes[region.node]
    guard case .batchNormalization(let attributes) = node.operation else {
      preconditionFailure("\(node.path) is no batch normalisation")
    }
    let value = Value(node: region.last)
    let (shape, type) = (shape(value), storageType(value))
    let x = operand(node.operands[0], as: type)
    let vectors = node.operands.dropFirst().map { operand($0, as: .float32) }
    let residual = region.add.flatMap { add in
      graph.nodes[add].operands.first { $0 != Value(node: region.node) }
    }.map { operand($0, as: type) }
    let output = result(value)
    let layout = PixelLayout(channels: shape.channels, type: type)
    launch(
      layout.kernel("normalize"), type, layout.passGrid(pixels(shape)),
      [.buffer(x), .buffer(residual), .buffer(output)] + vectors.map { .buffer($0) } + [
        .int(pixels(shape)), .int(shape.channels), .int(layout.passChunk), .int(layout.lanes),
        .flag(region.relu != nil), .float(attributes.epsilon),
      ], graph.nodes[region.last], touching: [x, residual, output] + vectors)
  }

  mutating func lowerStatistics(_ region: CUDARegions.Statistics) {
    let node = graph.nodes[region.node]
    let (x, shape) = (storage(node.operands[0]), shape(node.operands[0]))
    let layout = PixelLayout(channels: shape.channels, type: x.type)
    let parts = layout.sumParts(pixels(shape))
    let partials = temporary(
      node.path + ".partials", [parts.count, 2, shape.channels], .float32)
    let value = Value(node: region.node)
    let results: [BufferID?] = [
      result(value), result(value.result(1)), result(value.result(2)),
      region.variance.map { result(Value(node: $0)) },
      region.unbiased.map { result(Value(node: $0)) },
    ]
    func old(_ node: Int?) -> BufferID? {
      node.map { storage(graph.nodes[$0].operands[0]).buffer }
    }
    func weight(_ node: Int?) -> Float {
      if let node, case .movingAverage(let average) = graph.nodes[node].operation {
        return average.weight
      }
      return 0
    }
    let olds = [old(region.movingMean), old(region.movingVariance)]
    let news = [region.movingMean, region.movingVariance].map { $0.map { result(Value(node: $0)) } }
    let merges = layout.mergesAtOnce(pixels(shape))
    let buffers = [x.buffer, partials, merges ? counters() : nil] + results + olds + news
    let arguments: [Argument] =
      buffers.map { .buffer($0) } + [
        .int(pixels(shape)), .int(shape.channels), .int(parts.chunk), .int(layout.lanes),
        .int(parts.count), .float(weight(region.movingMean)),
        .float(weight(region.movingVariance)),
      ]
    launch(
      layout.kernel("statistics"), x.type, layout.sumGrid(pixels(shape)), arguments, node,
      touching: buffers)
    if !merges {
      launch(
        "mergeStatistics", x.type, PixelLayout.mergeGrid(shape.channels), arguments, node,
        touching: buffers)
    }
  }

  /// Counters of blocks, which are 0 between launches.
  private mutating func counters() -> BufferID {
    if let blockCounters { return blockCounters }
    let buffer = temporary("counters", [PixelLayout.counters], .int32)
    builder.append(
      CUDAStep("counters", .zero(buffer, byteCount: PixelLayout.counters * 4)), touching: [buffer])
    blockCounters = buffer
    return buffer
  }

  // MARK: The backward pass

  /// A gradient as kernels read it, and what else they need to mask it.
  private struct GradientSource {
    var gradient: BufferID
    var addend: BufferID?
    var activation: BufferID?
    /// Variance, scale and shift of the normalisation that the mask is computed again from.
    var normalized: [BufferID] = []
    var epsilon: Float = 0
    var isRectified: Bool { !normalized.isEmpty }

    /// The kernel that reads such a gradient: those of common kinds have fewer tensors to read.
    func kernel(_ name: String, _ layout: PixelLayout) -> String {
      guard layout.width > 1 else { return layout.kernel(name) }
      if addend != nil || activation != nil { return layout.kernel(name + "Masked") }
      return layout.kernel(isRectified ? name + "Recomputed" : name)
    }
  }

  private mutating func source(
    _ masked: CUDARegions.MaskedGradient?, _ gradient: Value, x: Value, mean: Value,
    type: ElementType
  ) -> GradientSource {
    guard let masked else { return GradientSource(gradient: operand(gradient, as: type)) }
    let node = graph.nodes[masked.reluGradient]
    let addends = masked.add.map { graph.nodes[$0].operands } ?? [node.operands[0]]
    var source = GradientSource(gradient: operand(addends[0], as: type))
    if addends.count > 1 { source.addend = operand(addends[1], as: type) }
    if let normalized = normalization(ofActivation: node.operands[1], x: x, mean: mean) {
      source.normalized = normalized.operands.dropFirst(2).map { operand($0, as: .float32) }
      source.epsilon = normalized.epsilon
    } else {
      source.activation = operand(node.operands[1], as: type)
    }
    return source
  }

  /// The normalisation of x whose rectified result an activation is, if it is nothing else: then
  /// its sign follows from x.
  private func normalization(ofActivation activation: Value, x: Value, mean: Value)
    -> (operands: [Value], epsilon: Float)?
  {
    guard case .relu = graph.nodes[activation.node].operation else { return nil }
    let node = graph.nodes[graph.nodes[activation.node].operands[0].node]
    guard case .batchNormalization(let attributes) = node.operation, node.operands[0] == x,
      node.operands[1] == mean
    else { return nil }
    return (node.operands, attributes.epsilon)
  }

  mutating func lowerSums(_ region: CUDARegions.Sums) {
    let node = graph.nodes[region.node]
    let x = node.operands[1]
    let (shape, type) = (shape(x), storageType(x))
    let input = operand(x, as: type)
    let source = source(
      region.masked, node.operands[0], x: x, mean: node.operands[2], type: type)
    let mean = operand(node.operands[2], as: .float32)
    let maskedOutput = region.masked.flatMap { masked in
      masked.isStored ? result(Value(node: masked.reluGradient)) : nil
    }
    let scaleGradient = region.scaleGradient.map { graph.nodes[$0] }
    var gradientEpsilon: Float = 0
    var gradientVariance: BufferID?
    if let scaleGradient,
      case .batchNormalizationScaleGradient(let attributes) = scaleGradient.operation
    {
      gradientEpsilon = attributes.epsilon
      gradientVariance = operand(scaleGradient.operands[1], as: .float32)
    }
    let value = Value(node: region.node)
    appendSums(
      source: source, x: input, masked: maskedOutput, mean: mean, shape: shape, type: type,
      node, first: result(value), second: result(value.result(1)),
      scaleGradient: region.scaleGradient.map { result(Value(node: $0)) },
      gradientVariance: gradientVariance, gradientEpsilon: gradientEpsilon)
  }

  /// The sums of all numbers of each channel.
  mutating func lowerChannelSum(_ node: Node, _ value: Value) {
    let input = node.operands[0]
    let type = storageType(input)
    let source = GradientSource(gradient: operand(input, as: type))
    appendSums(
      source: source, x: nil, masked: nil, mean: nil, shape: shape(input), type: type, node,
      first: result(value), second: nil, scaleGradient: nil, gradientVariance: nil,
      gradientEpsilon: 0)
  }

  private mutating func appendSums(
    source: GradientSource, x: BufferID?, masked: BufferID?, mean: BufferID?, shape: Shape,
    type: ElementType, _ node: Node, first: BufferID, second: BufferID?, scaleGradient: BufferID?,
    gradientVariance: BufferID?,
    gradientEpsilon: Float
  ) {
    let layout = PixelLayout(channels: shape.channels, type: type)
    let parts = layout.sumParts(pixels(shape))
    let partials = temporary(node.path + ".partials", [parts.count, 2, shape.channels], .float32)
    let read: [BufferID?] = [source.gradient, source.addend, source.activation, x]
    let vectors: [BufferID?] =
      [mean] + (source.isRectified ? source.normalized : [BufferID?](repeating: nil, count: 3))
    let merges = layout.mergesAtOnce(pixels(shape))
    let buffers =
      read + [masked] + vectors + [partials, merges ? counters() : nil, first, second]
      + [scaleGradient, gradientVariance]
    let arguments: [Argument] =
      buffers.map { .buffer($0) } + [
        .int(pixels(shape)), .int(shape.channels), .int(parts.chunk), .int(layout.lanes),
        .int(parts.count), .flag(source.isRectified), .float(source.epsilon),
        .float(gradientEpsilon),
      ]
    launch(
      source.kernel("gradientSums", layout), type, layout.sumGrid(pixels(shape)), arguments, node,
      touching: buffers)
    if !merges {
      launch(
        "mergeSums", type, PixelLayout.mergeGrid(shape.channels), arguments, node,
        touching: buffers)
    }
  }

  mutating func lower(
    _ attributes: Operation.BatchNormalizationInputGradient, _ node: Node, _ value: Value
  ) {
    let (shape, type) = (shape(value), storageType(value))
    let x = operand(node.operands[1], as: type)
    let masked = regions.unstored[node.operands[0].node]
    let source = source(
      masked, node.operands[0], x: node.operands[1], mean: node.operands[2], type: type)
    let vectors = node.operands.dropFirst(2).map { operand($0, as: .float32) }
    let output = result(value)
    let layout = PixelLayout(channels: shape.channels, type: type)
    let read: [BufferID?] = [source.gradient, source.addend, source.activation, x, output]
    let coefficients: [BufferID?] =
      [vectors[0], vectors[1], vectors[2], source.normalized.last, vectors[3], vectors[4]]
    launch(
      source.kernel("normalizationGradient", layout), type, layout.passGrid(pixels(shape)),
      (read + coefficients).map { .buffer($0) } + [
        .int(pixels(shape)), .int(shape.channels), .int(layout.passChunk), .int(layout.lanes),
        .flag(source.isRectified), .flag(attributes.statistics == .fixed),
        .float(attributes.epsilon),
      ], node, touching: read + coefficients)
  }
}
