import ResidualKernelInterface

/// The parts of a convolution's output, and the blocks of a part: a pure function of the extents.
///
/// Parts are rows where the input is larger than the filter, and else output channels if these give
/// no fewer parts, so that threads read the larger of the two once among them. No output number
/// depends on the cut.
struct ConvolutionParts: Hashable, Sendable {
  /// The rows of each part, or of all.
  let blocks: RowBlocks
  /// The output channels of each part, or all.
  private let channels: Partition

  var count: Int { blocks.parts * channels.parts }

  /// A part: its number among the parts of rows, and its output channels.
  func part(_ number: Int) -> (rows: Int, channels: Range<Int>) {
    (number / channels.parts, channels.range(number % channels.parts))
  }

  /// - Parameters:
  ///   - isStored: whether the input is read from where it lies, so that any part may read any of
  ///     it. Otherwise parts are whole images: what is made has one maker for each row.
  ///   - gathersStatistics: whether blocks are what statistics are gathered of.
  init(
    _ convolution: PlannedConvolution, isStored: Bool, gathersStatistics: Bool,
    kernels: any KernelLibrary
  ) {
    let (extents, algorithm) = (convolution.extents, convolution.algorithm)
    let partsAreBlocks = gathersStatistics || !isStored
    let blockRows = extents.blockRows(
      wholeImages: !isStored && extents.strideHeight > 1, leastBlocks: partsAreBlocks ? 4 : 1)
    let tileRows = algorithm == .winograd ? min(4, extents.outputHeight) : 1
    let unitRows =
      isStored ? (gathersStatistics ? blockRows : tileRows) : max(blockRows, extents.outputHeight)
    let rowBlocks = RowBlocks(
      extents, unitRows: unitRows, blockRows: blockRows,
      grain: extents.rowsWorthAPart(algorithm))
    let channelParts = Partition(
      extents.outputChannels, grain: extents.channelsWorthAPart(algorithm),
      unit: 2 * kernels.lanes)
    if !partsAreBlocks, channelParts.parts > 1, channelParts.parts >= rowBlocks.parts,
      kernels.packedFilterCount(extents, algorithm: algorithm) > extents.inputCount
    {
      blocks = RowBlocks(
        extents, unitRows: unitRows, blockRows: blockRows, grain: max(1, extents.outputRows))
      channels = channelParts
    } else {
      blocks = rowBlocks
      channels = .whole(extents.outputChannels)
    }
  }
}

extension ConvolutionExtents {
  fileprivate var inputCount: Int { batch * inputHeight * inputWidth * inputChannels }

  /// Output rows of a part, which is worth about twenty microseconds. Winograd's have to make reading
  /// the transformed filter worth while: a quarter of all tiles, but no more than a full block and no
  /// fewer than half a register tile.
  fileprivate func rowsWorthAPart(_ algorithm: ConvolutionAlgorithm) -> Int {
    let multiplyAddsPerRow = max(1, multiplyAdds / max(1, outputRows))
    switch algorithm {
    case .direct: return 1_000_000 / multiplyAddsPerRow
    case .winograd:
      let tiles = max(8, min(48, ConvolutionAlgorithm.tiles(self) / 4))
      return max(2_500_000 / multiplyAddsPerRow, 4 * tiles / ((outputWidth + 3) / 4))
    }
  }

  /// Output channels of a part. Each part transforms Winograd's inputs again, which takes as long as
  /// some eight output channels.
  fileprivate func channelsWorthAPart(_ algorithm: ConvolutionAlgorithm) -> Int {
    switch algorithm {
    case .direct: 1_000_000 / max(1, multiplyAdds / max(1, outputChannels))
    case .winograd: 64
    }
  }
}
