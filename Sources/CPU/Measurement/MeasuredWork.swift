import ResidualExecution
import ResidualKernelInterface

// Convolutions by a given algorithm, cut into parts like those of a plan.

struct MeasuredPacking: SerialWork {
  let filter: BufferID, packed: BufferID
  let extents: ConvolutionExtents
  let packing: FilterPacking
  let algorithm: ConvolutionAlgorithm

  func run(in context: StepContext) {
    context.kernels.packFilter(
      context.input(filter), into: context.output(packed), extents: extents, packing: packing,
      channels: 0..<extents.outputChannels, algorithm: algorithm)
  }
}

struct MeasuredConvolution: Work {
  let input: BufferID, packed: BufferID, output: BufferID
  let extents: ConvolutionExtents
  let algorithm: ConvolutionAlgorithm
  var parts: Int { rows.parts }
  private var rows: Partition { extents.measuredRows(grain: 2_000_000, limit: 32) }

  func run(part: Int, in context: StepContext) {
    context.kernels.convolve(
      context.input(input), filter: context.input(packed), output: context.output(output),
      extents: extents, rows: rows.range(part), scratch: context.scratch, algorithm: algorithm)
  }
}

struct MeasuredFilterGradient: Work {
  let input: BufferID, outputGradient: BufferID, partials: BufferID
  let extents: ConvolutionExtents
  let algorithm: ConvolutionAlgorithm
  /// Floats of one partial gradient.
  let stride: Int
  var parts: Int { rows.parts }
  private var rows: Partition {
    extents.measuredRows(grain: 8_000_000, limit: max(2, min(16, (4 << 20) / stride)))
  }

  func run(part: Int, in context: StepContext) {
    let rows = rows.range(part)
    context.kernels.filterGradient(
      context.input(input), outputGradient: context.input(outputGradient),
      partial: context.output(partials) + part * stride, extents: extents, rows: rows, of: rows,
      scratch: context.scratch, algorithm: algorithm)
  }
}

struct MeasuredReduction: Work {
  let partials: BufferID, filterGradient: BufferID
  let extents: ConvolutionExtents
  let count: Int
  let lanes: Int
  var parts: Int { channels.parts }
  private var channels: Partition {
    Partition(extents.outputChannels, grain: lanes, unit: lanes, limit: 16)
  }

  func run(part: Int, in context: StepContext) {
    context.kernels.reduceFilterGradient(
      context.input(partials), count: count, filterGradient: context.output(filterGradient),
      extents: extents, channels: channels.range(part))
  }
}

/// Multiply-adds in registers.
struct MeasuredPeak: Work {
  let parts: Int
  static let iterations = 50_000

  func run(part: Int, in context: StepContext) {
    _ = context.kernels.peakOperations(iterations: Self.iterations)
  }
}

extension ConvolutionExtents {
  /// The output rows in parts of whole tiles with at least `grain` multiply-adds.
  fileprivate func measuredRows(grain: Int, limit: Int) -> Partition {
    let multiplyAddsPerRow = max(1, multiplyAdds / max(1, outputRows))
    return Partition(
      outputRows, grain: grain / multiplyAddsPerRow,
      unit: outputHeight % 4 == 0 ? 4 : outputHeight, limit: limit)
  }
}
