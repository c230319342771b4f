import ResidualExecution
import ResidualKernelInterface

extension CPULowering {
  // MARK: Forward

  mutating func lowerConvolution(_ region: Region.FusedConvolution) {
    let node = graph.nodes[region.node]
    guard case .convolution(let convolution) = node.operation else {
      preconditionFailure("\(node.path) is no convolution")
    }
    let value = Value(node: region.node)
    let (input, filter) = (node.operands[0], buffer(node.operands[1]))
    let extents = ConvolutionExtents(
      convolution, input: shape(input), filter: shape(node.operands[1]), output: shape(value))
    let planned = planned(extents)
    let source = source(of: input, madeHere: region.input)
    if let normalization = region.output {
      let coefficients = coefficients(of: normalization.node)
      let residual = residual(of: normalization)
      appendConvolution(
        planned, of: source, filter: filter, output: result(Value(node: normalization.last)),
        epilogue: .normalization(
          coefficients: coefficients, residual: residual, rectifies: normalization.relu != nil),
        parts: parts(planned, source), node)
    } else if let statistics = region.statistics {
      let parts = parts(planned, source, gathersStatistics: true)
      let counts = parts.blocks.blockCounts.map { $0 * extents.outputWidth }
      let partials = temporary(
        graph.nodes[statistics].path + ".partials",
        floats: 2 * extents.outputChannels * counts.count)
      appendConvolution(
        planned, of: source, filter: filter, output: result(value),
        epilogue: .statistics(partials), parts: parts, node)
      mergeStatistics(statistics, partials: partials, counts: counts)
    } else {
      appendConvolution(
        planned, of: source, filter: filter, output: result(value),
        parts: parts(planned, source), node)
    }
  }

  /// A convolution, or a matrix product as one, of a stored input.
  mutating func lowerConvolution(
    input: BufferID, filter: BufferID, output: BufferID, _ extents: ConvolutionExtents,
    _ packing: FilterPacking, _ node: Node
  ) {
    let planned = planned(extents)
    appendConvolution(
      planned, of: .stored(input), filter: filter, output: output, packing,
      parts: parts(planned, .stored(input)), node)
  }

  private func planned(_ extents: ConvolutionExtents) -> PlannedConvolution {
    PlannedConvolution(
      extents: extents, algorithm: .output(extents, lanes: kernels.lanes))
  }

  private func parts(
    _ convolution: PlannedConvolution, _ source: ConvolutionSource,
    gathersStatistics: Bool = false
  ) -> ConvolutionParts {
    ConvolutionParts(
      convolution, isStored: source.isStored, gathersStatistics: gathersStatistics,
      kernels: kernels)
  }

  /// Where an activation comes from: made here, perhaps once more, or stored by another step.
  private mutating func source(of value: Value, madeHere: NormalizationChain?)
    -> ConvolutionSource
  {
    if let normalization = partition.recomputed[value.node] {
      return .normalized(normalizedSource(normalization, stored: nil))
    }
    guard let madeHere else { return .stored(buffer(value)) }
    return .normalized(normalizedSource(madeHere, stored: result(value)))
  }

  private mutating func appendConvolution(
    _ convolution: PlannedConvolution, of source: ConvolutionSource, filter: BufferID,
    output: BufferID, _ packing: FilterPacking = .forward, epilogue: Convolve.Epilogue = .none,
    parts: ConvolutionParts, _ node: Node
  ) {
    let packed = pack(filter, convolution, packing, node)
    let work = Convolve(
      convolution, of: source, packedFilter: packed, output: output, parts: parts,
      epilogue: epilogue)
    append(
      work, node, touching: source.buffers + epilogue.buffers + [packed, output],
      scratchFloats: work.scratchCount(kernels))
  }

  private mutating func pack(
    _ filter: BufferID, _ convolution: PlannedConvolution, _ packing: FilterPacking, _ node: Node
  ) -> BufferID {
    appendDerived(
      node, "packed", from: [filter],
      floats: kernels.packedFilterCount(convolution.extents, algorithm: convolution.algorithm)
    ) { [kernels] packed in
      PackFilter(
        filter: filter, packed: packed, convolution: convolution, packing: packing,
        lanes: kernels.lanes)
    }
  }

  // MARK: Backward

  mutating func lowerConvolutionGradient(_ region: Region.FusedConvolutionGradient) {
    let (extents, inputs) = convolution(of: region)
    let node = graph.nodes[region.inputGradient ?? region.last]
    let gradientSource: ConvolutionSource =
      if let index = region.outputGradient {
        differentiatedSource(index)
      } else {
        .stored(buffer(inputs.outputGradient))
      }
    let blocks = gradientBlocks(extents)
    var filterGradient: DifferentiateConvolution.FilterGradient?
    if region.filterGradient != nil, let input = inputs.input {
      let source = source(of: input, madeHere: nil)
      filterGradient = partialGradients(of: source, extents, blocks, node.path + ".filter")
    }
    var inputGradient: DifferentiateConvolution.InputGradient?
    if let index = region.inputGradient {
      let filter = buffer(inputs.filter)
      let planned = planned(extents.inputGradient)
      let packed = pack(filter, planned, .rotated, node)
      let output = result(Value(node: region.masked?.reluGradient ?? index))
      inputGradient = .init(
        convolution: planned, packedFilter: packed, output: output,
        mask: region.masked.map { mask($0, gradient: index, blocks) })
    }
    let work = DifferentiateConvolution(
      gradientSource, inputGradient: inputGradient, filterGradient: filterGradient,
      extents: extents, blocks: blocks, kernels: kernels)
    append(work, node, touching: work.buffers, scratchFloats: work.scratchCount)
    if let sums = region.masked?.sums, let partials = inputGradient?.mask?.sums?.partials {
      mergeSums(sums, partials: partials, count: blocks.blockCount)
    }
    if let index = region.filterGradient, let partials = filterGradient?.partials {
      reduce(partials, into: result(Value(node: index)), extents, count: blocks.parts, node)
    }
  }

