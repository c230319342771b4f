import ResidualExecution
import ResidualKernelInterface

/// The gradients of a convolution, block by block: the output gradient and the input are made once
/// for both, and the input's gradient is masked and summed up while it is in the cache.
struct DifferentiateConvolution: Work {
  /// The input's gradient, and what becomes of it.
  struct InputGradient: Hashable, Sendable {
    /// The convolution of the output gradient that it is.
    let convolution: PlannedConvolution
    let packedFilter: BufferID, output: BufferID
    var mask: Mask?
  }

  /// `gradient [+ addend]`, 0 where the activation is not positive; perhaps the two sums of a
  /// backward normalisation.
  struct Mask: Hashable, Sendable {
    let addend: BufferID?
    /// `nil` for the convolution's input, which is at hand.
    let activation: BufferID?
    let sums: Sums?
  }

  /// Σ g and Σ g · (x − mean), for each block `2 · channels` floats.
  struct Sums: Hashable, Sendable {
    let x: BufferID, mean: BufferID, partials: BufferID
  }

  /// The filter's gradient over the rows of one part, apart from the other parts' sums.
  struct FilterGradient: Hashable, Sendable {
    let input: ConvolutionSource
    let algorithm: ConvolutionAlgorithm
    let partials: BufferID
    /// Floats of one partial gradient.
    let stride: Int
  }

  let outputGradient: ConvolutionSource
  let inputGradient: InputGradient?
  let filterGradient: FilterGradient?
  /// The forward convolution's.
  let extents: ConvolutionExtents
  let blocks: RowBlocks
  /// Floats of scratch memory for the output gradient, the input and the input gradient's kernel.
  private let gradientScratch: Int, sourceScratch: Int, kernelScratch: Int, sumScratch: Int

  init(
    _ outputGradient: ConvolutionSource, inputGradient: InputGradient?,
    filterGradient: FilterGradient?, extents: ConvolutionExtents, blocks: RowBlocks,
    kernels: any KernelLibrary
  ) {
    self.outputGradient = outputGradient
    self.inputGradient = inputGradient
    self.filterGradient = filterGradient
    self.extents = extents
    self.blocks = blocks
    gradientScratch = outputGradient.scratchCount(
      floats: extents.inputGradient.sourceFloats(blocks))
    sourceScratch =
      filterGradient?.input.scratchCount(floats: extents.sourceFloats(blocks)) ?? 0
    kernelScratch =
      inputGradient.map {
        kernels.convolutionScratchCount(
          $0.convolution.extents, algorithm: $0.convolution.algorithm)
      } ?? 0
    sumScratch =
      filterGradient.map {
        kernels.filterGradientScratchCount(extents, algorithm: $0.algorithm)
      } ?? 0
  }

  /// How the rows are cut. The number of parts bounds the memory of the partial gradients and, as
  /// sums of sums, the rounding error.
  static func blocks(
    _ extents: ConvolutionExtents, partialCount: Int, algorithm: ConvolutionAlgorithm
  ) -> RowBlocks {
    let multiplyAddsPerRow = max(1, extents.multiplyAdds / max(1, extents.outputRows))
    let shortSums = max(16, ConvolutionAlgorithm.tiles(extents) / 512)
    let limit = max(2, min(shortSums, (4 << 20) / max(1, partialCount)))
    // With fewer tiles, the transform back and the sum over parts would outweigh the products.
    let tilesPerRow = max(1, (extents.outputWidth + 3) / 4)
    let grain =
      switch algorithm {
      case .direct: 2_000_000 / multiplyAddsPerRow
      case .winograd: 4 * 16 / tilesPerRow
      }
    let blockRows = extents.blockRows(wholeImages: !extents.keepsPlaces)
    return RowBlocks(
      extents, unitRows: max(blockRows, extents.outputHeight), blockRows: blockRows, grain: grain,
      limit: limit)
  }

  var parts: Int { blocks.parts }

  /// The buffers that the step touches.
  var buffers: [BufferID?] {
    var buffers = outputGradient.buffers
    if let filterGradient {
      buffers += filterGradient.input.buffers + [filterGradient.partials]
    }
    if let inputGradient {
      buffers += [inputGradient.packedFilter, inputGradient.output]
      if let mask = inputGradient.mask {
        buffers += [
          mask.addend, mask.activation, mask.sums?.x, mask.sums?.mean, mask.sums?.partials,
        ]
      }
    }
    return buffers
  }

  var scratchCount: Int { gradientScratch + sourceScratch + kernelScratch + sumScratch }

