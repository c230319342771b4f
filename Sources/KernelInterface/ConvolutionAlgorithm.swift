/// How a kernel library computes a convolution.
///
/// A choice is a pure function of the extents and of the lanes of the instruction set, so that a
/// network computes the same bits on every machine with that instruction set. The constants are
/// fitted by measurement.
public enum ConvolutionAlgorithm: String, Hashable, Sendable, CaseIterable {
  /// An implicit matrix product: any extents.
  case direct
  /// F(4×4, 3×3): a quarter of the multiplications, for 3×3 convolutions with stride 1.
  case winograd

  /// The choice for an output or, on ``ConvolutionExtents/inputGradient``, an input gradient.
  public static func output(_ extents: ConvolutionExtents, lanes: Int) -> ConvolutionAlgorithm {
    choice(
      extents, lanes: lanes,
      overhead: transformsFilterWhenUsed(extents) ? Cost.filterWhenUsed : Cost.filter)
  }

  /// The choice for a filter gradient; the extents are the forward convolution's.
  public static func filterGradient(_ extents: ConvolutionExtents, lanes: Int)
    -> ConvolutionAlgorithm
  {
    choice(extents, lanes: lanes, overhead: Cost.inverseTransform)
  }

  /// The costs that decide, per product of one input channel and one vector of output channels, in
  /// multiply-adds. `Benchmarks/kernels --fit` measures them.
  package enum Cost {
    /// A pixel, for the direct kernel.
    package static let directPixel = 9
    /// A tile of 4×4 pixels, for Winograd's: 36, plus half of that for its transforms.
    package static let winogradTile = 54
    /// The filter's transform, or the reading of one that was transformed earlier, four times as
    /// large as the filter.
    package static let filter = 300
    /// The filter's transform during the products.
    package static let filterWhenUsed = 150
    /// A filter gradient's transform, once a part, in whole vectors.
    package static let inverseTransform = 200
  }

  /// The tiles of a convolution.
  package static func tiles(_ e: ConvolutionExtents) -> Int {
    e.batch * ((e.outputHeight + 3) / 4) * ((e.outputWidth + 3) / 4)
  }

  /// Whether Winograd's convolution transforms its filter whenever it uses it: with so few tiles,
  /// reading the transformed one, four times as large, would take longer than its arithmetic.
  package static func transformsFilterWhenUsed(_ e: ConvolutionExtents) -> Bool { tiles(e) <= 16 }

  /// Whether the algorithm can compute such convolutions and their filter gradients.
  public func applies(to extents: ConvolutionExtents, lanes: Int) -> Bool {
    switch self {
    case .direct: true
    case .winograd:
      extents.isWinogradShape && extents.inputChannels % lanes == 0
        && extents.outputChannels % lanes == 0
    }
  }

  private static func choice(_ e: ConvolutionExtents, lanes: Int, overhead: Int)
    -> ConvolutionAlgorithm
  {
    guard winograd.applies(to: e, lanes: lanes) else { return .direct }
    let direct = Cost.directPixel * e.outputRows * e.outputWidth
    return direct > Cost.winogradTile * tiles(e) + overhead ? .winograd : .direct
  }
}

extension ConvolutionExtents {
  /// A 3×3 convolution with stride 1 and a padding of one pixel on every side.
  fileprivate var isWinogradShape: Bool {
    filterHeight == 3 && filterWidth == 3 && strideHeight == 1 && strideWidth == 1
      && paddingTop == 1 && paddingLeft == 1 && outputHeight == inputHeight
      && outputWidth == inputWidth && inputDilationHeight == 1 && inputDilationWidth == 1
      && inputChannels > 0 && outputChannels > 0
  }
}