  private struct GradientOperands {
    var outputGradient: Value, filter: Value
    var input: Value?
  }

  /// The forward convolution whose gradients a region computes.
  private func convolution(of region: Region.FusedConvolutionGradient)
    -> (ConvolutionExtents, GradientOperands)
  {
    let node = graph.nodes[region.filterGradient ?? region.inputGradient ?? region.last]
    let operands = node.operands
    switch node.operation {
    case .convolutionFilterGradient(let gradient):
      let extents = ConvolutionExtents(
        gradient.convolution, input: shape(operands[1]), filter: shape(operands[2]),
        output: shape(operands[0]))
      return (extents, .init(outputGradient: operands[0], filter: operands[2], input: operands[1]))
    case .convolutionInputGradient(let gradient):
      let extents = ConvolutionExtents(
        gradient.convolution, input: shape(operands[2]), filter: shape(operands[1]),
        output: shape(operands[0]))
      return (extents, .init(outputGradient: operands[0], filter: operands[1]))
    default: preconditionFailure("\(node.path) is no gradient of a convolution")
    }
  }

  /// What becomes of an input gradient.
  private mutating func mask(
    _ region: Region.MaskedGradient, gradient: Int, _ blocks: RowBlocks
  ) -> DifferentiateConvolution.Mask {
    let addend = region.add.flatMap { add in
      graph.nodes[add].operands.first { $0.node != gradient }.map(buffer)
    }
    let activation = graph.nodes[region.reluGradient].operands[1]
    let isAtHand = partition.recomputed[activation.node] != nil
    let sums = region.sums.map { index in
      let operands = graph.nodes[index].operands
      let channels = shape(operands[1]).channels
      return DifferentiateConvolution.Sums(
        x: buffer(operands[1]), mean: buffer(operands[2]),
        partials: temporary(
          graph.nodes[index].path + ".partials", floats: 2 * channels * blocks.blockCount))
    }
    return .init(
      addend: addend, activation: isAtHand ? nil : buffer(activation), sums: sums)
  }

  /// The filter's gradient of a matrix product.
  mutating func lowerFilterGradient(
    input: BufferID, outputGradient: BufferID, output: BufferID, _ extents: ConvolutionExtents,
    _ node: Node
  ) {
    let blocks = gradientBlocks(extents)
    let filterGradient = partialGradients(of: .stored(input), extents, blocks, node.path)
    let work = DifferentiateConvolution(
      .stored(outputGradient), inputGradient: nil, filterGradient: filterGradient,
      extents: extents, blocks: blocks, kernels: kernels)
    append(work, node, touching: work.buffers, scratchFloats: work.scratchCount)
    reduce(filterGradient.partials, into: output, extents, count: blocks.parts, node)
  }

  private func gradientBlocks(_ extents: ConvolutionExtents) -> RowBlocks {
    DifferentiateConvolution.blocks(
      extents, partialCount: kernels.partialFilterGradientCount(extents),
      algorithm: .filterGradient(extents, lanes: kernels.lanes))
  }

  private mutating func partialGradients(
    of input: ConvolutionSource, _ extents: ConvolutionExtents, _ blocks: RowBlocks, _ path: String
  ) -> DifferentiateConvolution.FilterGradient {
    let stride = kernels.partialFilterGradientCount(extents)
    return .init(
      input: input, algorithm: .filterGradient(extents, lanes: kernels.lanes),
      partials: temporary(path + ".partials", floats: stride * blocks.parts), stride: stride)
  }

  private mutating func reduce(
    _ partials: BufferID, into output: BufferID, _ extents: ConvolutionExtents, count: Int,
    _ node: Node
  ) {
    append(
      ReduceFilterGradient(
        partials: partials, filterGradient: output, extents: extents,
        algorithm: .filterGradient(extents, lanes: kernels.lanes), count: count,
        lanes: kernels.lanes),
      node, touching: [partials, output])
  }
}

extension ConvolutionExtents {
  /// The extents of a convolution node.
  init(_ convolution: Operation.Convolution, input: Shape, filter: Shape, output: Shape) {
    self.init(
      batch: input[0], input: (input[1], input[2], input[3]),
      output: (output[1], output[2], output[3]), filter: (filter[2], filter[3]),
      stride: (convolution.strideHeight, convolution.strideWidth),
      padding: (convolution.padding.top, convolution.padding.left))
  }

  /// A matrix product as a 1×1 convolution of images of one pixel: `[rows, inputs] ·
  /// [outputs, inputs]ᵀ`.
  init(rows: Int, inputs: Int, outputs: Int) {
    self.init(
      batch: rows, input: (1, 1, inputs), output: (1, 1, outputs), filter: (1, 1))
  }
}
