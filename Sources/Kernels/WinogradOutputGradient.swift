// The transform A y' Aᵀ of the output's gradient, y' the 4×4 pixels of a tile.
//
// A tile that reaches over the edge of the image, or outside the rows asked for, is first copied
// into scratch memory, with zeros for the pixels that do not exist.

import ResidualKernelInterface

enum WinogradOutputGradient {
  /// Transforms the gradients of a run of tiles, of which the output rows `rows` count.
  ///
  /// - Parameters:
  ///   - gradient: `[image, p, q, k]`.
  ///   - transformed: `[k / lanes][36][tile][lanes]`, strides as in ``WinogradLayout``.
  ///   - scratch: ``TileRunPixels/count`` floats.
  @inline(never)
  static func transform(
    _ run: TileRun, of gradient: Input, extents e: ConvolutionExtents, rows: Range<Int>,
    into transformed: Output, scratch: Output
  ) {
    let channels = e.outputChannels
    let pixels = TileRunPixels(run, e, rows: rows)
    let rowStep = pixels.rowStep

    var channel = 0
    var target = transformed + run.slot &* lanes
    while channel < channels {
      var source = gradient + (pixels.start &+ channel)
      for _ in 0..<pixels.whole {
        transform(source, rowStep: rowStep, pixelStep: channels, into: target)
        source += 4 &* channels
        target += lanes
      }
      var tile = pixels.whole
      while tile < run.count {
        let columns = pixels.columns(ofTile: tile)
        fillZero(scratch, TileRunPixels.count)
        var p = pixels.top
        while p < pixels.bottom {
          for q in 0..<columns {
            store(
              load(source + (p &* rowStep &+ q &* channels)), scratch + (4 &* p &+ q) &* lanes)
          }
          p &+= 1
        }
        transform(Input(scratch), rowStep: 4 &* lanes, pixelStep: lanes, into: target)
        source += 4 &* channels
        target += lanes
        tile &+= 1
      }
      target += WinogradLayout.vector &- run.count &* lanes
      channel &+= lanes
    }
  }

  /// One tile of one vector of channels.
  @inline(__always)
  private static func transform(
    _ gradient: Input, rowStep: Int, pixelStep: Int, into target: Output
  ) {
    @inline(__always) func column(_ q: Int) -> Six {
      let source = gradient + q &* pixelStep
      return Winograd.outputGradient(
        (
          load(source), load(source + rowStep), load(source + 2 &* rowStep),
          load(source + 3 &* rowStep)
        ))
    }
    @inline(__always) func put(_ row: Int, _ pixels: Four) {
      storeSix(
        Winograd.outputGradient(pixels), target + 6 &* row &* WinogradLayout.position,
        step: WinogradLayout.position)
    }
    let (a, b, c, d) = (column(0), column(1), column(2), column(3))
    put(0, (a.0, b.0, c.0, d.0))
    put(1, (a.1, b.1, c.1, d.1))
    put(2, (a.2, b.2, c.2, d.2))
    put(3, (a.3, b.3, c.3, d.3))
    put(4, (a.4, b.4, c.4, d.4))
    put(5, (a.5, b.5, c.5, d.5))
  }
}
