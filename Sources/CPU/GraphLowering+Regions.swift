import ResidualExecution
import ResidualKernelInterface

extension GraphLowering {
  mutating func lower(_ region: Region) {
    switch region {
    case .single(let node): lowerNode(node)
    case .normalization(let node, let add, let relu): lowerNormalization(node, add: add, relu: relu)
    case .maskedGradient(let add, let reluGradient, let sums):
      lowerMaskedGradient(add: add, reluGradient: reluGradient, sums: sums)
    }
  }

  // MARK: Fused regions

  private mutating func lowerNormalization(_ index: Int, add: Int?, relu: Int?) {
    let node = graph.nodes[index]
    guard case .batchNormalization(let attributes) = node.operation else {
      preconditionFailure("\(node.path) is no batch normalisation")
    }
    let x = node.operands[0]
    let channels = shape(x).channels
    let last = Value(node: relu ?? add ?? index)
    let residual = add.map { add in
      buffer(graph.nodes[add].operands.first { $0.node != index } ?? x)
    }
    let operands = node.operands.map(buffer)
    let coefficients = temporary(node.path + ".coefficients", floats: 2 * channels)
    append(
      NormalizationCoefficients(
        mean: operands[1], variance: operands[2], scale: operands[3], shift: operands[4],
        output: coefficients, epsilon: attributes.epsilon, channels: channels),
      node.path, touching: operands.dropFirst() + [coefficients])
    let output = result(last)
    append(
      Normalize(
        input: operands[0], coefficients: coefficients, output: output, residual: residual,
        rectifies: relu != nil, channels: channels, pixels: .pixels(shape(x))),
      graph.nodes[last.node].path, touching: [operands[0], coefficients, output, residual])
  }

  private mutating func lowerMaskedGradient(add: Int?, reluGradient: Int, sums: Int?) {
    let node = graph.nodes[reluGradient]
    let value = Value(node: reluGradient)
    let activation = buffer(node.operands[1])
    let addends = add.map { graph.nodes[$0].operands } ?? [node.operands[0]]
    let gradient = buffer(addends[0])
    let addend = addends.count > 1 ? buffer(addends[1]) : nil
    let output = result(value)
    guard let sums else {
      append(
        RectifyGradient(
          gradient: gradient, addend: addend, activation: activation, output: output,
          elements: .elements(shape(value).count)),
        node.path, touching: [gradient, addend, activation, output])
      return
    }
    lowerSums(
      sums, gradient: gradient, addend: addend, activation: activation, maskedGradient: output)
  }

  mutating func lowerSums(
    _ index: Int, gradient: BufferID, addend: BufferID? = nil, activation: BufferID? = nil,
    maskedGradient: BufferID? = nil
  ) {
    let node = graph.nodes[index]
    let x = node.operands[1]
    let channels = shape(x).channels
    let pixels = Partition.pixels(shape(x))
    let (input, mean) = (buffer(x), buffer(node.operands[2]))
    let partials = temporary(node.path + ".partials", floats: 2 * channels * pixels.parts)
    append(
      NormalizationSumsParts(
        gradient: gradient, addend: addend, activation: activation, input: input, mean: mean,
        maskedGradient: maskedGradient, partials: partials, channels: channels, pixels: pixels),
      node.path,
      touching: [gradient, addend, activation, input, mean, maskedGradient, partials])
    let (first, second) = (result(Value(node: index)), result(Value(node: index, result: 1)))
    append(
      MergeSums(
        partials: partials, first: first, second: second, channels: channels,
        partCount: pixels.parts),
      node.path, touching: [partials, first, second])
  }

  // MARK: Convolutions and matrix products

  /// Appends the packing of a filter and the convolution with it.
  mutating func lowerConvolution(
    input: BufferID, filter: BufferID, output: BufferID, _ extents: ConvolutionExtents,
    _ packing: FilterPacking, _ path: String
  ) {
    let packed = temporary(path + ".packed", floats: kernels.packedFilterCount(extents))
    append(
      PackFilter(filter: filter, packed: packed, extents: extents, packing: packing), path,
      touching: [filter, packed])
    append(
      Convolve(
        input: input, packedFilter: packed, output: output, extents: extents, lanes: kernels.lanes),
      path,
      touching: [input, packed, output], scratchFloats: kernels.convolutionScratchCount(extents))
  }

  mutating func lowerFilterGradient(
    input: BufferID, outputGradient: BufferID, output: BufferID, _ extents: ConvolutionExtents,
    _ path: String
  ) {
    let stride = kernels.partialFilterGradientCount(extents)
    let rows = FilterGradientParts.partition(
      extents, partialCount: stride, lanes: kernels.lanes)
    let partials = temporary(path + ".partials", floats: stride * rows.parts)
    append(
      FilterGradientParts(
        input: input, outputGradient: outputGradient, partials: partials, extents: extents,
        rows: rows, stride: stride),
      path, touching: [input, outputGradient, partials],
      scratchFloats: kernels.convolutionScratchCount(extents))
    append(
      ReduceFilterGradient(
        partials: partials, filterGradient: output, extents: extents, count: rows.parts,
        lanes: kernels.lanes),
      path, touching: [partials, output])
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

  /// A matrix product as a 1×1 convolution of one image: `[rows, inputs] · [outputs, inputs]ᵀ`.
  init(rows: Int, inputs: Int, outputs: Int) {
    self.init(
      batch: 1, input: (1, rows, inputs), output: (1, rows, outputs), filter: (1, 1))
  }
}
