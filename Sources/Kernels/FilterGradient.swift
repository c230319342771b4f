// The filter gradient: a matrix product over pixels,
//
//     filterGradient[(r, s, c)][k] = Σ_pixel window[pixel][(r, s, c)] · outputGradient[pixel][k]
//
// Goals, in order: the multiply-add rate of the core; sums short enough to be exact to 1e-6; any
// extents with one kernel.
//
// A tile of window entries (r, s, c) times vectors of output channels stays in registers over the
// pixels of a strip and is then added to the partial sum, [vector of k][r][s][c][lanes]. So a
// number is summed over strips of sums over pixels, which also keeps rounding small. Every entry
// of a tile has its own pointer, so a tile runs on over the ends of filter rows; with 3 input
// channels and 9 entries a row, tiles within a row would waste half the arithmetic.
//
// A strip is passed over once a tile, pixel by pixel, and pixels lie a power of two apart: they
// would all fall into a few sets of the first-level cache. So the output gradient of a block of
// channels is copied to a panel, with zeros that fill up the last vector, and the pixels of a 1×1
// filter are copied side by side. Longer strips pass over the partial sums less often.
//
// Rejected: lanes along (r, s, c) (transposes the result, and the entries seldom fill them),
// keeping sums in registers over several strips (each strip would be passed over once a tile).
//
// Letters as in Convolution.swift.

import CIntrinsics
import ResidualKernelInterface

/// Floats of a block of channels.
private var blockLanes: Int { WideTile.width &* lanes }

/// The scratch memory of a call.
private struct Workspace {
  let size: StripSize
  /// Floats between gathered pixels; 0 if pixels stay where they are.
  let pitch: Int
  private let pixels: Int

  init(_ e: ConvolutionExtents) {
    // The panel and the lines of a tile's entries take half of the first-level cache, the input
    // less than half of the second.
    let leastPixels = larger(48, smaller(128, 131_072 / larger(1, e.inputChannels)))
    size = StripSize(
      of: e, budget: 6144, leastPixels: leastPixels, outputRow: e.outputWidth &* e.outputChannels)
    pixels = size.rows &* e.outputWidth
    pitch = e.filterHeight &* e.filterWidth == 1 ? e.inputChannels &+ PrefetchStream.line : 0
  }

  /// Floats: the strip, its gathered pixels, a panel, a block that nobody reads, and zeros.
  var count: Int { size.count &+ pixels &* (pitch &+ blockLanes) &+ 2 &* blockLanes }
  func gathered(_ scratch: Output) -> Output { scratch + size.count }
  func panel(_ scratch: Output) -> Output { gathered(scratch) + pixels &* pitch }
  func waste(_ scratch: Output) -> Output { panel(scratch) + pixels &* blockLanes }
  func zeros(_ scratch: Output) -> Output { waste(scratch) + blockLanes }
}

extension Kernels {
  func directFilterGradientScratchCount(_ extents: ConvolutionExtents) -> Int {
    Workspace(extents.flattened).count
  }

  public func partialFilterGradientCount(_ extents: ConvolutionExtents) -> Int {
    extents.filterHeight &* extents.filterWidth &* extents.inputChannels
      &* vectorCount(extents.outputChannels) &* Vector.scalarCount
  }

  func directFilterGradient(
    _ input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    partial: UnsafeMutablePointer<Float>, extents: ConvolutionExtents, rows: Range<Int>,
    of part: Range<Int>, lookahead: Lookahead, scratch: UnsafeMutablePointer<Float>
  ) {
    precondition(
      extents.inputDilationHeight == 1 && extents.inputDilationWidth == 1,
      "the filter gradient is that of a forward convolution")
    let e = extents.flattened
    let width = extents.isPointwise ? extents.outputWidth : 1
    let channels = e.outputChannels
    let workspace = Workspace(e)
    let panel = workspace.panel(scratch)
    fillZero(workspace.zeros(scratch), Vector.scalarCount)
    var sums = PartialSums(
      pointer: partial, isFirst: rows.lowerBound == part.lowerBound,
      waste: workspace.waste(scratch), zeros: Input(workspace.zeros(scratch)))
    var lookahead = LookaheadShares(lookahead, work: rows.count &* extents.outputWidth)
    if part.isEmpty { fillZero(partial, partialFilterGradientCount(extents)) }

    forEachStrip(
      of: e, rows: rows.lowerBound &* width..<rows.upperBound &* width, size: workspace.size,
      input: input, scratch: scratch
    ) { strip, phase, _ in
      var strip = strip
      if workspace.pitch > 0 {
        strip.gather(
          channels: e.inputChannels, pitch: workspace.pitch, into: workspace.gathered(scratch))
      }
      let pixels = strip.pixels
      let gradient = outputGradient + strip.output
      var prefetch = PrefetchStream(idle: gradient)
      prefetch.append(strip.following, count: strip.followingCount)
      if strip.followingCount > 0 {
        prefetch.append(gradient + pixels &* channels, count: pixels &* channels)
      }
      lookahead.move(pixels, to: &prefetch)
      prefetch.spread(
        over: blockCount(channels: channels) &* pixels
          &* (phase.products / WideGradientTile.height &+ 1))
      forEachBlock(channels: channels) { block in
        var factors = gradient
        if block.vectors &* lanes != channels {
          packPanel(gradient + block.start, channels: channels, pixels: pixels, block, into: panel)
          factors = Input(panel)
        }
        if block.vectors == WideTile.width {
          WideGradientTile.accumulate(
            strip, phase: phase, panel: factors, partial: sums, block: block, prefetch: &prefetch)
        } else {
          NarrowGradientTile.accumulate(
            strip, phase: phase, panel: factors, partial: sums, block: block, prefetch: &prefetch)
        }
      }
      sums.isFirst = false
    }
  }

