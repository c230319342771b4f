// Direct convolution: an implicit matrix product.
//
// Goals, in order: the multiply-add rate of the core; any extents with one kernel; few lines.
//
// Lanes are output channels. A tile of neighbouring output pixels times a block of output channels
// stays in registers while the taps pass: each step loads the block's filter vectors and multiplies
// them by one input number of each pixel, broadcast from memory. A pixel's window is r segments
// of s · c contiguous floats. Every pixel of a tile has its own pointer, so a tile runs on over the
// ends of rows. Tiles of two heights cover nearly every strip; a last tile that is too high repeats
// its last pixel, and stores the same numbers twice.
// Each output number is summed in one order, whatever the tile or the strip.
//
// Error: with u = 2⁻²⁴ an output of n = C · R · S products has
//
//     |error| ≤ γ_n · Σ |input| |filter|,   γ_n = n u / (1 − n u),
//
// since no product passes more than n roundings: its own and one an addition, or with a fused
// multiply-add one a step; zeros around the image add none. For independent numbers with mean 0
// roundings seldom agree: a sum of k products is about √k large, and its rounding about 0.43 u of
// that, so that the relative L2 error is 0.43 u √(n / 2): 1.2e-6 for n = 4,608, 3×3 taps of 512
// channels, as in a simulation of this order of sums. `scripts/check-accuracy` asks for less than
// 5e-6.
//
// Rejected: tiles within a row (widths 7, 14 or 10 waste a third), a tile for every remainder, lanes
// along pixels (channels lie together in memory), blocks of three vectors (channels are powers of
// two). Rejected after measurement: passes over slabs of products whose filters stay in the
// first-level cache (5 to 15 % slower: the processor fetches a filter ahead by itself), and asking
// for the filter ahead.
//
// Memory is prefetched: the next strip's input during this strip's arithmetic, a line at a time
// within the innermost loop (a tile's share at once would fill the queues for misses), and all
// lines of a tile's output before its sums, since stores wait for lines that are not there.
//
// Letters: n image, c input channel, k output channel, r s filter taps, p q output row and column.

import CIntrinsics
import ResidualKernelInterface

/// Floats of a strip: it shares the first-level cache with the filter.
private let stripBudget = 6144

extension Kernels {
  func directScratchCount(_ extents: ConvolutionExtents) -> Int {
    let strip = StripSize(of: extents.flattened, budget: stripBudget, leastPixels: 48).count
    let tile = larger(WideTile.height &* WideTile.width, NarrowTile.height)
    return strip &+ tile &* Vector.scalarCount
  }

  func directConvolve(_ task: ConvolutionTask) {
    let e = task.extents.flattened
    let width = task.extents.isPointwise ? task.extents.outputWidth : 1
    let channels = task.channels
    let blocks = blockCount(channels: channels.count)
    let map = task.epilogue.map { OutputMap($0, output: task.output) }
    var lookahead = LookaheadShares(
      task.lookahead, work: task.rows.count &* task.extents.outputWidth &* e.meanProducts)
    let paddedChannels = vectorCount(e.outputChannels) &* Vector.scalarCount
    let size = StripSize(of: e, budget: stripBudget, leastPixels: 48)
    let partial = task.scratch + size.count
    forEachStrip(
      of: e, rows: task.rows.lowerBound &* width..<task.rows.upperBound &* width, size: size,
      input: task.input, scratch: task.scratch
    ) { strip, phase, filterStart in
      let filter = task.filter + filterStart &* paddedChannels
      let tiles = TileMix(strip.pixels, tall: WideTile.height, short: ShortTile.height)
      let narrowTiles = TileMix(strip.pixels, tall: NarrowTile.height, short: NarrowTile.height)
      var prefetch = PrefetchStream(idle: filter)
      prefetch.append(strip.following, count: strip.followingCount)
      lookahead.move(strip.pixels &* phase.products, to: &prefetch)
      prefetch.spread(over: tiles.count &* phase.products &* blocks)
      forEachBlock(channels: e.outputChannels, in: channels) { block in
        let filter = filter + block.start &* phase.products
        var cursor = PixelCursor(strip, output: task.output + (strip.output &+ block.start))
        if block.vectors == WideTile.width {
          WideTile.convolve(
            &cursor, tiles: tiles.tall, phase: phase, filter: filter, block: block,
            map: map, partial: partial, prefetch: &prefetch)
          if tiles.short > 0 {
            ShortTile.convolve(
              &cursor, tiles: tiles.short, phase: phase, filter: filter, block: block,
              map: map, partial: partial, prefetch: &prefetch)
          }
        } else {
          NarrowTile.convolve(
            &cursor, tiles: narrowTiles.count, phase: phase, filter: filter, block: block,
            map: map, partial: partial, prefetch: &prefetch)
        }
      }
    }
  }
}

extension ConvolutionExtents {
  /// Products that an output number takes, on average over the phases.
  fileprivate var meanProducts: Int {
    var products = 0
    forEachPhase(of: self) { products &+= $0.products }
    return products / (inputDilationHeight &* inputDilationWidth)
  }
}

/// Tall and short tiles that cover a strip's pixels with the least repetition.
///
/// Strips of 7, 14 or 28 pixels would leave an eighth of the tiles of eight empty.
struct TileMix {
  let tall: Int, short: Int
  var count: Int { tall &+ short }

