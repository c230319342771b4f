// The products of Winograd's filter gradient: for each of 36 positions a matrix product
//
//     sums[c, k] = Σ_tile inputs[tile, c] · gradients[tile, k]
//
// Goals, in order: the multiply-add rate of the core; few sums in memory.
//
// A register tile, some input channels times vectors of output channels, sums over the tiles of a
// block. For a vector of input channels, one position after another meets a group of output
// channels: their transforms at a position lie in the first-level cache, and are read there once
// for every register tile. The sums of a few channels are added up over the blocks of a part and
// transformed into the partial gradient at its end. With many channels they would take four times
// the filter's memory and its traffic, so the sums of a vector and a group are then transformed
// after each block, which costs a twentieth of a full block's products.
//
// Rejected after measurement: all positions of one register tile after another, which reads the
// transforms from the second-level cache.

import CIntrinsics
import ResidualKernelInterface

struct WinogradGradientSums {
  /// `[c / lanes][36][tile][lanes]` and `[k / lanes][36][tile][lanes]`.
  private let inputs: Input, gradients: Input
  private let inputChannels: Int, outputChannels: Int
  private let tileCount: Int
  /// For a vector of input channels, and a group of output channels:
  /// `[36][block of k][lanes][vectors · lanes]`.
  private let sums: Output
  /// Whether the sums continue from block to block.
  private let areKept: Bool
  /// Whether the sums begin with this block, and whether they end.
  private let begins: Bool, ends: Bool
  /// `[k / lanes][c][r][s][lanes]`.
  private let partial: Output
  /// Whether earlier blocks are in the partial gradient.
  private let addsToPartial: Bool

  /// The most sums at a position that are kept: they share the second-level cache with a block.
  private static let mostKept = 64 * 64
  /// Output channels whose transforms stay in the second-level cache while all input channels pass.
  private static let groupChannels = 64

  private static func fits(_ e: ConvolutionExtents) -> Bool {
    e.inputChannels &* e.outputChannels <= mostKept
  }

  /// Floats of the sums at a position, and one vector more: else positions would be a page apart.
  private static func position(_ groupChannels: Int) -> Int {
    (groupChannels &+ 1) &* Vector.scalarCount
  }

  /// Floats of the sums.
  static func count(_ e: ConvolutionExtents) -> Int {
    let group = smaller(groupChannels, e.outputChannels)
    let groups = (e.outputChannels &+ group &- 1) / group
    return WinogradLayout.positions &* position(group)
      &* (fits(e) ? e.inputChannels / Vector.scalarCount &* groups : 1)
  }

  /// The sums over the tiles `block` of a part's `tiles`.
  init(
    _ e: ConvolutionExtents, inputs: Input, gradients: Input, block: Range<Int>,
    of tiles: Range<Int>, sums: Output, partial: Output
  ) {
    self.inputs = inputs
    self.gradients = gradients
    self.sums = sums
    self.partial = partial
    inputChannels = e.inputChannels
    outputChannels = e.outputChannels
    tileCount = block.count
    areKept = Self.fits(e) && block != tiles
    begins = !areKept || block.lowerBound == tiles.lowerBound
    ends = !areKept || block.upperBound == tiles.upperBound
    addsToPartial = !areKept && block.lowerBound > tiles.lowerBound
  }

  /// Adds the block, to the kept sums or to the partial gradient.
  func add(prefetch: inout PrefetchStream) {
    var sums = sums
    var group = 0
    while group < outputChannels {
      let groupCount = smaller(Self.groupChannels, outputChannels &- group)
      let position = Self.position(groupCount)
      var c = 0
      while c < inputChannels {
        add(c: c, k: group, count: groupCount, to: sums, prefetch: &prefetch)
        if ends { finish(sums, c: c, k: group, count: groupCount) }
        if areKept { sums += WinogradLayout.positions &* position }
        c &+= lanes
      }
      group &+= groupCount
    }
  }

