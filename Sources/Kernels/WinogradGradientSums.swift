// The products of Winograd's filter gradient: for each of 36 positions a matrix product
//
//     sums[c, k] = Σ_tile inputs[tile, c] · gradients[tile, k]
//
// Goals, in order: the multiply-add rate of the core; few sums in memory.
//
// A register tile, some input channels times vectors of output channels, sums over the tiles of a
// block, at one position after another, and its 36 sums lie together. Those of a few channels are
// added up over the blocks of a part and transformed into the partial gradient at its end. With
// many channels they would take four times the filter's memory and its traffic: there a register
// tile's are transformed at once, which costs a twentieth of a full block's products.
//
// Rejected after measurement: positions in the outer loop, which reads the transforms from the
// first-level cache but the sums from the second (slower with AVX-512, up to a tenth).

import CIntrinsics
import ResidualKernelInterface

struct WinogradGradientSums {
  /// `[c / lanes][36][tile][lanes]` and `[k / lanes][36][tile][lanes]`.
  private let inputs: Input, gradients: Input
  private let inputChannels: Int, outputChannels: Int
  fileprivate let tileCount: Int
  /// For one register tile after another `[36][entries][vectors][lanes]`.
  private let sums: Output
  /// Whether the sums go on from block to block.
  fileprivate let areKept: Bool
  /// Whether the sums begin with this block, and whether they end.
  fileprivate let begins: Bool, ends: Bool
  /// `[k / lanes][r][s][c][lanes]`.
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

  /// Floats of the sums.
  static func count(_ e: ConvolutionExtents) -> Int {
    WinogradLayout.positions
      &* (fits(e)
        ? e.inputChannels &* e.outputChannels
        : larger(WideWinogradGradientTile.count, NarrowWinogradGradientTile.count))
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
    var kept = sums
    var group = 0
    while group < outputChannels {
      let groupCount = smaller(Self.groupChannels, outputChannels &- group)
      var c = 0
      while c < inputChannels {
        let source = inputs + c / lanes &* WinogradLayout.vector
        forEachBlock(channels: groupCount) { block in
          let k = group &+ block.start
          let factors = gradients + k / lanes &* WinogradLayout.vector
          if block.vectors == WideWinogradGradientTile.width {
            kept += WideWinogradGradientTile.add(
              self, source, factors, c: c, k: k, to: kept, prefetch: &prefetch)
          } else {
            kept += NarrowWinogradGradientTile.add(
              self, source, factors, c: c, k: k, to: kept, prefetch: &prefetch)
          }
        }
        c &+= lanes
      }
      group &+= groupCount
    }
  }

  /// Transforms the sums of one input channel and a vector of output channels, `position` floats
  /// apart, into the partial gradient.
  @inline(__always)
  fileprivate func finish(_ sums: Input, position: Int, c: Int, k: Int) {
    WinogradFilter.gradient(
      sums, position: position, into: partial + (k &* 9 &* inputChannels &+ c &* lanes),
      tap: inputChannels &* lanes, adding: addsToPartial)
  }
}

/// A register tile of `entries` input channels times `vectors` vectors of output channels.
enum WinogradGradientTile<let entries: Int, let vectors: Int> {
  static var width: Int { @inline(__always) get { vectors } }
  /// Sums in the tile.
  static var count: Int { @inline(__always) get { entries &* vectors &* Vector.scalarCount } }

  /// Adds a block's products for the vector of input channels at `c`, one register tile after
  /// another.
  ///
  /// - Parameters:
  ///   - inputs: `[36][tile][lanes]`.
  ///   - gradients: `[vectors][36][tile][lanes]`, a vector's stride apart.
  ///   - kept: `[lanes / entries][36][entries][vectors][lanes]`, the first only if not kept.
  /// - Returns: the floats that are kept.
  @inline(never)
  static func add(
    _ block: WinogradGradientSums, _ inputs: Input, _ gradients: Input, c: Int, k: Int,
    to kept: Output, prefetch: inout PrefetchStream
  ) -> Int {
    let begins = block.begins
    let tileCount = block.tileCount
    let step = block.areKept ? WinogradLayout.positions &* count : 0
    var kept = kept
    var entry = 0
    while entry < lanes {
      var source = inputs + entry
      var factors = gradients
      var target = kept
      for _ in 0..<WinogradLayout.positions {
        var (ahead, aheadStep) = prefetch.advance(tileCount)
        var sums = InlineArray<entries, InlineArray<vectors, Vector>>(
          repeating: InlineArray(repeating: .zero))
        if !begins {
          for i in 0..<entries {
            for v in 0..<vectors { sums[i][v] = load(target + (i &* vectors &+ v) &* lanes) }
          }
        }
        var numbers = source
        var gradient = factors
        let end = source + tileCount &* lanes
        while numbers != end {
          prefetchToL2(ahead)
          ahead += aheadStep
          for i in 0..<entries {
            let number = Vector(repeating: numbers[i])
            for v in 0..<vectors {
              sums[i][v] = fusedMultiplyAdd(
                number, load(gradient + v &* WinogradLayout.vector), sums[i][v])
            }
          }
          numbers += lanes
          gradient += lanes
        }
        for i in 0..<entries {
          for v in 0..<vectors { store(sums[i][v], target + (i &* vectors &+ v) &* lanes) }
        }
        source += WinogradLayout.position
        factors += WinogradLayout.position
        target += count
      }
      if block.ends {
        for i in 0..<entries {
          for v in 0..<vectors {
            block.finish(
              Input(kept) + (i &* vectors &+ v) &* lanes, position: count,
              c: c &+ entry &+ i, k: k &+ v &* lanes)
          }
        }
      }
      kept += step
      entry &+= entries
    }
    return step &* (lanes / entries)
  }
}
