// Winograd's filter gradient, the transpose of the convolution:
//
//     filterGradient = Gᵀ [Σ_tile (Bᵀ d B) ⊙ (A y' Aᵀ)] G
//
// with the inputs d of a channel c and the output gradients y' of a channel k. The file walks over
// the blocks of a part; the sums over a block's tiles are in WinogradGradientSums.swift.
//
// A part is one term of the sum of parts, and rounding grows with its length: a sixteenth of a
// batch of 128 images of 32×32 pixels has an error of 3e-6.

import ResidualKernelInterface

extension Kernels {
  func winogradFilterGradientScratchCount(_ e: ConvolutionExtents) -> Int {
    (e.inputChannels &+ e.outputChannels) / Vector.scalarCount &* WinogradLayout.vector
      &+ WinogradGradientSums.count(e) &+ TileRunPixels.count
      &+ InputScratch.count(e)
  }

  /// The partial filter gradient is `[k / lanes][c][r][s][lanes]`.
  func winogradFilterGradient(
    _ input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    partial: UnsafeMutablePointer<Float>, extents e: ConvolutionExtents, rows: Range<Int>,
    of part: Range<Int>, lookahead: Lookahead, scratch: UnsafeMutablePointer<Float>
  ) {
    let grid = TileGrid(e)
    let tiles = grid.tiles(ofRows: rows)
    let partTiles = grid.tiles(ofRows: part)
    if partTiles.isEmpty { return fillZero(partial, partialFilterGradientCount(e)) }
    let gradients = scratch + e.inputChannels / lanes &* WinogradLayout.vector
    let sums = gradients + e.outputChannels / lanes &* WinogradLayout.vector
    let tileScratch = sums + WinogradGradientSums.count(e)
    let inputScratch = InputScratch(tileScratch + TileRunPixels.count, e)
    var lookahead = LookaheadShares(lookahead, work: tiles.count)

    var first = tiles.lowerBound
    while first < tiles.upperBound {
      let end = smaller(first &+ WinogradLayout.maximumTiles, tiles.upperBound)
      let next = end..<smaller(end &+ WinogradLayout.maximumTiles, tiles.upperBound)
      grid.forEachRun(in: first..<end) { run in
        WinogradInput.transform(run, of: input, extents: e, scratch: inputScratch, into: scratch)
      }
      grid.forEachRun(in: first..<end) { run in
        WinogradOutputGradient.transform(
          run, of: outputGradient, extents: e, rows: rows, into: gradients, scratch: tileScratch)
      }
      var prefetch = PrefetchStream(idle: input)
      prefetch.append(
        input, rows: grid.rows(of: next, lookAhead: 1), step: e.inputWidth &* e.inputChannels)
      prefetch.append(
        outputGradient, rows: grid.rows(of: next, lookAhead: 0),
        step: e.outputWidth &* e.outputChannels)
      lookahead.move(end &- first, to: &prefetch)
      prefetch.spread(
        over: WinogradLayout.positions &* (end &- first)
          &* larger(1, e.inputChannels &* e.outputChannels / WideWinogradGradientTile.count))
      WinogradGradientSums(
        e, inputs: Input(scratch), gradients: Input(gradients), block: first..<end, of: partTiles,
        sums: sums, partial: partial
      ).add(prefetch: &prefetch)
      first = end
    }
  }
}
