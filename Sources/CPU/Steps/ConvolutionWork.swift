import ResidualExecution
import ResidualKernelInterface

struct PackFilter: SerialWork {
  let filter: BufferID, packed: BufferID
  let extents: ConvolutionExtents
  let packing: FilterPacking

  func run(in context: StepContext) {
    context.kernels.packFilter(
      context.input(filter), into: context.output(packed), extents: extents, packing: packing)
  }
}

struct Convolve: Work {
  let input: BufferID, packedFilter: BufferID, output: BufferID
  let extents: ConvolutionExtents
  private let rows: Partition

  init(
    input: BufferID, packedFilter: BufferID, output: BufferID, extents: ConvolutionExtents,
    lanes: Int
  ) {
    self.input = input
    self.packedFilter = packedFilter
    self.output = output
    self.extents = extents
    // A part is worth about twenty microseconds.
    let multiplyAddsPerRow = max(1, extents.multiplyAdds / max(1, extents.outputRows))
    rows =
      switch ConvolutionAlgorithm.output(extents, lanes: lanes) {
      case .direct: Partition(extents.outputRows, grain: 1_000_000 / multiplyAddsPerRow)
      case .winograd:
        Partition(
          extents.outputRows, grain: 2_500_000 / multiplyAddsPerRow, unit: extents.wholeTileRows)
      }
  }

  var parts: Int { rows.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.convolve(
      context.input(input), filter: context.input(packedFilter), output: context.output(output),
      extents: extents, rows: rows.range(part), scratch: context.scratch)
  }
}

/// The filter's gradient over the output rows of one part, apart from the other parts' sums.
struct FilterGradientParts: Work {
  let input: BufferID, outputGradient: BufferID, partials: BufferID
  let extents: ConvolutionExtents
  let rows: Partition
  /// Floats of one partial gradient.
  let stride: Int

  var parts: Int { rows.parts }

  /// How the rows are cut. The number of parts bounds the memory of the partial gradients and, as
  /// sums of sums, the rounding error.
  static func partition(_ extents: ConvolutionExtents, partialCount: Int, lanes: Int) -> Partition {
    let multiplyAddsPerRow = max(1, extents.multiplyAdds / max(1, extents.outputRows))
    let limit = max(2, min(16, (4 << 20) / max(1, partialCount)))
    switch ConvolutionAlgorithm.filterGradient(extents, lanes: lanes) {
    case .direct:
      return Partition(extents.outputRows, grain: 2_000_000 / multiplyAddsPerRow, limit: limit)
    case .winograd:
      // With fewer tiles the transform back, once a part, outweighs them.
      let tilesPerRow = max(1, (extents.outputWidth + 3) / 4)
      return Partition(
        extents.outputRows, grain: 4 * 128 / tilesPerRow, unit: extents.wholeTileRows, limit: limit)
    }
  }

  func run(part: Int, in context: StepContext) {
    context.kernels.filterGradient(
      context.input(input), outputGradient: context.input(outputGradient),
      partial: context.output(partials) + part * stride, extents: extents, rows: rows.range(part),
      of: rows.range(part), scratch: context.scratch)
  }
}

struct ReduceFilterGradient: Work {
  let partials: BufferID, filterGradient: BufferID
  let extents: ConvolutionExtents
  let count: Int
  private let channels: Partition

  init(
    partials: BufferID, filterGradient: BufferID, extents: ConvolutionExtents, count: Int,
    lanes: Int
  ) {
    self.partials = partials
    self.filterGradient = filterGradient
    self.extents = extents
    self.count = count
    let numbersPerChannel = max(1, count * extents.filterCount / max(1, extents.outputChannels))
    // A kernel reads whole vectors of output channels.
    channels = Partition(
      extents.outputChannels, grain: 32_768 / numbersPerChannel, unit: lanes)
  }

  var parts: Int { channels.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.reduceFilterGradient(
      context.input(partials), count: count, filterGradient: context.output(filterGradient),
      extents: extents, channels: channels.range(part))
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
  /// Output rows that Winograd's tiles of four fill whole.
  fileprivate var wholeTileRows: Int { outputHeight % 4 == 0 ? 4 : outputHeight }
}
