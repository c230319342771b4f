import ResidualKernelInterface

/// The output rows of a convolution, cut into parts that threads share and parts into blocks.
///
/// Everything that a fused step does with a block's rows finds them in the second-level cache. Both
/// cuts depend on the extents alone. Rows are numbered over all images.
struct RowBlocks: Hashable, Sendable {
  let imageRows: Int
  /// The rows of a block: of a few whole images, or some of one image's.
  let blockRows: Int
  /// The rows that parts are made of: of a few whole images, or some of one image's.
  private let unitRows: Int
  private let rowCount: Int
  private let units: Partition

  /// - Parameters:
  ///   - unitRows: rows that stay in one part: some of one image's or a multiple of an image's.
  ///   - blockRows: likewise for a block.
  ///   - grain: the least number of rows that is worth a part.
  ///   - limit: the largest number of parts.
  init(
    _ extents: ConvolutionExtents, unitRows: Int, blockRows: Int, grain: Int, limit: Int = 32
  ) {
    imageRows = max(1, extents.outputHeight)
    rowCount = extents.outputRows
    self.unitRows = unitRows
    self.blockRows = blockRows
    for rows in [unitRows, blockRows] {
      precondition(
        rows > 0 && (rows < imageRows || rows % imageRows == 0),
        "\(rows) rows of images of \(imageRows)")
    }
    let unitsPerImage = (imageRows + unitRows - 1) / unitRows
    units = Partition(
      unitRows < imageRows
        ? extents.batch * unitsPerImage : (rowCount + unitRows - 1) / unitRows,
      grain: (grain + unitRows - 1) / unitRows, limit: limit)
  }

  var parts: Int { units.parts }

  func rows(of part: Int) -> Range<Int> {
    let range = units.range(part)
    return firstRow(ofUnit: range.lowerBound)..<firstRow(ofUnit: range.upperBound)
  }

  private func firstRow(ofUnit unit: Int) -> Int {
    guard unitRows < imageRows else { return min(unit * unitRows, rowCount) }
    let unitsPerImage = (imageRows + unitRows - 1) / unitRows
    return unit / unitsPerImage * imageRows + unit % unitsPerImage * unitRows
  }

  /// Whether blocks are some rows of an image.
  var splitsImages: Bool { blockRows < imageRows }
  var imagesPerBlock: Int { max(1, blockRows / imageRows) }

  /// Calls `body` with each block of a part: its number, its rows, and the rows of the next block,
  /// after the last that of the next part, which the same thread is likely to go on with.
  ///
  /// Blocks are numbered over all parts where parts consist of whole images and whole blocks.
  @inline(__always)
  func forEachBlock(
    of part: Int, _ body: (Int, Range<Int>, _ next: Range<Int>) -> Void
  ) {
    let range = rows(of: part)
    let other = part + 1 < parts ? rows(of: part + 1) : 0..<0
    var block = firstBlock(of: range)
    while !block.isEmpty {
      let rest = firstBlock(of: block.upperBound..<range.upperBound)
      body(number(ofBlockAt: block.lowerBound), block, rest.isEmpty ? firstBlock(of: other) : rest)
      block = rest
    }
  }

  private func firstBlock(of rows: Range<Int>) -> Range<Int> {
    let row = rows.lowerBound
    var end = min(row + blockRows, rows.upperBound)
    if splitsImages { end = min(end, (row / imageRows + 1) * imageRows) }
    return row..<end
  }

  private func number(ofBlockAt row: Int) -> Int {
    guard splitsImages else { return row / blockRows }
    let blocksPerImage = (imageRows + blockRows - 1) / blockRows
    return row / imageRows * blocksPerImage + row % imageRows / blockRows
  }

  /// The number of blocks of all parts.
  var blockCount: Int { rowCount == 0 ? 0 : number(ofBlockAt: rowCount - 1) + 1 }

  /// The number of rows of every block, in their order.
  var blockCounts: [Int] {
    var counts: [Int] = []
    for part in 0..<parts {
      forEachBlock(of: part) { number, rows, _ in
        precondition(number == counts.count, "block \(number) after \(counts.count) others")
        counts.append(rows.count)
      }
    }
    return counts
  }
}

extension ConvolutionExtents {
  /// Rows of a block of output: pixels enough for full register tiles and for the filter to be read
  /// seldom, and numbers few enough for the second-level cache.
  ///
  /// - Parameters:
  ///   - wholeImages: whether an image's rows have to stay together.
  ///   - leastBlocks: blocks of a batch, if it has as many images: where parts consist of blocks,
  ///     threads have to find enough of them.
  func blockRows(wholeImages: Bool, leastBlocks: Int = 4) -> Int {
    // As many as Winograd's kernel takes at a time, 48 tiles of 16 pixels, or the next smaller number
    // of images that is a power of two.
    let fullTiles = 768
    let cachedNumbers = 48 * 1024
    let channels = max(inputChannels, outputChannels, 1)
    let pixels = max(cachedNumbers / (channels * fullTiles) * fullTiles, fullTiles)
    let imagePixels = max(1, outputHeight * outputWidth)
    if wholeImages || imagePixels <= pixels + pixels / 8 {
      return powerOfTwo(atMost: min(pixels / imagePixels, batch / leastBlocks)) * outputHeight
    }
    // Blocks of nearly one size, in whole tiles.
    let blocks = (imagePixels + pixels - 1) / pixels
    let rows = (outputHeight + blocks - 1) / blocks
    return min(outputHeight, (rows + 3) / 4 * 4)
  }

  /// The pixels of output rows.
  func outputPixels(_ rows: Range<Int>) -> Range<Int> {
    rows.lowerBound * outputWidth..<rows.upperBound * outputWidth
  }

  /// The input pixels that the output rows `rows` read, as ``inputRows(of:)``.
  func inputPixels(of rows: Range<Int>) -> Range<Int> {
    inputPixels(ofInputRows: inputRows(of: rows))
  }

  /// The pixels of input rows.
  func inputPixels(ofInputRows rows: Range<Int>) -> Range<Int> {
    rows.lowerBound * inputWidth..<rows.upperBound * inputWidth
  }

  /// The input rows that the output rows `rows` of one or more whole images, or of one image, read.
  func inputRows(of rows: Range<Int>) -> Range<Int> {
    let image = rows.lowerBound / outputHeight
    let first = rows.lowerBound - image * outputHeight
    let last = rows.upperBound - 1 - image * outputHeight
    let base = image * inputHeight
    if first == 0, last >= outputHeight - 1 {
      // Whole images: all rows, those too that no window touches.
      return base..<base + (last + 1) / outputHeight * inputHeight
    }
    let start = max(0, first * strideHeight - paddingTop)
    let end = min(inputHeight, last * strideHeight - paddingTop + filterHeight)
    return base + min(start, end)..<base + end
  }
}
