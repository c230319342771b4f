// Direct convolution: an implicit matrix product.
//
// Goals, in order: the multiply-add rate of the core; any extents with one kernel; few lines.
//
// Lanes are output channels. A tile of neighbouring output pixels times a block of output channels
// stays in registers while the taps pass: each step loads the block's filter vectors and multiplies
// them by one input number of each pixel, broadcast from memory. A pixel's window is r segments
// of s · c contiguous floats. Every pixel of a tile has its own pointer, so a tile runs on over the
// ends of rows, and a short last tile repeats its last pixel: the same numbers are stored twice.
// Each output number is summed in one order, whatever the tile or the strip.
//
// Rejected: tiles within a row (widths 7, 14 or 10 waste a third), a second kernel for remainders,
// lanes along pixels (channels lie together in memory), blocks of three vectors (channels are
// powers of two).
//
// Memory is prefetched: the next strip's input during this strip's arithmetic, and each tile's
// output before its sums, since stores wait for lines that are not there.
//
// Letters: n image, c input channel, k output channel, r s filter taps, p q output row and column.

import CIntrinsics
import ResidualKernelInterface

/// Floats of a strip: it shares the first-level cache with the filter.
private let stripBudget = 6144

extension Kernels {
  func directScratchCount(_ extents: ConvolutionExtents) -> Int {
    let strip = StripSize(of: extents.flattened, budget: stripBudget).count
    return strip &+ larger(WideTile.height, NarrowTile.height) &* Vector.scalarCount
  }

  func directConvolve(
    _ input: UnsafePointer<Float>, filter packed: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, extents: ConvolutionExtents, rows: Range<Int>,
    scratch: UnsafeMutablePointer<Float>
  ) {
    let e = extents.flattened
    let width = extents.isPointwise ? extents.outputWidth : 1
    let paddedChannels = vectorCount(e.outputChannels) &* Vector.scalarCount
    let size = StripSize(of: e, budget: stripBudget)
    let partial = scratch + size.count
    forEachStrip(
      of: e, rows: rows.lowerBound &* width..<rows.upperBound &* width, size: size,
      input: input, scratch: scratch
    ) { strip, phase, filterStart in
      let filter = packed + filterStart &* paddedChannels
      forEachBlock(channels: e.outputChannels) { block in
        let blockFilter = filter + block.start &* phase.products
        if block.vectors == WideTile.width {
          WideTile.convolve(
            strip, phase: phase, filter: blockFilter, output: output, block: block,
            partial: partial)
        } else {
          NarrowTile.convolve(
            strip, phase: phase, filter: blockFilter, output: output, block: block,
            partial: partial)
        }
      }
    }
  }
}

/// A walk over the pixels of a strip, row by row.
struct PixelCursor {
  var input: Input, output: Output
  private var column = 0, rowInput: Input, rowOutput: Output

  @inline(__always) init(_ strip: Strip, output: Output) {
    input = strip.input
    self.output = output
    rowInput = input
    rowOutput = output
  }

  @inline(__always) mutating func advance(in strip: Strip) {
    input += strip.pixelStep
    output += strip.outputPixelStep
    column &+= 1
    if column == strip.columns {
      column = 0
      rowInput += strip.rowStep
      rowOutput += strip.outputRowStep
      input = rowInput
      output = rowOutput
    }
  }
}

/// A register tile of `pixels` output pixels times `vectors` vectors of output channels.
enum ConvolutionTile<let pixels: Int, let vectors: Int> {
  static var width: Int { @inline(__always) get { vectors } }
  static var height: Int { @inline(__always) get { pixels } }

  /// Computes a block of output channels of all pixels of a strip.
  ///
  /// - Parameter partial: room for a vector of each pixel; a last, partial vector of channels is
  ///   stored there and copied to its place by elements.
  @inline(never)
  static func convolve(
    _ strip: Strip, phase: ConvolutionPhase, filter: Input, output: Output, block: ChannelBlock,
    partial: Output
  ) {
    let segment = phase.segment
    let taps = phase.rows.taps
    let nextTap = strip.tapStep &- segment
    let lastLanes = block.lastLanes
    let isWhole = lastLanes == lanes
    var cursor = PixelCursor(strip, output: output + (strip.output &+ block.start))
    var remaining = strip.rows &* strip.columns
    // The first block of channels prefetches for the others.
    var prefetch = Prefetch(
      strip.following, count: block.start == 0 ? strip.followingCount : 0,
      steps: remaining / pixels)
    while remaining > 0 {
      prefetch.step()
      var inputs = InlineArray<pixels, Input>(repeating: cursor.input)
      var outputs = InlineArray<pixels, Output>(repeating: cursor.output)
      for m in 0..<pixels {
        inputs[m] = cursor.input
        outputs[m] = cursor.output
        for line in 0..<(vectors &* lanes &+ Prefetch.line &- 1) / Prefetch.line {
          prefetchToL2(cursor.output + line &* Prefetch.line)
        }
        remaining &-= 1
        if remaining > 0 { cursor.advance(in: strip) }
      }

      var sums = InlineArray<pixels, InlineArray<vectors, Vector>>(
        repeating: InlineArray(repeating: .zero))
      var weights = filter
      var place = 0
      var tap = 0
      while tap < taps {
        let end = place &+ segment
        while place < end {
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

      for m in 0..<pixels {
        for v in 0..<vectors - 1 { store(sums[m][v], outputs[m] + v &* lanes) }
        let last = outputs[m] + (vectors - 1) &* lanes
        store(sums[m][vectors - 1], isWhole ? last : partial + m &* lanes)
      }
      if !isWhole {
        for m in 0..<pixels {
          copy(partial + m &* lanes, outputs[m] + (vectors - 1) &* lanes, lastLanes)
        }
      }
    }
  }
}
