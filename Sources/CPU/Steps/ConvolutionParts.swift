import ResidualKernelInterface

/// The parts of a convolution's output, and the blocks of a part: a pure function of the extents.
///
/// Parts are rows where the input is larger than the filter, and else output channels, so that
/// threads read the larger of the two once among them. No output number depends on the cut.
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
    let multiplyAddsPerRow = max(1, extents.multiplyAdds / max(1, extents.outputRows))
    let blockRows = extents.blockRows(wholeImages: !isStored && extents.strideHeight > 1)
    let cutsChannels =
      isStored && !gathersStatistics
      && kernels.packedFilterCount(extents, algorithm: algorithm) > extents.inputCount
    // A part is worth about twenty microseconds.
    let grain =
      switch algorithm {
      case _ where cutsChannels: extents.outputRows
      case .direct: 1_000_000 / multiplyAddsPerRow
      case .winograd: max(2_500_000 / multiplyAddsPerRow, extents.rowsWorthTheirFilter)
      }
    let tileRows = algorithm == .winograd ? min(4, extents.outputHeight) : 1
    let unitRows =
      switch (isStored, gathersStatistics) {
      case (true, false): tileRows
      case (true, true): blockRows
      case (false, _): max(blockRows, extents.outputHeight)
      }
    blocks = RowBlocks(extents, unitRows: unitRows, blockRows: blockRows, grain: grain)
    channels =
      cutsChannels
      ? Partition(
        extents.outputChannels, grain: extents.channelsWorthTheirInput(algorithm),
        unit: 2 * kernels.lanes)
      : .whole(extents.outputChannels)
  }
}

extension ConvolutionExtents {
  fileprivate var inputCount: Int { batch * inputHeight * inputWidth * inputChannels }

  /// The rows of so many of Winograd's tiles as make reading the transformed filter worth while: a
  /// quarter of all, but no more than a full block and no fewer than half a register tile.
  fileprivate var rowsWorthTheirFilter: Int {
    let across = (outputWidth + 3) / 4
    let tiles = batch * ((outputHeight + 3) / 4) * across
    return 4 * max(8, min(48, tiles / 4)) / across
  }

  /// Output channels that make a part worth while. Each part transforms Winograd's inputs anew,
  /// which takes as long as some eight output channels.
  fileprivate func channelsWorthTheirInput(_ algorithm: ConvolutionAlgorithm) -> Int {
    switch algorithm {
    case .direct: 1_000_000 / max(1, multiplyAdds / max(1, outputChannels))
    case .winograd: 64
    }
  }
}
