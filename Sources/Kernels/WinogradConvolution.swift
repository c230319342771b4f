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

  func winogradConvolve(_ task: ConvolutionTask) {
    let e = task.extents
    let scratch = task.scratch
    let grid = TileGrid(e)
    let tiles = grid.tiles(ofRows: task.rows)
    let vectors = larger(e.inputChannels, e.outputChannels) / lanes
    let tileScratch = scratch + vectors &* WinogradLayout.vector
    let inputScratch = InputScratch(tileScratch + TileRunPixels.count, e)
    let map = task.epilogue.map { OutputMap($0, output: task.output) }
    var lookahead = LookaheadShares(task.lookahead, work: tiles.count)
    let outputStep = e.outputWidth &* e.outputChannels

    var first = tiles.lowerBound
    while first < tiles.upperBound {
      let end = smaller(first &+ WinogradLayout.maximumTiles, tiles.upperBound)
      grid.forEachRun(in: first..<end) { run in
        WinogradInput.transform(
          run, of: task.input, extents: e, scratch: inputScratch,
          into: scratch + WinogradLayout.inputs)
      }
      var prefetch = PrefetchStream(idle: task.filter)
      if task.channels.count == e.outputChannels {
        let rows = grid.rows(of: first..<end, lookAhead: 0)
        prefetch.append(Input(task.output), rows: rows, step: outputStep)
        if let residual = task.epilogue?.residual {
          prefetch.append(residual, rows: rows, step: outputStep)
        }
      }
      let next = end..<smaller(end &+ WinogradLayout.maximumTiles, tiles.upperBound)
      prefetch.append(
        task.input, rows: grid.rows(of: next, lookAhead: 1),
        step: e.inputWidth &* e.inputChannels)
      lookahead.move(end &- first, to: &prefetch)
      WinogradLayout.multiply(
        scratch, filter: task.filter, inputChannels: e.inputChannels,
        outputChannels: e.outputChannels, channels: task.channels, tileCount: end &- first,
        prefetch: &prefetch)
      grid.forEachRun(in: first..<end) { run in
        WinogradOutput.transform(
          run, of: Input(scratch), extents: e, rows: task.rows, channels: task.channels, map: map,
          into: task.output, scratch: tileScratch)
      }
      first = end
    }
  }
}
