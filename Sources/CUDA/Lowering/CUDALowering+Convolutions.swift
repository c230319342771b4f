import ResidualExecution

extension CUDALowering {
  // MARK: The three directions

  mutating func lower(_ convolution: Operation.Convolution, _ node: Node, _ value: Value) {
    let problem = problem(convolution, node, value)
    let algorithm = convolutionAlgorithm(problem)
    let input = operand(node.operands[0], as: precision.activation, channels: problem.input[3])
    let filter = packedFilter(node.operands[1], algorithm.filterLayout)
    append(problem, algorithm, input: input, filter: filter, output: result(value), node)
  }

  mutating func lower(
    _ gradient: Operation.ConvolutionInputGradient, _ node: Node, _ value: Value
  ) {
    let problem = problem(gradient, node)
    let algorithm = convolutionAlgorithm(problem)
    let (shape, channels) = (shape(value), problem.input[3])
    let output = operand(node.operands[0], as: precision.activation)
    let filter = packedFilter(node.operands[1], algorithm.filterLayout)
    let padded =
      channels == shape.channels
      ? result(value)
      : temporary(
        node.path + ".padded", shape.replacing(axis: 3, with: channels), precision.activation)
    append(problem, algorithm, input: padded, filter: filter, output: output, node)
    guard channels != shape.channels else { return }
    let (type, pixels) = (precision.activation, shape.count / max(1, shape.channels))
    let target = result(value)
    launch(
      "convertPixels", type, .elements(shape.count),
      [.buffer(padded), .buffer(target), .wide(pixels), .int(channels), .int(shape.channels)],
      node, touching: [padded, target])
  }

  mutating func lower(
    _ gradient: Operation.ConvolutionFilterGradient, _ node: Node, _ value: Value
  ) {
    let operands = node.operands
    let problem = problem(
      .filterGradient, gradient.convolution, operands[1], value, operands[0])
    let algorithm = convolutionAlgorithm(problem)
    let (filter, channels) = (shape(value), problem.input[3])
    let input = operand(operands[1], as: precision.activation, channels: channels)
    let output = operand(operands[0], as: precision.activation)
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
      problem, algorithm, input: input, filter: target, output: output, node,
      aside: isOnlyUpdatedWith(value))
  }

  /// Whether nothing reads a gradient but the update at the end of the step. Where activations are
  /// computed again, memory counts for more than time, and nothing goes aside.
  private func isOnlyUpdatedWith(_ gradient: Value) -> Bool {
    !uses.isObserved(gradient.node) && !repeatsNodes && !uses[gradient.node].isEmpty
      && uses[gradient.node].allSatisfy { use in
        switch graph.nodes[use.node].operation {
        case .momentumUpdate, .gradientNorm: true
        default: false
        }
      }
  }

  /// What a node that reads a filter is to compute of a convolution.
  func problem(_ convolution: Operation.Convolution, _ node: Node, _ value: Value)
    -> ConvolutionProblem
  {
    problem(.forward, convolution, node.operands[0], node.operands[1], value)
  }

  /// Likewise.
  func problem(_ gradient: Operation.ConvolutionInputGradient, _ node: Node) -> ConvolutionProblem {
    let operands = node.operands
    return problem(.inputGradient, gradient.convolution, operands[2], operands[1], operands[0])
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
    _ problem: ConvolutionProblem, _ algorithm: CUDAConvolution, input: BufferID,
    filter: BufferID, output: BufferID, _ node: Node, aside: Bool = false
  ) {
    let buffers = [input, filter, output]
    switch algorithm {
    case .cudnn(let plan):
      append(
        .convolution(ConvolutionCall(plan: plan, input: input, filter: filter, output: output)),
        node, touching: buffers, scratchByteCount: plan.workspaceByteCount)
    case .small(let small):
      let count = small.partialCount
      let parts = count > 0 ? temporary(node.path + ".parts", [count], .float32) : nil
      let launches = small.launches(input: input, filter: filter, output: output, parts: parts)
      for launch in launches {
        append(.launch(launch), node, touching: buffers + [parts], aside: aside)
      }
      if aside { noteAside(problem.byteCounts) }
    case .plain: appendPlain(problem, input: input, filter: filter, output: output, node)
    }
  }

  private mutating func appendPlain(
    _ problem: ConvolutionProblem, input: BufferID, filter: BufferID, output: BufferID,
    _ node: Node
  ) {
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
      ], node, touching: [input, filter, output])
  }

  // MARK: Products of matrices

  /// Products of so few numbers run as a kernel of our own.
  private static let smallProduct = 1 << 22

  mutating func lower(_ product: Operation.MatrixProduct, _ node: Node, _ value: Value) {
    let operands = node.operands
    let (left, right) = (operand(operands[0], as: .float32), operand(operands[1], as: .float32))
    let extents = shape(value)
    let (rows, columns) = (extents[extents.rank - 2], extents[extents.rank - 1])
    let inner = product.depth(shape(operands[0]))
    // A type of its own where the result has four axes.
    let type = storageType(value)
    let output =
      type == .float32 ? result(value) : temporary(node.path + ".float32", extents, .float32)
    defer {
      if type != .float32 {
        convert(
          Stored(buffer: output, type: .float32), to: Stored(buffer: result(value), type: type),
          pixels: extents.count, channels: 1, into: 1, node)
      }
    }
    if extents.rank == 2, rows * columns * inner > Self.smallProduct,
      let call = convolutionCall(product, left, right, output, rows, inner, columns)
    {
      append(
        .convolution(call), node, touching: [left, right, output],
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
      ], node, touching: [left, right, output])
  }

  /// A product of matrices as one of the three directions of a 1×1 convolution.
  private func convolutionCall(
    _ product: Operation.MatrixProduct, _ left: BufferID, _ right: BufferID, _ output: BufferID,
    _ rows: Int, _ inner: Int, _ columns: Int
  ) -> ConvolutionCall? {
    func plan(
      _ direction: ConvolutionProblem.Direction, pixels: Int, inputs: Int, outputs: Int
    ) -> ConvolutionPlan? {
      let problem = ConvolutionProblem(
        direction: direction, input: [pixels, 1, 1, inputs], filter: [outputs, inputs, 1, 1],
        output: [pixels, 1, 1, outputs], convolution: .init(), type: .float32,
        usesTensorCores: precision.usesTensorCores)
      guard case .cudnn(let plan) = convolutionAlgorithm(problem) else { return nil }
      return plan
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
