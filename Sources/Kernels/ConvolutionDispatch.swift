// The convolution kernels of the interface: each is the algorithm's that suits the extents.

import ResidualKernelInterface

extension Kernels {
  private func outputAlgorithm(_ extents: ConvolutionExtents) -> ConvolutionAlgorithm {
    .output(extents, lanes: Vector.scalarCount)
  }

  private func filterGradientAlgorithm(_ extents: ConvolutionExtents) -> ConvolutionAlgorithm {
    .filterGradient(extents, lanes: Vector.scalarCount)
  }

  public func packedFilterCount(_ extents: ConvolutionExtents) -> Int {
    switch outputAlgorithm(extents) {
    case .direct: directPackedFilterCount(extents)
    case .winograd: WinogradFilter.packedCount(extents)
    }
  }

  public func packFilter(
    _ filter: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
    extents: ConvolutionExtents, packing: FilterPacking
  ) {
    switch outputAlgorithm(extents) {
    case .direct: directPackFilter(filter, into: packed, extents: extents, packing: packing)
    case .winograd: WinogradFilter.pack(filter, into: packed, extents: extents, packing: packing)
    }
  }

  public func convolutionScratchCount(_ extents: ConvolutionExtents) -> Int {
    let output =
      switch outputAlgorithm(extents) {
      case .direct: directScratchCount(extents)
      case .winograd: winogradScratchCount(extents)
      }
    let filterGradient =
      switch filterGradientAlgorithm(extents) {
      case .direct: directFilterGradientScratchCount(extents)
      case .winograd: winogradFilterGradientScratchCount(extents)
      }
    return larger(output, filterGradient)
  }

  public func convolve(
    _ input: UnsafePointer<Float>, filter packed: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, extents: ConvolutionExtents, rows: Range<Int>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    switch outputAlgorithm(extents) {
    case .direct:
      directConvolve(
        input, filter: packed, output: output, extents: extents, rows: rows, scratch: scratch)
    case .winograd:
      winogradConvolve(
        input, filter: packed, output: output, extents: extents, rows: rows, scratch: scratch)
    }
  }

  public func filterGradient(
    _ input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    partial: UnsafeMutablePointer<Float>, extents: ConvolutionExtents, rows: Range<Int>,
    of part: Range<Int>, scratch: UnsafeMutablePointer<Float>
  ) {
    switch filterGradientAlgorithm(extents) {
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
