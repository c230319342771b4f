// Winograd's convolution F(4×4, 3×3): output, and input gradient with the rotated filter.
//
// Goals, in order: transforms that stay in the cache between the three stages of a block; memory
// fetched ahead; a part of any rows, with bits that do not depend on how rows are cut (a tile is
// computed from its inputs alone, wherever it lies in a block; a part that cuts a tile computes
// it whole and stores its own rows).

import ResidualKernelInterface

extension Kernels {
  func winogradScratchCount(_ e: ConvolutionExtents) -> Int {
    winogradBlockCount(e) &+ TileRunPixels.count &+ InputScratch.count(e)
  }

  private func winogradBlockCount(_ e: ConvolutionExtents) -> Int {
    ConvolutionAlgorithm.transformsFilterWhenUsed(e)
      ? WinogradSmallBlock.count(e)
      : larger(e.inputChannels, e.outputChannels) / lanes &* WinogradLayout.vector
  }

  func winogradConvolve(_ task: ConvolutionTask) {
    let e = task.extents
    let scratch = task.scratch
    let grid = TileGrid(e)
    let tiles = grid.tiles(ofRows: task.rows)
    let tileScratch = scratch + winogradBlockCount(e)
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
      /// Transforms the products of some channels back.
      @inline(__always) func complete(_ channels: Range<Int>, products: Input) {
        grid.forEachRun(in: first..<end) { run in
          WinogradOutput.transform(
            run, of: products, extents: e, rows: task.rows, channels: channels, map: map,
            into: task.output, scratch: tileScratch)
        }
      }
      if ConvolutionAlgorithm.transformsFilterWhenUsed(e) {
        // What else will be read is small beside the filter, which is fetched ahead.
        let block = WinogradSmallBlock(scratch, e, tileCount: end &- first)
        forEachBlock(channels: e.outputChannels, in: task.channels) { channels in
          block.multiply(channels, filter: task.filter, until: task.channels.upperBound)
          complete(
            channels.start..<channels.start &+ channels.channels, products: Input(block.products))
        }
      } else {
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
        complete(
          task.channels,
          products: Input(scratch) + task.channels.lowerBound / lanes &* WinogradLayout.vector)
      }
      first = end
    }
  }
}
