import ResidualExecution
import ResidualKernelInterface

/// A convolution and how it is computed, fixed when a plan is made.
struct PlannedConvolution: Hashable, Sendable {
  let extents: ConvolutionExtents
  let algorithm: ConvolutionAlgorithm
}

struct PackFilter: Work {
  let filter: BufferID, packed: BufferID
  let convolution: PlannedConvolution
  let packing: FilterPacking
  let lanes: Int

  private var channels: Partition {
    let extents = convolution.extents
    let numbersPerChannel = max(1, extents.filterCount / max(1, extents.outputChannels))
    // A kernel packs blocks of two vectors.
    return Partition(
      extents.outputChannels, grain: 16_384 / numbersPerChannel, unit: 2 * lanes)
  }

  var parts: Int { channels.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.packFilter(
      context.input(filter), into: context.output(packed), extents: convolution.extents,
      packing: packing, channels: channels.range(part), algorithm: convolution.algorithm)
  }
}

/// A convolution, block by block: the input is made, convolved, and the output summed up while both
/// are in the cache.
struct Convolve: Work {
  /// What happens to a block's output after it has been computed.
  enum Epilogue: Hashable, Sendable {
    case none
    /// Mean and M2 of each channel, for each block: `2 · channels` floats.
    case statistics(BufferID)
    /// Normalised before it is stored: scale and shift; then perhaps a residual and a rectifier.
    case normalization(coefficients: BufferID, residual: BufferID?, rectifies: Bool)

    var buffers: [BufferID?] {
      switch self {
      case .none: []
      case .statistics(let partials): [partials]
      case .normalization(let coefficients, let residual, _): [coefficients, residual]
      }
    }
  }

  let source: ConvolutionSource
  let packedFilter: BufferID, output: BufferID
  let convolution: PlannedConvolution
  let epilogue: Epilogue
  private let cut: ConvolutionParts
  /// Floats of scratch memory before the kernel's own.
  private let sourceScratch: Int

  init(
    _ convolution: PlannedConvolution, of source: ConvolutionSource, packedFilter: BufferID,
    output: BufferID, parts: ConvolutionParts, epilogue: Epilogue
  ) {
    self.source = source
    self.packedFilter = packedFilter
    self.output = output
    self.convolution = convolution
    cut = parts
    self.epilogue = epilogue
    sourceScratch = source.scratchCount(floats: convolution.extents.sourceFloats(parts.blocks))
  }

  var parts: Int { cut.count }

  func scratchCount(_ kernels: any KernelLibrary) -> Int {
    sourceScratch
      + kernels.convolutionScratchCount(convolution.extents, algorithm: convolution.algorithm)
  }

  func run(part: Int, in context: StepContext) {
    let extents = convolution.extents
    let output = context.output(output)
    let (rowPart, channels) = cut.part(part)
    cut.blocks.forEachBlock(of: rowPart) { block, rows, next in
      let input = source.prepare(
        pixels: extents.inputPixels(of: rows), channels: extents.inputChannels,
        scratch: context.scratch, in: context)
      var lookahead = Lookahead()
      if !next.isEmpty {
        source.append(
          to: &lookahead, pixels: extents.inputPixels(of: next), channels: extents.inputChannels,
          in: context)
      }
      context.kernels.convolve(
        ConvolutionTask(
          input: input, filter: context.input(packedFilter), output: output, extents: extents,
          rows: rows, channels: channels, epilogue: kernelEpilogue(in: context),
          lookahead: lookahead, scratch: context.scratch + sourceScratch),
        algorithm: convolution.algorithm)
      if case .statistics(let partials) = epilogue {
        let mean = context.output(partials) + block * 2 * extents.outputChannels
        context.kernels.channelStatistics(
          UnsafePointer(output), channels: extents.outputChannels,
          pixels: extents.outputPixels(rows), mean: mean, m2: mean + extents.outputChannels)
      }
    }
  }

  private func kernelEpilogue(in context: StepContext) -> ConvolutionEpilogue? {
    guard case .normalization(let coefficients, let residual, let rectifies) = epilogue else {
      return nil
    }
    let scale = context.input(coefficients)
    return ConvolutionEpilogue(
      scale: scale, shift: scale + convolution.extents.outputChannels,
      residual: residual.map(context.input), rectifies: rectifies)
  }
}

extension ConvolutionExtents {
  /// The most input floats that a block's output reads.
  func sourceFloats(_ blocks: RowBlocks) -> Int {
    let rows =
      blocks.splitsImages
      ? min(inputHeight, (blocks.blockRows - 1) * strideHeight + filterHeight)
      : blocks.imagesPerBlock * inputHeight
    return rows * inputWidth * inputChannels
  }
}