  func run(part: Int, in context: StepContext) {
    let range = blocks.rows(of: part)
    let sourceStart = context.scratch + gradientScratch
    let kernelStart = sourceStart + sourceScratch
    blocks.forEachBlock(of: part) { block, rows, next in
      let gradient = outputGradient.prepare(
        pixels: gradientPixels(rows), channels: extents.outputChannels, scratch: context.scratch,
        in: context)
      var (lookahead, laterLookahead) = lookaheads(rows, next: next, in: context)
      var input: UnsafePointer<Float>?
      if let filterGradient {
        let prepared = filterGradient.input.prepare(
          pixels: extents.inputPixels(of: rows), channels: extents.inputChannels,
          scratch: sourceStart, in: context)
        context.kernels.filterGradient(
          prepared, outputGradient: gradient,
          partial: context.output(filterGradient.partials) + part * filterGradient.stride,
          extents: extents, rows: rows, of: range,
          lookahead: lookahead, scratch: kernelStart + kernelScratch,
          algorithm: filterGradient.algorithm)
        input = prepared
        lookahead = laterLookahead
      }
      if let inputGradient {
        context.kernels.convolve(
          ConvolutionTask(
            input: gradient, filter: context.input(inputGradient.packedFilter),
            output: context.output(inputGradient.output),
            extents: inputGradient.convolution.extents,
            rows: inputRows(rows),
            lookahead: lookahead, scratch: kernelStart),
          algorithm: inputGradient.convolution.algorithm)
        if let mask = inputGradient.mask {
          apply(
            mask, to: context.output(inputGradient.output), input: input, block: block,
            pixels: maskedPixels(rows), in: context)
        }
      }
    }
  }

  /// The pixels of the output gradient that a block reads.
  private func gradientPixels(_ rows: Range<Int>) -> Range<Int> {
    extents.outputPixels(inputGradient == nil ? rows : extents.gradientRows(around: rows, blocks))
  }

  /// The rows of the input whose gradient a block computes.
  private func inputRows(_ rows: Range<Int>) -> Range<Int> {
    blocks.splitsImages ? rows : extents.inputRows(of: rows)
  }

  private func maskedPixels(_ rows: Range<Int>) -> Range<Int> {
    extents.inputPixels(ofInputRows: inputRows(rows))
  }

  /// What is needed after the first gradient, and after the second: the mask of this block `rows`
  /// comes before the next one.
  private func lookaheads(_ rows: Range<Int>, next: Range<Int>, in context: StepContext)
    -> (Lookahead, Lookahead)
  {
    var first = Lookahead()
    var second = Lookahead()
    if let mask = inputGradient?.mask {
      let (pixels, channels) = (maskedPixels(rows), extents.inputChannels)
      first.append(mask.addend, pixels: pixels, channels: channels, in: context)
      first.append(mask.activation, pixels: pixels, channels: channels, in: context)
      if mask.activation != nil {
        // Otherwise the input at hand is made of it.
        first.append(mask.sums?.x, pixels: pixels, channels: channels, in: context)
      }
    }
    guard !next.isEmpty else { return (first, second) }
    filterGradient?.input.append(
      to: &first, pixels: extents.inputPixels(of: next), channels: extents.inputChannels,
      in: context)
    if inputGradient != nil, filterGradient != nil {
      outputGradient.append(
        to: &second, pixels: gradientPixels(next), channels: extents.outputChannels, in: context)
    } else {
      outputGradient.append(
        to: &first, pixels: gradientPixels(next), channels: extents.outputChannels, in: context)
    }
    return (first, second)
  }

  private func apply(
    _ mask: Mask, to gradient: UnsafeMutablePointer<Float>, input: UnsafePointer<Float>?,
    block: Int, pixels: Range<Int>, in context: StepContext
  ) {
    let channels = extents.inputChannels
    guard let activation = mask.activation.map(context.input) ?? input else {
      preconditionFailure("a mask without an activation")
    }
    guard let sums = mask.sums else {
      context.kernels.rectifyGradient(
        UnsafePointer(gradient), addend: mask.addend.map(context.input), activation: activation,
        output: gradient, elements: pixels.lowerBound * channels..<pixels.upperBound * channels)
      return
    }
    let partial = context.output(sums.partials) + block * 2 * channels
    context.kernels.normalizationSums(
      UnsafePointer(gradient), addend: mask.addend.map(context.input), activation: activation,
      input: context.input(sums.x), mean: context.input(sums.mean), maskedGradient: gradient,
      sums: partial, products: partial + channels, channels: channels, pixels: pixels)
  }
}

struct ReduceFilterGradient: Work {
  let partials: BufferID, filterGradient: BufferID
  let extents: ConvolutionExtents
  let algorithm: ConvolutionAlgorithm
  let count: Int, lanes: Int

  private var channels: Partition {
    let numbersPerChannel = max(1, count * extents.filterCount / max(1, extents.outputChannels))
    // A kernel reads whole vectors of output channels.
    return Partition(
      extents.outputChannels, grain: 32_768 / numbersPerChannel, unit: lanes)
  }

  var parts: Int { channels.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.reduceFilterGradient(
      context.input(partials), count: count, filterGradient: context.output(filterGradient),
      extents: extents, channels: channels.range(part), algorithm: algorithm)
  }
}

extension ConvolutionExtents {
  /// Whether output pixels lie where the input pixels in the middle of their windows lie.
  fileprivate var keepsPlaces: Bool {
    strideHeight == 1 && strideWidth == 1 && outputHeight == inputHeight
      && outputWidth == inputWidth
  }

  /// The rows of the output gradient for the gradients of the block `rows`: of those rows' filter
  /// gradient, and of the input's gradient at the same rows.
  fileprivate func gradientRows(around rows: Range<Int>, _ blocks: RowBlocks) -> Range<Int> {
    guard blocks.splitsImages else { return rows }
    let read = inputGradient.inputRows(of: rows)
    return min(read.lowerBound, rows.lowerBound)..<max(read.upperBound, rows.upperBound)
  }
}
