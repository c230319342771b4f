// Winograd's convolution F(4×4, 3×3): output, and input gradient with the rotated filter.
//
// Goals, in order: a relative error below 5e-6; transforms that stay in the cache between the three
// stages of a block; memory fetched ahead; a part of any rows, with bits that do not depend on how
// rows are cut (a tile is computed from its inputs alone, wherever it lies in a block; a part that
// cuts a tile computes it whole and stores its own rows).
//
// Error: with u = 2⁻²⁴, the matrices of WinogradTransforms.swift, and absolute values by element,
//
//     |error| ≤ γ_m · |Aᵀ| (Σ_c (|G| |filter| |Gᵀ|) ⊙ (B̃ |input| B̃ᵀ)) |A|,   m = C + 22,
//
// γ_m = m u / (1 − m u): a product passes at most C roundings in the sum over channels, and on each
// of two axes 3 in the transform of the input, 4 in the filter's (that of 1/3 or 1/15 among them)
// and 4 in the output's. B̃ is |Bᵀ| but for two rows, [0 1 5/2 5/2 1 0]: they are made of sums that
// cancel. A number of the largest row sum on one axis,
//
//     max_i Σ_j |Aᵀ|_ij · (Σ_k |G|_jk) · (Σ_k B̃_jk) = 33.6,
//
// gives, with the maxima of a channel over the tile's 6 × 6 inputs and the 3 × 3 taps,
//
//     |error| ≤ γ_{C+22} · 33.6² · Σ_c max |input_c| · max |filter_c|.
//
// For direct convolution the factor is 9 and the index 9 C: in the worst case of many channels the
// transforms cost 33.6² / 81 = 14 times the error. For independent numbers with mean 0 variances
// take the places of row sums: the mean over i of Σ_j A²_ij Σ_k G²_jk Σ_k B²_jk is 20.8, and the
// relative L2 error of the sums 0.43 u · 20.8 √(C / 18): 2.3 times that of direct convolution, and
// 2.8e-6 for 512 channels. `scripts/check-accuracy` measures 2.6e-6 there. With few channels the
// transforms' own roundings count: a simulation has 7e-7 at 16, where the sums alone have 5e-7.
//
// Rejected: F(2×2, 3×3), whose error is by the same reckoning 0.56 times that of direct
// convolution, but which has 16 multiplications for 36, where this has 36 for 144; F(6×6, 3×3) at 0,
// ±1, ±1/2, ±2 and ∞, whose error is 6.9 times that of direct convolution: 8e-6 for 512 channels.

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
        // The rest of what will be read is small compared with the filter, which is fetched ahead.
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
