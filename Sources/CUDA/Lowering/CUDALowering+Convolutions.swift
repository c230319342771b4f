import ResidualExecution

/// A filter with the channels innermost, as activations are stored.
struct PackedFilter: Hashable {
  let value: Value
  /// Channels with the zeros behind them.
  let channels: Int
}

extension CUDALowering {
  // MARK: Channels and filters

  /// Channels that are stored for a pixel that a convolution reads: 16 bytes at a time, which the
  /// units for matrix products want, or four for colours, for which cuDNN has kernels of its own.
  func storedChannels(_ channels: Int) -> Int {
    let unit = channels <= 4 ? 4 : 16 / precision.activation.size
    return (channels + unit - 1) / unit * unit
  }

  /// Packs all filters that are there from the start, many a launch.
  mutating func packGivenFilters() {
    var wanted: [PackedFilter] = []
    var seen: Set<PackedFilter> = []
    for node in graph.nodes {
      guard let filter = filterOperand(node) else { continue }
      switch graph.nodes[filter.node].operation {
      case .input, .state: break
      default: continue
      }
      let packed = PackedFilter(value: filter, channels: storedChannels(shape(filter)[1]))
      if !liesPacked(packed), seen.insert(packed).inserted { wanted.append(packed) }
    }
    let isKept = { (filter: PackedFilter, lowering: CUDALowering) in
      lowering.keepsDerived && lowering.constants.contains(lowering.storage(filter.value).buffer)
    }
    let this = self
    pack(wanted.filter { isKept($0, this) }, isKept: true)
    pack(wanted.filter { !isKept($0, this) }, isKept: false)
  }

  private func filterOperand(_ node: Node) -> Value? {
    switch node.operation {
    case .convolution, .convolutionInputGradient: node.operands[1]
    default: nil
    }
  }

  /// Whether the filter's own layout is the packed one: a 1×1 filter in float32.
  private func liesPacked(_ filter: PackedFilter) -> Bool {
    let shape = shape(filter.value)
    return storage(filter.value).type == .float32 && precision.activation == .float32
      && shape[2] * shape[3] == 1 && shape[1] == filter.channels
  }

  private mutating func pack(_ filters: [PackedFilter], isKept: Bool) {
    let most = 80
    for start in stride(from: 0, to: filters.count, by: most) {
      var arguments: [Argument] = []
      var buffers: [BufferID] = []
      var largest = 1
      for filter in filters[start..<min(start + most, filters.count)] {
        let shape = shape(filter.value)
        let packed: Shape = [shape[0], shape[2], shape[3], filter.channels]
        let path = graph.nodes[filter.value.node].path + ".packed"
        let byteCount = packed.count * precision.activation.size
        let target =
          isKept
          ? builder.kept(path, packed, precision.activation, byteCount: byteCount)
          : builder.temporary(path, packed, precision.activation, byteCount: byteCount)
        packedFilters[filter] = target
        let source = operand(filter.value, as: .float32)
        arguments += [
          .buffer(source), .buffer(target), .int(packed.count), .int(shape[2] * shape[3]),
          .int(shape[1]), .int(filter.channels),
        ]
        buffers += [source, target]
        largest = max(largest, packed.count)
      }
      let launch = Launch(
        kernel: "packFilters", type: precision.activation,
        grid: Grid(x: min((largest + 1023) / 1024, 512), y: buffers.count / 2),
        arguments: arguments)
      let step = CUDAStep(path: "filters", work: .launch(launch))
      if isKept {
        builder.appendPreparation(step)
      } else {
        builder.append(step, touching: buffers)
      }
    }
  }

  private mutating func packedFilter(_ value: Value) -> BufferID {
    let filter = PackedFilter(value: value, channels: storedChannels(shape(value)[1]))
    if packedFilters[filter] == nil {
      if liesPacked(filter) { return storage(value).buffer }
      pack([filter], isKept: false)
    }
    guard let buffer = packedFilters[filter] else { preconditionFailure("a filter is not packed") }
    return buffer
  }

  // MARK: The three directions

