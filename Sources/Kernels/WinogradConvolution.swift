// Winograd's convolution F(4×4, 3×3): output, and input gradient with the rotated filter.
//
// Goals, in order: transforms that stay in the cache between the three stages of a block; memory
// fetched ahead; a part of any rows, with bits that do not depend on how rows are cut (a tile is
// computed from its inputs alone, wherever it lies in a block; a part that cuts a tile computes
// it whole and stores its own rows).

import ResidualKernelInterface

extension Kernels {
  func winogradScratchCount(_ e: ConvolutionExtents) -> Int {
    larger(e.inputChannels, e.outputChannels) / Vector.scalarCount &* WinogradLayout.vector
      &+ TileRunPixels.count &+ InputScratch.count(e)
  }

  func winogradConvolve(
    _ input: UnsafePointer<Float>, filter packed: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, extents e: ConvolutionExtents, rows: Range<Int>,
    channels: Range<Int>, scratch: UnsafeMutablePointer<Float>
  ) {
    let grid = TileGrid(e)
    let tiles = grid.tiles(ofRows: rows)
    let vectors = larger(e.inputChannels, e.outputChannels) / lanes
    let tileScratch = scratch + vectors &* WinogradLayout.vector
    let inputScratch = InputScratch(tileScratch + TileRunPixels.count, e)

    var first = tiles.lowerBound
    while first < tiles.upperBound {
      let end = smaller(first &+ WinogradLayout.maximumTiles, tiles.upperBound)
      grid.forEachRun(in: first..<end) { run in
        WinogradInput.transform(
          run, of: input, extents: e, scratch: inputScratch,
          into: scratch + WinogradLayout.inputs)
      }
      WinogradLayout.multiply(
        scratch, filter: packed, inputChannels: e.inputChannels, outputChannels: e.outputChannels,
        channels: channels, tileCount: end &- first,
        prefetch: prefetch(
          input, output: Input(output), extents: e, channels: channels.count, grid: grid,
          block: first..<end,
          next: end..<smaller(end &+ WinogradLayout.maximumTiles, grid.tiles(e.batch))))
      grid.forEachRun(in: first..<end) { run in
        WinogradOutput.transform(
          run, of: Input(scratch), extents: e, rows: rows, channels: channels, into: output,
          scratch: tileScratch)
      }
      first = end
    }
  }

  /// The next block's input, which may be another part's, and this block's output.
  private func prefetch(
    _ input: UnsafePointer<Float>, output: UnsafePointer<Float>, extents e: ConvolutionExtents,
    channels: Int, grid: TileGrid, block: Range<Int>, next: Range<Int>
  ) -> PrefetchStream {
    let outputRows = grid.rows(of: block, lookAhead: 0)
    let inputRows = grid.rows(of: next, lookAhead: 1)
    let inputStep = e.inputWidth &* e.inputChannels
    let outputStep = e.outputWidth &* e.outputChannels
    return PrefetchStream(
      output + outputRows.lowerBound &* outputStep, count: outputRows.count &* outputStep,
      then: input + inputRows.lowerBound &* inputStep, count: inputRows.count &* inputStep,
      iterations: e.inputChannels
        &* WinogradLayout.registerTiles(
          tileCount: block.count, channels: channels))
  }
}
