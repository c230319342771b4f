// The convolution kernels of the interface: each calls the algorithm that is asked for.

import ResidualKernelInterface

extension Kernels {
  public func packedFilterCount(_ extents: ConvolutionExtents, algorithm: ConvolutionAlgorithm)
    -> Int
  {
    switch algorithm {
    case .direct: directPackedFilterCount(extents)
    case .winograd where ConvolutionAlgorithm.transformsFilterWhenUsed(extents):
      directPackedFilterCount(extents)
    case .winograd: WinogradFilter.packedCount(extents)
    }
  }

  public func packFilter(
    _ filter: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
    extents: ConvolutionExtents, packing: FilterPacking, channels: Range<Int>,
    algorithm: ConvolutionAlgorithm
  ) {
    switch algorithm {
    case .winograd where !ConvolutionAlgorithm.transformsFilterWhenUsed(extents):
      WinogradFilter.pack(
        filter, into: packed, extents: extents, packing: packing, channels: channels)
    case .direct, .winograd:
      directPackFilter(
        filter, into: packed, extents: extents, packing: packing, channels: channels)
    }
  }

  public func convolutionScratchCount(
    _ extents: ConvolutionExtents, algorithm: ConvolutionAlgorithm
  ) -> Int {
    switch algorithm {
    case .direct: directScratchCount(extents)
    case .winograd: winogradScratchCount(extents)
    }
  }

  public func convolve(_ task: ConvolutionTask, algorithm: ConvolutionAlgorithm) {
    switch algorithm {
    case .direct: directConvolve(task)
    case .winograd: winogradConvolve(task)
    }
  }

  public func filterGradientScratchCount(
    _ extents: ConvolutionExtents, algorithm: ConvolutionAlgorithm
  ) -> Int {
    switch algorithm {
    case .direct: directFilterGradientScratchCount(extents)
    case .winograd: winogradFilterGradientScratchCount(extents)
    }
  }

  public func filterGradient(
    _ input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    partial: UnsafeMutablePointer<Float>, extents: ConvolutionExtents, rows: Range<Int>,
    of part: Range<Int>, lookahead: Lookahead, scratch: UnsafeMutablePointer<Float>,
    algorithm: ConvolutionAlgorithm
  ) {
    switch algorithm {
    case .direct:
      directFilterGradient(
        input, outputGradient: outputGradient, partial: partial, extents: extents, rows: rows,
        of: part, lookahead: lookahead, scratch: scratch)
    case .winograd:
      winogradFilterGradient(
        input, outputGradient: outputGradient, partial: partial, extents: extents, rows: rows,
        of: part, lookahead: lookahead, scratch: scratch)
    }
  }
}