  /// Adds the block's products for the vector of input channels at `c` and `count` output channels
  /// from `k` on.
  @inline(never)
  private func add(c: Int, k: Int, count: Int, to sums: Output, prefetch: inout PrefetchStream) {
    var source = inputs + c / lanes &* WinogradLayout.vector
    var factors = gradients + k / lanes &* WinogradLayout.vector
    var target = sums
    for _ in 0..<WinogradLayout.positions {
      forEachBlock(channels: count) { block in
        let factors = factors + block.start / lanes &* WinogradLayout.vector
        let target = target + block.start &* lanes
        if block.vectors == WideWinogradGradientTile.width {
          WideWinogradGradientTile.add(
            source, factors, tileCount: tileCount, to: target, begins: begins, prefetch: &prefetch)
        } else {
          NarrowWinogradGradientTile.add(
            source, factors, tileCount: tileCount, to: target, begins: begins, prefetch: &prefetch)
        }
      }
      source += WinogradLayout.position
      factors += WinogradLayout.position
      target += Self.position(count)
    }
  }

  /// Transforms the sums of the vector of input channels at `c` and `count` output channels from `k`
  /// on into the partial gradient.
  @inline(never)
  private func finish(_ sums: Output, c: Int, k: Int, count: Int) {
    forEachBlock(channels: count) { block in
      var source = Input(sums) + block.start &* lanes
      var target = partial + ((k &+ block.start) &* inputChannels &+ c &* lanes) &* 9
      for _ in 0..<Vector.scalarCount {
        for v in 0..<block.vectors {
          WinogradFilter.gradient(
            source, position: Self.position(count), into: target + v &* lanes &* 9 &* inputChannels,
            adding: addsToPartial)
          source += lanes
        }
        target += 9 &* lanes
      }
    }
  }
}

/// A register tile of `entries` input channels times `vectors` vectors of output channels.
enum WinogradGradientTile<let entries: Int, let vectors: Int> {
  static var width: Int { @inline(__always) get { vectors } }
  /// Sums in the tile.
  static var count: Int { @inline(__always) get { entries &* vectors &* Vector.scalarCount } }

  /// Adds a block's products at a position for a vector of input channels, one register tile after
  /// another.
  ///
  /// - Parameters:
  ///   - inputs: `[tile][lanes]`.
  ///   - gradients: `[vectors][tile][lanes]`, a vector's stride apart.
  ///   - sums: `[lanes][vectors][lanes]`.
  ///   - begins: whether the sums replace those that are there.
  @inline(never)
  static func add(
    _ inputs: Input, _ gradients: Input, tileCount: Int, to sums: Output, begins: Bool,
    prefetch: inout PrefetchStream
  ) {
    var target = sums
    var entry = 0
    while entry < lanes {
      var (ahead, aheadStep) = prefetch.advance(tileCount)
      var products = InlineArray<entries, InlineArray<vectors, Vector>>(
        repeating: InlineArray(repeating: .zero))
      if !begins {
        for i in 0..<entries {
          for v in 0..<vectors { products[i][v] = load(target + (i &* vectors &+ v) &* lanes) }
        }
      }
      var numbers = inputs + entry
      var gradient = gradients
      let end = numbers + tileCount &* lanes
      while numbers != end {
        prefetchToL2(ahead)
        ahead += aheadStep
        if vectors > 1 {
          // The next position: a narrow tile's loads leave no time to ask for it.
          prefetchToL1(numbers + WinogradLayout.position)
          for v in 0..<vectors {
            prefetchToL1(gradient + (v &* WinogradLayout.vector &+ WinogradLayout.position))
          }
        }
        for i in 0..<entries {
          let number = Vector(repeating: numbers[i])
          for v in 0..<vectors {
            products[i][v] = fusedMultiplyAdd(
              number, load(gradient + v &* WinogradLayout.vector), products[i][v])
          }
        }
        numbers += lanes
        gradient += lanes
      }
      for i in 0..<entries {
        for v in 0..<vectors { store(products[i][v], target + (i &* vectors &+ v) &* lanes) }
      }
      target += entries &* vectors &* lanes
      entry &+= entries
    }
  }
}