  init(_ pixels: Int, tall height: Int, short shortHeight: Int) {
    var least = Int.max
    var best = (tall: 0, short: 0)
    var short = 0
    while short < height {
      let left = larger(0, pixels &- short &* shortHeight)
      let tall = (left &+ height &- 1) / height
      let covered = tall &* height &+ short &* shortHeight
      if covered < least {
        least = covered
        best = (tall, short)
      }
      if left == 0 || least == pixels { break }
      short &+= 1
    }
    self.tall = best.tall
    self.short = best.short
  }
}

/// A walk over the pixels of a strip, row by row; it stays on the last.
struct PixelCursor {
  private(set) var input: Input, output: Output
  let tapStep: Int
  private var remaining: Int, column = 0
  private var rowInput: Input, rowOutput: Output
  private let columns: Int
  private let pixelStep: Int, outputPixelStep: Int, rowStep: Int, outputRowStep: Int

  @inline(__always) init(_ strip: Strip, output: Output) {
    input = strip.input
    self.output = output
    tapStep = strip.tapStep
    remaining = strip.pixels
    rowInput = input
    rowOutput = output
    columns = strip.columns
    pixelStep = strip.pixelStep
    outputPixelStep = strip.outputPixelStep
    rowStep = strip.rowStep
    outputRowStep = strip.outputRowStep
  }

  @inline(__always) mutating func advance() {
    if remaining <= 1 { return }
    remaining &-= 1
    input += pixelStep
    output += outputPixelStep
    column &+= 1
    if column == columns {
      column = 0
      rowInput += rowStep
      rowOutput += outputRowStep
      input = rowInput
      output = rowOutput
    }
  }
}

/// A register tile of `pixels` output pixels times `vectors` vectors of output channels.
enum ConvolutionTile<let pixels: Int, let vectors: Int> {
  static var width: Int { @inline(__always) get { vectors } }
  static var height: Int { @inline(__always) get { pixels } }

  /// Computes a block of output channels of the pixels of `tiles` tiles from `cursor` on.
  ///
  /// - Parameter partial: room for the tile, for blocks whose last vector is not whole: it is stored
  ///   by elements.
  @inline(never)
  static func convolve(
    _ position: inout PixelCursor, tiles: Int, phase: ConvolutionPhase, filter: Input,
    block: ChannelBlock, map: OutputMap?, partial: Output, prefetch: inout PrefetchStream
  ) {
    let segment = phase.segment
    let taps = phase.rows.taps
    let nextTap = position.tapStep &- segment
    let isWhole = block.lastLanes == lanes
    var cursor = position
    for _ in 0..<tiles {
      var inputs = InlineArray<pixels, Input>(repeating: cursor.input)
      var outputs = InlineArray<pixels, Output>(repeating: cursor.output)
      for m in 0..<pixels {
        inputs[m] = cursor.input
        outputs[m] = cursor.output
        for line in 0..<(vectors &* lanes &+ PrefetchStream.line &- 1) / PrefetchStream.line {
          prefetchToL2(cursor.output + line &* PrefetchStream.line)
          map?.prefetch(cursor.output + line &* PrefetchStream.line)
        }
        cursor.advance()
      }

      var sums = InlineArray<pixels, InlineArray<vectors, Vector>>(
        repeating: InlineArray(repeating: .zero))
      var weights = filter
      var (ahead, aheadStep) = prefetch.advance(phase.products)
      var place = 0
      var tap = 0
      while tap < taps {
        let end = place &+ segment
        while place < end {
          prefetchToL2(ahead)
          ahead += aheadStep
          for m in 0..<pixels {
            let number = Vector(repeating: inputs[m][place])
            for v in 0..<vectors {
              sums[m][v] = fusedMultiplyAdd(number, load(weights + v &* lanes), sums[m][v])
            }
          }
          weights += vectors &* lanes
          place &+= 1
        }
        place &+= nextTap
        tap &+= 1
      }

      if isWhole {
        for m in 0..<pixels {
          for v in 0..<vectors {
            let place = outputs[m] + v &* lanes
            let channel = block.start &+ v &* lanes
            store(map?(sums[m][v], channel: channel, at: place) ?? sums[m][v], place)
          }
        }
      } else {
        for m in 0..<pixels {
          for v in 0..<vectors { store(sums[m][v], partial + (m &* vectors &+ v) &* lanes) }
        }
        storePartial(
          Input(partial), outputs, block: block, map: map)
      }
    }
    position = cursor
  }

  /// Stores a tile whose last vector is not whole.
  @inline(__always)
  private static func storePartial(
    _ sums: Input, _ outputs: InlineArray<pixels, Output>, block: ChannelBlock, map: OutputMap?
  ) {
    for m in 0..<pixels {
      for v in 0..<vectors {
        let count = v &+ 1 < vectors ? lanes : block.lastLanes
        let place = outputs[m] + v &* lanes
        let vector = load(sums + (m &* vectors &+ v) &* lanes)
        let channel = block.start &+ v &* lanes
        store(
          map?(vector, channel: channel, at: place, count: count) ?? vector, place, count: count)
      }
    }
  }
}
