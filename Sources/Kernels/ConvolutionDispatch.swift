// The convolution kernels of the interface: each is the asked algorithm's.

import ResidualKernelInterface

extension Kernels {
  public func packedFilterCount(_ extents: ConvolutionExtents, algorithm: ConvolutionAlgorithm)
    -> Int
  {
    switch algorithm {
    case .direct: directPackedFilterCount(extents)
    case .winograd: WinogradFilter.packedCount(extents)
    }
  }

  public func packFilter(
    _ filter: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
    extents: ConvolutionExtents, packing: FilterPacking, channels: Range<Int>,
    algorithm: ConvolutionAlgorithm
  ) {
    switch algorithm {
    case .direct:
      directPackFilter(
        filter, into: packed, extents: extents, packing: packing, channels: channels)
    case .winograd:
      WinogradFilter.pack(
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

  public func convolve(
    _ input: UnsafePointer<Float>, filter packed: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, extents: ConvolutionExtents, rows: Range<Int>,
    channels: Range<Int>, scratch: UnsafeMutablePointer<Float>, algorithm: ConvolutionAlgorithm
  ) {
    switch algorithm {
    case .direct:
      directConvolve(
        input, filter: packed, output: output, extents: extents, rows: rows, channels: channels,
        scratch: scratch)
    case .winograd:
      winogradConvolve(
        input, filter: packed, output: output, extents: extents, rows: rows, channels: channels,
        scratch: scratch)
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
    of part: Range<Int>, scratch: UnsafeMutablePointer<Float>, algorithm: ConvolutionAlgorithm
  ) {
    switch algorithm {
    case .direct:
      directFilterGradient(
        input, outputGradient: outputGradient, partial: partial, extents: extents, rows: rows,
        of: part, scratch: scratch)
    case .winograd:
      winogradFilterGradient(
        input, outputGradient: outputGradient, partial: partial, extents: extents, rows: rows,
        of: part, scratch: scratch)
    }
  }
}
