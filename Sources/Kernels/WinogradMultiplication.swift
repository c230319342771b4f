// The products of Winograd's convolution: for each of 36 positions a matrix product
//
//     products[tile, k] = Σ_c inputs[tile, c] · filter[c, k]
//
// Goals, in order: the multiply-add rate of the core; memory fetched ahead while the core
// multiplies, since the transforms before and after do nothing but wait for it.
//
// A register tile is some tiles times some vectors of output channels; the filter's vectors are
// loaded, input numbers broadcast. Products overwrite inputs that were used up, so that a
// block takes half the cache. A short last register tile multiplies whatever is after the
// block's tiles; that result is never read.

import CIntrinsics

/// A register tile of `tiles` tiles times `vectors` vectors of output channels.
enum WinogradTile<let tiles: Int, let vectors: Int> {
  static var width: Int { @inline(__always) get { vectors } }
  static var height: Int { @inline(__always) get { tiles } }

  /// Multiplies one position of a block for one block of output channels.
  ///
  /// - Parameters:
  ///   - inputs: `[c / lanes][tile][lanes]`, a vector's stride apart.
  ///   - filter: `[c][vectors][lanes]`.
  ///   - products: `[vectors][tile][lanes]`, a vector's stride apart.
  ///   - adding: whether to add to the products or to replace them.
  @inline(never)
  static func multiply(
    _ inputs: Input, filter: Input, products: Output, inputVectors: Int, tileCount: Int,
    adding: Bool, prefetch: inout PrefetchStream
  ) {
    var source = inputs
    var target = products
    let end = inputs + tileCount &* lanes
    while source < end {
      var (ahead, aheadStep) = prefetch.advance(inputVectors &* lanes)
      var sums = InlineArray<tiles, InlineArray<vectors, Vector>>(
        repeating: InlineArray(repeating: .zero))
      if adding {
        for t in 0..<tiles {
          for v in 0..<vectors {
            sums[t][v] = load(target + (v &* WinogradLayout.vector &+ t &* lanes))
          }
        }
      }
      var weights = filter
      var numbers = source
      var remaining = inputVectors
      while remaining > 0 {
        remaining &-= 1
        if remaining > 0 {
          // The next vector lies too far away for the processor to expect it.
          for line in 0..<(tiles &* lanes &+ 15) / 16 {
            prefetchToL1(numbers + (WinogradLayout.vector &+ 16 &* line))
          }
        }
        let last = numbers + lanes
        while numbers != last {
          prefetchToL2(ahead)
          ahead += aheadStep
          for t in 0..<tiles {
            let number = Vector(repeating: numbers[t &* lanes])
            for v in 0..<vectors {
              sums[t][v] = fusedMultiplyAdd(number, load(weights + v &* lanes), sums[t][v])
            }
          }
          weights += vectors &* lanes
          numbers += 1
        }
        numbers += WinogradLayout.vector &- lanes
      }
      for t in 0..<tiles {
        for v in 0..<vectors {
          store(sums[t][v], target + (v &* WinogradLayout.vector &+ t &* lanes))
        }
      }
      source += tiles &* lanes
      target += tiles &* lanes
    }
  }
}

extension WinogradLayout {
  /// Numbers of a filter, at a position, that leave no room in the second-level cache for a block:
  /// so large a filter is fetched a position ahead.
  private static var largeFilter: Int { 64 &* 64 }

  /// Tiles of a block that are left to short register tiles, because wide ones would be half empty.
  @inline(__always)
  private static func shortTiles(_ tileCount: Int) -> Int {
    let rest = tileCount % WideWinogradTile.height
    return rest <= ShortWinogradTile.height ? rest : 0
  }

  /// Register tiles that a position of a block takes for some output channels.
  static func registerTiles(tileCount: Int, channels: Int) -> Int {
    var count = 0
    forEachBlock(channels: channels) { channels in
      if channels.vectors == WideWinogradTile.width {
        let short = shortTiles(tileCount)
        count &+= (tileCount &- short &+ WideWinogradTile.height &- 1) / WideWinogradTile.height
        count &+= short > 0 ? 1 : 0
      } else {
        count &+= (tileCount &+ NarrowWinogradTile.height &- 1) / NarrowWinogradTile.height
      }
    }
    return count
  }

  /// Multiplies one position of a block of `vectors` vectors of output channels.
  ///
  /// - Parameters:
  ///   - inputs: `[c / lanes][tile][lanes]`, a vector's stride apart.
  ///   - filter: `[c][vectors][lanes]`.
  ///   - products: `[vectors][tile][lanes]`, a vector's stride apart.
  ///   - adding: whether to add to the products or to replace them.
  @inline(__always)
  static func multiply(
    _ inputs: Input, filter: Input, products: Output, inputVectors: Int, vectors: Int,
    tileCount: Int, adding: Bool, prefetch: inout PrefetchStream
  ) {
    if vectors == WideWinogradTile.width {
      let short = shortTiles(tileCount)
      let wide = tileCount &- short
      if wide > 0 {
        WideWinogradTile.multiply(
          inputs, filter: filter, products: products, inputVectors: inputVectors, tileCount: wide,
          adding: adding, prefetch: &prefetch)
      }
      if short > 0 {
        ShortWinogradTile.multiply(
          inputs + wide &* lanes, filter: filter, products: products + wide &* lanes,
          inputVectors: inputVectors, tileCount: short, adding: adding, prefetch: &prefetch)
      }
    } else {
      NarrowWinogradTile.multiply(
        inputs, filter: filter, products: products, inputVectors: inputVectors,
        tileCount: tileCount, adding: adding, prefetch: &prefetch)
    }
  }

  /// Multiplies a block at all positions for the output channels `channels`.
  ///
  /// - Parameters:
  ///   - block: products, and inputs one position later.
  ///   - filter: `[36][block of k][c][vectors][lanes]`.
  @inline(never)
  static func multiply(
    _ block: Output, filter: Input, inputChannels: Int, outputChannels: Int, channels: Range<Int>,
    tileCount: Int, prefetch: inout PrefetchStream
  ) {
    var products = block
    var weights = filter + channels.lowerBound &* inputChannels
    let nextPosition =
      filterPosition(inputChannels, outputChannels) &- inputChannels &* channels.count
    let chunk = inputChannels &* channels.count
    let iterations =
      registerTiles(tileCount: tileCount, channels: channels.count) &* inputChannels
    let fetchesFilter = inputChannels &* outputChannels >= largeFilter
    var shares = LookaheadShares(prefetch.pieces, work: positions)
    prefetch.spread(over: positions &* iterations)
    for number in 0..<positions {
      if fetchesFilter {
        prefetch = PrefetchStream(idle: weights)
        if number &+ 1 < positions {
          prefetch.append(weights + filterPosition(inputChannels, outputChannels), count: chunk)
        }
        shares.move(1, to: &prefetch)
        prefetch.spread(over: iterations)
      }
      forEachBlock(channels: outputChannels, in: channels) { channels in
        multiply(
          Input(products) + inputs, filter: weights,
          products: products + (channels.start / lanes) &* vector,
          inputVectors: inputChannels / lanes, vectors: channels.vectors, tileCount: tileCount,
          adding: false, prefetch: &prefetch)
        weights += inputChannels &* channels.vectors &* lanes
      }
      weights += nextPosition
      products += position
    }
  }
}
