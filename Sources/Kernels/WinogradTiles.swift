// The tiles of a Winograd convolution and where their transforms lie in scratch memory.
//
// A tile is 4×4 output pixels. Tiles are numbered over images, rows and columns, and are processed
// in blocks: transform the inputs of a block, multiply, transform the products back. Goals: a block
// in the second-level cache; every address in a transform one register and a constant; full
// register tiles whatever the width of the image.
//
// A block takes the next tiles, wherever a row or an image ends; within it a run is a number of
// neighbouring tiles of one row, so that a transform goes along pixels.
//
// Transforms lie as [vector of channels][36 positions][tile][lanes]. With the number of tiles in
// the strides a constant, however many are used, 36 displacements go with one pointer, for any
// number of channels. The odd vector in a position's stride keeps the positions in different sets
// of the first-level cache.
//
// Rejected: channels together ([position][tile][channel]: the strides depend on the channels, and
// the kernels must be specialised for each number of them), blocks of whole rows (14 tiles a row
// leave a sixth of the register tiles empty, and 56 do not fit).

import ResidualKernelInterface

/// The tiles of a convolution's output.
struct TileGrid {
  let height: Int, width: Int
  /// Tiles down and across an image.
  let down: Int, across: Int

  init(_ e: ConvolutionExtents) {
    height = e.outputHeight
    width = e.outputWidth
    down = (height &+ 3) / 4
    across = (width &+ 3) / 4
  }

  /// The tiles that the output rows `rows` touch, where row = image · height + p.
  func tiles(ofRows rows: Range<Int>) -> Range<Int> {
    if rows.isEmpty { return 0..<0 }
    let first = tileRow(ofRow: rows.lowerBound)
    let last = tileRow(ofRow: rows.upperBound &- 1)
    return first &* across..<(last &+ 1) &* across
  }

  private func tileRow(ofRow row: Int) -> Int {
    let image = row / height
    return image &* down &+ (row &- image &* height) / 4
  }

  /// The row of pixels where tile row `tileRow` begins, `lookAhead` rows later within the image.
  private func row(ofTileRow tileRow: Int, lookAhead: Int) -> Int {
    let image = tileRow / down
    return image &* height &+ smaller((tileRow &- image &* down) &* 4 &+ lookAhead, height)
  }

  /// The rows of pixels, of all images' rows, of the tile rows that begin within `tiles`: what is
  /// to be fetched for them. `lookAhead` 1 leaves out a row that the tile row before has read.
  func rows(of tiles: Range<Int>, lookAhead: Int) -> Range<Int> {
    let first = (tiles.lowerBound &+ across &- 1) / across
    let end = (tiles.upperBound &+ across &- 1) / across
    return row(ofTileRow: first, lookAhead: lookAhead)..<row(ofTileRow: end, lookAhead: lookAhead)
  }
}

/// Neighbouring tiles of one tile row.
struct TileRun {
  let image: Int
  /// The output pixel at the first tile's top left corner, in the image.
  let top: Int, left: Int
  let count: Int
  /// The first tile's number in its block.
  let slot: Int

  /// Pixels of a run, the windows' edges included.
  static let maximumColumns = 4 * maximumCount + 2
  static let maximumCount = 16
}

/// The pixels of a run's tiles in the output: which exist, and which tiles are whole.
struct TileRunPixels {
  /// Floats of one tile of one vector of channels.
  static var count: Int { 16 &* Vector.scalarCount }

  /// The offset of the first tile's top left corner in the output of all images.
  let start: Int
  /// Floats from one row to the next.
  let rowStep: Int
  /// Rows of the tiles, 0 to 4, that exist and are asked for.
  let top: Int, bottom: Int
  /// Tiles, from the first, of which every pixel is.
  let whole: Int
  private let columnsLeft: Int

  /// - Parameter rows: the output rows asked for, of all images' rows.
  init(_ run: TileRun, _ e: ConvolutionExtents, rows: Range<Int>) {
    let firstRow = run.image &* e.outputHeight &+ run.top
    start = (firstRow &* e.outputWidth &+ run.left) &* e.outputChannels
    rowStep = e.outputWidth &* e.outputChannels
    top = larger(rows.lowerBound &- firstRow, 0)
    bottom = smaller(smaller(rows.upperBound &- firstRow, e.outputHeight &- run.top), 4)
    columnsLeft = e.outputWidth &- run.left
    whole = bottom &- top == 4 ? smaller(columnsLeft / 4, run.count) : 0
  }

  /// Columns of a tile that exist.
  @inline(__always)
  func columns(ofTile tile: Int) -> Int { smaller(4, columnsLeft &- 4 &* tile) }
}

extension TileGrid {
  /// Calls `body` with the runs of the block of tiles `tiles`.
  @inline(__always)
  func forEachRun(in tiles: Range<Int>, _ body: (TileRun) -> Void) {
    var tile = tiles.lowerBound
    while tile < tiles.upperBound {
      let tileRow = tile / across
      let column = tile &- tileRow &* across
      let image = tileRow / down
      let count = smaller(
        smaller(across &- column, tiles.upperBound &- tile), TileRun.maximumCount)
      body(
        TileRun(
          image: image, top: (tileRow &- image &* down) &* 4, left: column &* 4, count: count,
          slot: tile &- tiles.lowerBound))
      tile &+= count
    }
  }
}

/// Strides of transforms in scratch memory, in floats.
enum WinogradLayout {
  /// Values of a transformed tile.
  static let positions = 36
  /// Tiles in a block: a multiple of every register tile's height.
  static let maximumTiles = 48
  static var position: Int { @inline(__always) get { (maximumTiles + 1) &* lanes } }
  /// One position more than there are: products lie one position before the inputs that they are
  /// made from, over those that were used up just before.
  static var vector: Int { @inline(__always) get { (positions + 1) &* position } }

  /// The offset of transformed inputs from that of the products.
  static var inputs: Int { @inline(__always) get { position } }
}

/// The part of scratch memory that Winograd's input transform needs.
struct InputScratch {
  /// Zeros in place of a row outside the image.
  let zeros: Output
  /// The rows of one vector of channels of a run after the transform along columns.
  let rows: Output

  /// Pixels of one of the six rows: the most that a run takes, and enough more to have the rows
  /// in different sets of the first-level cache.
  static let rowPixels = TileRun.maximumColumns + 9

  static func zeroCount(_ e: ConvolutionExtents) -> Int {
    smaller(e.inputWidth, TileRun.maximumColumns) &* e.inputChannels
  }
  static func count(_ e: ConvolutionExtents) -> Int {
    6 &* rowPixels &* Vector.scalarCount &+ zeroCount(e)
  }

  init(_ scratch: Output, _ e: ConvolutionExtents) {
    rows = scratch
    zeros = scratch + 6 &* Self.rowPixels &* lanes
    fillZero(zeros, Self.zeroCount(e))
  }
}