  mutating func lowerConvolution(_ index: Int) {
    let node = graph.nodes[index]
    let value = Value(node: index)
    switch node.operation {
    case .convolution(let convolution):
      let channels = storedChannels(shape(node.operands[0]).channels)
      let input = operand(node.operands[0], as: precision.activation, channels: channels)
      let filter = packedFilter(node.operands[1])
      append(
        problem(.forward, convolution, node.operands[0], node.operands[1], value),
        input: input, filter: filter, output: result(value), node.path)

    case .convolutionInputGradient(let gradient):
      let shape = shape(value)
      let channels = storedChannels(shape.channels)
      let output = operand(node.operands[0], as: precision.activation)
      let filter = packedFilter(node.operands[1])
      let padded =
        channels == shape.channels
        ? result(value)
        : temporary(
          node.path + ".padded", shape.replacing(axis: 3, with: channels), precision.activation)
      append(
        problem(
          .inputGradient, gradient.convolution, node.operands[2], node.operands[1],
          node.operands[0]),
        input: padded, filter: filter, output: output, node.path)
      if channels != shape.channels {
        let (source, target) = (padded, result(value))
        let (type, pixels) = (precision.activation, shape.count / max(1, shape.channels))
        launch(
          "convertPixels", type, .elements(shape.count),
          [
            .buffer(source), .buffer(target), .wide(pixels), .int(channels), .int(shape.channels),
          ], node.path, touching: [source, target])
      }

    case .convolutionFilterGradient(let gradient):
      let filter = shape(value)
      let channels = storedChannels(filter[1])
      let input = operand(node.operands[1], as: precision.activation, channels: channels)
      let output = operand(node.operands[0], as: precision.activation)
      let isPlain =
        filter[2] * filter[3] == 1 && channels == filter[1] && precision.activation == .float32
      let target: BufferID
      if isPlain {
        target = result(value)
      } else {
        target = temporary(
          node.path, [filter[0], filter[2], filter[3], channels], precision.activation)
        note(value, target, precision.activation)
        packedGradients[value] = channels
      }
      append(
        problem(
          .filterGradient, gradient.convolution, node.operands[1], value, node.operands[0]),
        input: input, filter: target, output: output, node.path)

    default: preconditionFailure("\(node.path) is no convolution")
    }
  }

  private func problem(
    _ direction: ConvolutionProblem.Direction, _ convolution: Operation.Convolution,
    _ input: Value, _ filter: Value, _ output: Value
  ) -> ConvolutionProblem {
    let (x, w) = (shape(input), shape(filter))
    let channels = storedChannels(w[1])
    return ConvolutionProblem(
      direction: direction, input: x.replacing(axis: 3, with: channels),
      filter: w.replacing(axis: 1, with: channels), output: shape(output),
      convolution: convolution, type: precision.activation,
      usesTensorCores: precision.usesTensorCores)
  }

  private mutating func append(
    _ problem: ConvolutionProblem, input: BufferID, filter: BufferID, output: BufferID,
    _ path: String
  ) {
    let buffers = [input, filter, output]
    if let plan = convolutionPlan(problem) {
      append(
        .convolution(ConvolutionCall(plan: plan, input: input, filter: filter, output: output)),
        path, touching: buffers, scratchByteCount: plan.workspaceByteCount)
      return
    }
    let (x, w, y) = (problem.input, problem.filter, problem.output)
    let convolution = problem.convolution
    let (kernel, target): (String, (shape: Shape, buffer: BufferID)) =
      switch problem.direction {
      case .forward: ("convolution", (y, output))
      case .inputGradient: ("convolutionInputGradient", (x, input))
      case .filterGradient: ("convolutionFilterGradient", (w, filter))
      }
    launch(
      kernel, problem.type, .elements(target.shape.count),
      [
        .buffer(input), .buffer(filter), .buffer(output), .buffer(target.buffer), .int(x[0]),
        .int(x[1]), .int(x[2]), .int(x[3]), .int(w[0]), .int(w[2]), .int(w[3]), .int(y[1]),
        .int(y[2]), .int(convolution.strideHeight), .int(convolution.strideWidth),
        .int(convolution.padding.top), .int(convolution.padding.left),
      ], path, touching: buffers)
  }

