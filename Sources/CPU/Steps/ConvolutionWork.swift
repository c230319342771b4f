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
  private let channels: Partition

  init(
    filter: BufferID, packed: BufferID, _ convolution: PlannedConvolution, _ packing: FilterPacking,
    lanes: Int
  ) {
    self.filter = filter
    self.packed = packed
    self.convolution = convolution
    self.packing = packing
    let extents = convolution.extents
    let numbersPerChannel = max(1, extents.filterCount / max(1, extents.outputChannels))
    // A kernel packs blocks of two vectors.
    channels = Partition(
      extents.outputChannels, grain: 16_384 / numbersPerChannel, unit: 2 * lanes)
  }

  var parts: Int { channels.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.packFilter(
      context.input(filter), into: context.output(packed), extents: convolution.extents,
      packing: packing, channels: channels.range(part), algorithm: convolution.algorithm)
  }
}

/// A convolution, block by block: the input is made, convolved, and the output seen to while both
/// are in the cache.
struct Convolve: Work {
  /// What happens to a block's output after it has been computed.
  enum Epilogue: Hashable, Sendable {
    case none
    /// Mean and M2 of each channel, for each block: `2 · channels` floats.
    case statistics(BufferID)
    /// Normalised in place: scale and shift; then perhaps a residual and a rectifier.
    case normalization(coefficients: BufferID, residual: BufferID?, rectifies: Bool)

    var buffers: [BufferID?] {
      switch self {
      case .none: []
      case .statistics(let partials): [partials]
      case .normalization(let coefficients, let residual, _): [coefficients, residual]
      }
    }
  }

  enum EpilogueKind { case none, statistics, normalization }

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
    let kernels = context.kernels
    let extents = convolution.extents
    let output = context.output(output)
    let part = cut.part(part)
    let kernelScratch = context.scratch + sourceScratch
    cut.blocks.forEachBlock(of: part.rows) { block, rows in
      let inputRows = extents.inputRows(of: rows)
      let input = source.prepare(
        pixels: inputRows.lowerBound * extents.inputWidth..<inputRows.upperBound
          * extents.inputWidth, channels: extents.inputChannels, scratch: context.scratch,
        in: context)
      kernels.convolve(
        input, filter: context.input(packedFilter), output: output, extents: extents, rows: rows,
        channels: part.channels, scratch: kernelScratch, algorithm: convolution.algorithm)
      let pixels = rows.lowerBound * extents.outputWidth..<rows.upperBound * extents.outputWidth
      switch epilogue {
      case .none: break
      case .statistics(let partials):
        let channels = extents.outputChannels
        let mean = context.output(partials) + block * 2 * channels
        kernels.channelStatistics(
          UnsafePointer(output), channels: channels, pixels: pixels, mean: mean,
          m2: mean + channels)
      case .normalization(let coefficients, let residual, let rectifies):
        let scale = context.input(coefficients)
        kernels.affine(
          UnsafePointer(output), scale: scale, shift: scale + extents.outputChannels,
          residual: residual.map(context.input), rectify: rectifies, output: output,
          channels: part.channels, of: extents.outputChannels, pixels: pixels)
      }
    }
  }
}

/// `output[j, i] = input[i, j]`: for the one orientation of matrix product that needs it.
struct Transpose: SerialWork {
  let input: BufferID, output: BufferID
  let rows: Int, columns: Int

  func run(in context: StepContext) {
    let (source, target) = (context.input(input), context.output(output))
    for i in 0..<rows {
      for j in 0..<columns { target[j * rows + i] = source[i * columns + j] }
    }
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
