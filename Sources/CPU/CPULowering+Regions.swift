import ResidualExecution
import ResidualKernelInterface

extension CPULowering {
  mutating func lower(_ region: Region) {
    switch region {
    case .single(let node): lowerNode(node)
    case .normalization(let normalization): lowerNormalization(normalization)
    case .maskedGradient(let masked): lowerMaskedGradient(masked)
    case .convolution(let region): lowerConvolution(region)
    case .convolutionGradient(let region): lowerConvolutionGradient(region)
    }
  }

  // MARK: Normalisation

  private mutating func lowerNormalization(_ normalization: NormalizationChain) {
    // Its readers make it themselves, of coefficients computed here: the slots may change later.
    guard partition.recomputed[normalization.last] == nil else {
      _ = coefficients(of: normalization.node)
      return
    }
    let x = graph.nodes[normalization.node].operands[0]
    let source = normalizedSource(normalization, stored: result(Value(node: normalization.last)))
    append(
      Normalize(
        input: source.x, coefficients: source.coefficients,
        output: buffer(Value(node: normalization.last)), residual: source.residual,
        rectifies: source.rectifies, channels: shape(x).channels, pixels: .pixels(shape(x))),
      graph.nodes[normalization.last],
      touching: ConvolutionSource.normalized(source).buffers)
  }

  /// What a normalisation is made of.
  mutating func normalizedSource(_ normalization: NormalizationChain, stored: BufferID?)
    -> ConvolutionSource.NormalizedSource
  {
    let coefficients = coefficients(of: normalization.node)
    let x = graph.nodes[normalization.node].operands[0]
    return .init(
      x: buffer(x), coefficients: coefficients, residual: residual(of: normalization),
      rectifies: normalization.relu != nil, stored: stored)
  }

  /// The other addend of a normalisation's addition.
  func residual(of normalization: NormalizationChain) -> BufferID? {
    normalization.add.flatMap { add in
      graph.nodes[add].operands.first { $0.node != normalization.node }.map(buffer)
    }
  }

  /// Scale and shift of a batch normalisation, computed where they are first needed.
  mutating func coefficients(of index: Int) -> BufferID {
    if let known = normalizationCoefficients[index] { return known }
    let node = graph.nodes[index]
    guard case .batchNormalization(let attributes) = node.operation else {
      preconditionFailure("\(node.path) is no batch normalisation")
    }
    let channels = shape(node.operands[0]).channels
    let operands = node.operands.dropFirst().map(buffer)
    let coefficients = appendDerived(
      node, "coefficients", from: operands, floats: 2 * channels
    ) { output in
      NormalizationCoefficients(
        mean: operands[0], variance: operands[1], scale: operands[2], shift: operands[3],
        output: output, epsilon: attributes.epsilon, channels: channels)
    }
    normalizationCoefficients[index] = coefficients
    return coefficients
  }

  // MARK: Masked gradients

  private mutating func lowerMaskedGradient(_ region: Region.MaskedGradient) {
    let node = graph.nodes[region.reluGradient]
    let value = Value(node: region.reluGradient)
    let activation = buffer(node.operands[1])
    let addends = region.add.map { graph.nodes[$0].operands } ?? [node.operands[0]]
    let gradient = buffer(addends[0])
    let addend = addends.count > 1 ? buffer(addends[1]) : nil
    let output = result(value)
    guard let sums = region.sums else {
      append(
        RectifyGradient(
          gradient: gradient, addend: addend, activation: activation, output: output,
          elements: .elements(shape(value).count)),
        node, touching: [gradient, addend, activation, output])
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
      node,
      touching: [gradient, addend, activation, input, mean, maskedGradient, partials])
    mergeSums(index, partials: partials, count: pixels.parts)
  }

  /// Adds up the partial sums of a backward normalisation.
  mutating func mergeSums(_ index: Int, partials: BufferID, count: Int) {
    let node = graph.nodes[index]
    let (first, second) = (result(Value(node: index)), result(Value(node: index, result: 1)))
    append(
      MergeSums(
        partials: partials, first: first, second: second,
        channels: shape(node.operands[1]).channels, partCount: count),
      node, touching: [partials, first, second])
  }
}
