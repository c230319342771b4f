// The input transform Bᵀ d B of Winograd's convolution, d the 6×6 input pixels of a tile.
//
// The transform along columns is made once for a run of tiles, whose windows overlap by two pixels,
// into six rows in the first-level cache; the transform along rows then reads six neighbouring
// pixels of a row. The padding is zeros next to these rows, and a row of zeros in place of a row
// outside the image: there is no padded copy and no case for an edge.

import ResidualKernelInterface

enum WinogradInput {
  /// Transforms the inputs of a run of tiles for all channels.
  ///
  /// - Parameters:
  ///   - input: `[image, h, w, c]`.
  ///   - transformed: `[c / lanes][36][tile][lanes]` with the strides of ``WinogradLayout``, of the
  ///     run's block.
  @inline(never)
  static func transform(
    _ run: TileRun, of input: Input, extents e: ConvolutionExtents, scratch: InputScratch,
    into transformed: Output
  ) {
    let channels = e.inputChannels
    let height = e.inputHeight
    let width = e.inputWidth
    // The first pixel of the first window is one outside the tile, above and to the left.
    let first = larger(run.left &- 1, 0)
    let end = smaller(run.left &+ 4 &* run.count &+ 1, width)
    let image = input + (run.image &* height &* width &+ first) &* channels
    let zeros = Input(scratch.zeros)
    @inline(__always) func row(_ i: Int) -> Input {
      let h = run.top &- 1 &+ i
      return h >= 0 && h < height ? image + h &* width &* channels : zeros
    }
    let sources = (row(0), row(1), row(2), row(3), row(4), row(5))

    let leading = first &- (run.left &- 1)
    let trailing = run.left &+ 4 &* run.count &+ 1 &- end
    clearColumns(from: 0, count: leading, of: scratch.rows)
    clearColumns(from: 4 &* run.count &+ 2 &- trailing, count: trailing, of: scratch.rows)
    var target = transformed + run.slot &* lanes
    var channel = 0
    while channel < channels {
      transformColumns(
        sources, channel: channel, channels: channels, pixels: end &- first,
        into: scratch.rows + leading &* lanes)
      transformRows(scratch.rows, tiles: run.count, into: target)
      target += WinogradLayout.vector
      channel &+= lanes
    }
  }

  /// Sets columns of the six rows to zero.
  @inline(__always)
  private static func clearColumns(from column: Int, count: Int, of rows: Output) {
    var target = rows + column &* lanes
    for _ in 0..<count {
      for i in 0..<6 { store(Vector.zero, target + i &* rowStep) }
      target += lanes
    }
  }

  private static var rowStep: Int { @inline(__always) get { InputScratch.rowPixels &* lanes } }

  /// Bᵀ along the columns of `pixels` neighbouring pixels: one vector of channels.
  @inline(__always)
  private static func transformColumns(
    _ sources: (Input, Input, Input, Input, Input, Input), channel: Int, channels: Int,
    pixels: Int, into rows: Output
  ) {
    var place = channel
    let end = channel &+ pixels &* channels
    var target = rows
    while place != end {
      let column = Winograd.input(
        (
          load(sources.0 + place), load(sources.1 + place), load(sources.2 + place),
          load(sources.3 + place), load(sources.4 + place), load(sources.5 + place)
        ))
      storeSix(column, target, step: rowStep)
      target += lanes
      place &+= channels
    }
  }

  /// Bᵀ along the six rows of a run, for every tile.
  ///
  /// A long run goes along its rows, so that stores follow six lines at a time; a short one tile by
  /// tile, since its loops would be over before they pay.
  @inline(__always)
  private static func transformRows(_ rows: Output, tiles: Int, into transformed: Output) {
    @inline(__always) func transform(_ i: Int, _ tile: Int) {
      let row = Input(rows) + (i &* rowStep &+ 4 &* tile &* lanes)
      let values = Winograd.input(
        (
          load(row), load(row + lanes), load(row + 2 &* lanes), load(row + 3 &* lanes),
          load(row + 4 &* lanes), load(row + 5 &* lanes)
        ))
      let target = transformed + (6 &* i &* WinogradLayout.position &+ tile &* lanes)
      storeSix(values, target, step: WinogradLayout.position)
    }
    var tile = 0
    if tiles < 4 {
      while tile < tiles {
        for i in 0..<6 { transform(i, tile) }
        tile &+= 1
      }
    } else {
      for i in 0..<6 {
        tile = 0
        while tile < tiles {
          transform(i, tile)
          tile &+= 1
        }
      }
    }
  }
}

/// Stores six vectors `step` floats apart.
@inline(__always)
func storeSix(_ vectors: Six, _ target: Output, step: Int) {
  store(vectors.0, target)
  store(vectors.1, target + step)
  store(vectors.2, target + 2 &* step)
  store(vectors.3, target + 3 &* step)
  store(vectors.4, target + 4 &* step)
  store(vectors.5, target + 5 &* step)
}