  /// A filter's gradient as the filter is declared, in float32 or another type.
  mutating func unpacked(_ value: Value, channels: Int, as type: ElementType) -> BufferID {
    let shape = shape(value)
    let path = graph.nodes[value.node].path
    let (source, target) = (storage(value).buffer, temporary(path + ".plain", shape, .float32))
    launch(
      "unpackFilter", precision.activation, .elements(shape.count),
      [
        .buffer(source), .buffer(target), .int(shape.count), .int(shape[2] * shape[3]),
        .int(shape[1]), .int(channels),
      ], path, touching: [source, target])
    guard type != .float32 else { return target }
    let half = temporary(path + ".\(type.rawValue)", shape, type)
    convert(
      Stored(buffer: target, type: .float32), to: Stored(buffer: half, type: type),
      pixels: shape.count, channels: 1, into: 1, path)
    return half
  }

  // MARK: Products of matrices

  /// Products of so few numbers run as a kernel of our own.
  private static let smallProduct = 1 << 22

  mutating func lowerMatrixProduct(
    _ product: Operation.MatrixProduct, _ operands: [Value], _ value: Value, _ path: String
  ) {
    let (left, right) = (operand(operands[0], as: .float32), operand(operands[1], as: .float32))
    let extents = shape(value)
    let (rows, columns) = (extents[extents.rank - 2], extents[extents.rank - 1])
    let inner = product.depth(shape(operands[0]))
    // A type of its own where the result has four axes.
    let type = storageType(value)
    let output = type == .float32 ? result(value) : temporary(path + ".float32", extents, .float32)
    defer {
      if type != .float32 {
        convert(
          Stored(buffer: output, type: .float32), to: Stored(buffer: result(value), type: type),
          pixels: extents.count, channels: 1, into: 1, path)
      }
    }
    if extents.rank == 2, rows * columns * inner > Self.smallProduct,
      let call = convolutionCall(product, left, right, output, rows, inner, columns)
    {
      append(
        .convolution(call), path, touching: [left, right, output],
        scratchByteCount: call.plan.workspaceByteCount)
      return
    }
    let matrices = extents.extents.dropLast(2).reduce(1, *)
    guard extents.count > 0 else { return }
    launch(
      "matrixProduct", .float32,
      Grid(x: (columns + 15) / 16, y: (rows + 15) / 16, z: min(max(1, matrices), 32768)),
      [
        .buffer(left), .buffer(right), .buffer(output), .int(matrices), .int(rows), .int(inner),
        .int(columns), .int(product.transposesLeft ? 1 : inner),
        .int(product.transposesLeft ? rows : 1), .int(product.transposesRight ? 1 : columns),
        .int(product.transposesRight ? inner : 1),
      ], path, touching: [left, right, output])
  }

  /// A product of matrices as one of the three directions of a 1×1 convolution.
  private func convolutionCall(
    _ product: Operation.MatrixProduct, _ left: BufferID, _ right: BufferID, _ output: BufferID,
    _ rows: Int, _ inner: Int, _ columns: Int
  ) -> ConvolutionCall? {
    func plan(
      _ direction: ConvolutionProblem.Direction, pixels: Int, inputs: Int, outputs: Int
    ) -> ConvolutionPlan? {
      convolutionPlan(
        ConvolutionProblem(
          direction: direction, input: [pixels, 1, 1, inputs], filter: [outputs, inputs, 1, 1],
          output: [pixels, 1, 1, outputs], convolution: .init(), type: .float32,
          usesTensorCores: precision.usesTensorCores))
    }
    switch (product.transposesLeft, product.transposesRight) {
    case (false, true):
      return plan(.forward, pixels: rows, inputs: inner, outputs: columns).map {
        ConvolutionCall(plan: $0, input: left, filter: right, output: output)
      }
    case (false, false):
      return plan(.inputGradient, pixels: rows, inputs: columns, outputs: inner).map {
        ConvolutionCall(plan: $0, input: output, filter: right, output: left)
      }
    case (true, false):
      return plan(.filterGradient, pixels: inner, inputs: columns, outputs: rows).map {
        ConvolutionCall(plan: $0, input: right, filter: output, output: left)
      }
    case (true, true): return nil
    }
  }
}