  /// Copies a block of channels of all pixels of a strip, filled up with zeros.
  private func packPanel(
    _ gradient: UnsafePointer<Float>, channels: Int, pixels: Int, _ block: ChannelBlock,
    into panel: UnsafeMutablePointer<Float>
  ) {
    let width = block.vectors &* Vector.scalarCount
    var source = gradient
    var target = panel
    for _ in 0..<pixels {
      copy(source, target, block.channels)
      if block.channels < width { fillZero(target + block.channels, width &- block.channels) }
      source += channels
      target += width
    }
  }

  public func reduceFilterGradient(
    _ partials: UnsafePointer<Float>, count: Int, filterGradient: UnsafeMutablePointer<Float>,
    extents e: ConvolutionExtents, channels: Range<Int>, algorithm: ConvolutionAlgorithm
  ) {
    let partialCount = partialFilterGradientCount(e)
    let taps = e.filterHeight &* e.filterWidth
    let filterSize = e.inputChannels &* taps
    // Winograd's partial gradients have the order of the result.
    let order =
      algorithm == .winograd
      ? FilterCursor(channels: 1, taps: filterSize)
      : FilterCursor(channels: e.inputChannels, taps: taps)
    var k = channels.lowerBound
    while k < channels.upperBound {
      // Whole vectors are read at multiples of the lanes, so that they end with the padding.
      let base = k &- k % lanes
      let end = smaller(base &+ lanes, channels.upperBound)
      var cursor = order
      var i = 0
      while i < filterSize {
        let numbers = smaller(lanes, filterSize &- i)
        var square = Square { j in
          if j >= numbers { return .zero }
          var source = partials + (base &* filterSize &+ cursor.place &* lanes)
          var sum = load(source)
          for _ in 0..<count &- 1 {
            source += partialCount
            sum += load(source)
          }
          cursor.advance()
          return sum
        }
        transpose(&square)
        for lane in k &- base..<end &- base {
          store(square[lane], filterGradient + ((base &+ lane) &* filterSize &+ i), count: numbers)
        }
        i &+= numbers
      }
      k = end
    }
  }
}

/// The sums of a part: a partial filter gradient.
struct PartialSums {
  let pointer: Output
  /// Whether the first strip replaces the sums that are there.
  var isFirst: Bool
  /// Room for a block of channels that is never read.
  let waste: Output
  /// A vector of zeros.
  let zeros: Input
}

/// A register tile of `entries` window entries times `vectors` vectors of output channels.
enum FilterGradientTile<let entries: Int, let vectors: Int> {
  static var height: Int { @inline(__always) get { entries } }

  /// Adds a strip to a block of output channels of the partial filter gradient.
  ///
  /// - Parameter panel: the output gradient, `[pixel][vectors · lanes]`.
  @inline(never)
  static func accumulate(
    _ strip: Strip, phase: ConvolutionPhase, panel: Input, partial: PartialSums,
    block: ChannelBlock, prefetch: inout PrefetchStream
  ) {
    let segment = phase.segment
    let count = phase.products
    let (rows, columns) = (strip.rows, strip.columns)
    let (pixelStep, rowStep) = (strip.pixelStep, strip.rowStep)
    let nextSegment = strip.tapStep &- segment

    var window = strip.input
    var column = 0
    var entry = 0
    while entry < count {
      // Entries after the last repeat it, and their sums are not used.
      var inputs = InlineArray<entries, Input>(repeating: window)
      for i in 0..<entries {
        inputs[i] = window
        if entry &+ i &+ 1 < count {
          window += 1
          column &+= 1
          if column == segment {
            column = 0
            window += nextSegment
          }
        }
      }

      var sums = InlineArray<entries, InlineArray<vectors, Vector>>(
        repeating: InlineArray(repeating: .zero))
      var (ahead, aheadStep) = prefetch.advance(rows &* columns)
      var factors = panel
      var rowPlace = 0
      for _ in 0..<rows {
        var place = rowPlace
        for _ in 0..<columns {
          prefetchToL2(ahead)
          ahead += aheadStep
          for i in 0..<entries {
            let number = Vector(repeating: inputs[i][place])
            for v in 0..<vectors {
              sums[i][v] = fusedMultiplyAdd(number, load(factors + v &* lanes), sums[i][v])
            }
          }
          place &+= pixelStep
          factors += vectors &* lanes
        }
        rowPlace &+= rowStep
      }

      var target = partial.pointer + (block.start &* count &+ entry &* lanes)
      for i in 0..<entries {
        // Without a branch: with one, the sums would lie in memory.
        let isKept = entry &+ i < count
        let kept = isKept ? target : partial.waste
        let step = isKept ? count &* lanes : lanes
        let old = partial.isFirst ? partial.zeros : Input(kept)
        let oldStep = partial.isFirst ? 0 : step
        for v in 0..<vectors {
          store(load(old + v &* oldStep) + sums[i][v], kept + v &* step)
        }
        target += lanes
      }
      entry &+= entries
    }
  }
}
