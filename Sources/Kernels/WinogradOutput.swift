// The output transform Aᵀ m A of Winograd's convolution, m the 6×6 products of a tile.
//
// A tile that reaches over the edge of the image, or outside the rows asked for, is transformed in
// scratch memory, and the pixels that exist are copied. So is a tile whose outputs are mapped: in
// the transform itself, which fills all registers, that costs twice as much.

import ResidualKernelInterface

enum WinogradOutput {
  /// Transforms the products of a run of tiles into the channels `range` of the output rows `rows`,
  /// of all images' rows.
  ///
  /// - Parameters:
  ///   - products: of these channels, `[k / lanes][36][tile][lanes]`, strides as in
  ///     ``WinogradLayout``.
  ///   - output: `[image, p, q, k]`.
  ///   - scratch: ``TileRunPixels/count`` floats.
  @inline(never)
  static func transform(
    _ run: TileRun, of products: Input, extents e: ConvolutionExtents, rows: Range<Int>,
    channels range: Range<Int>, map: OutputMap?, into output: Output, scratch: Output
  ) {
    let channels = e.outputChannels
    let pixels = TileRunPixels(run, e, rows: rows)
    let rowStep = pixels.rowStep

    let storedAtOnce = map == nil ? pixels.whole : 0
    var channel = range.lowerBound
    var source = products + run.slot &* lanes
    while channel < range.upperBound {
      var target = output + (pixels.start &+ channel)
      for _ in 0..<storedAtOnce {
        transform(source, into: target, rowStep: rowStep, pixelStep: channels)
        source += lanes
        target += 4 &* channels
      }
      var tile = storedAtOnce
      while tile < run.count {
        transform(source, into: scratch, rowStep: 4 &* lanes, pixelStep: lanes)
        let columns = pixels.columns(ofTile: tile)
        var p = pixels.top
        while p < pixels.bottom {
          for q in 0..<columns {
            let place = target + (p &* rowStep &+ q &* channels)
            let sums = load(scratch + (4 &* p &+ q) &* lanes)
            store(map?(sums, channel: channel, at: place) ?? sums, place)
          }
          p &+= 1
        }
        source += lanes
        target += 4 &* channels
        tile &+= 1
      }
      source += WinogradLayout.vector &- run.count &* lanes
      channel &+= lanes
    }
  }

  /// One tile of one vector of channels.
  @inline(__always)
  private static func transform(
    _ products: Input, into output: Output, rowStep: Int, pixelStep: Int
  ) {
    @inline(__always) func column(_ j: Int) -> Four {
      @inline(__always) func product(_ i: Int) -> Vector {
        load(products + (6 &* i &+ j) &* WinogradLayout.position)
      }
      return Winograd.output(
        (product(0), product(1), product(2), product(3), product(4), product(5)))
    }
    @inline(__always) func put(_ row: Int, _ values: Six) {
      let outputs = Winograd.output(values)
      let target = output + row &* rowStep
      store(outputs.0, target)
      store(outputs.1, target + pixelStep)
      store(outputs.2, target + 2 &* pixelStep)
      store(outputs.3, target + 3 &* pixelStep)
    }
    let (a, b, c, d, e, f) = (column(0), column(1), column(2), column(3), column(4), column(5))
    put(0, (a.0, b.0, c.0, d.0, e.0, f.0))
    put(1, (a.1, b.1, c.1, d.1, e.1, f.1))
    put(2, (a.2, b.2, c.2, d.2, e.2, f.2))
    put(3, (a.3, b.3, c.3, d.3, e.3, f.3))
  }
}
