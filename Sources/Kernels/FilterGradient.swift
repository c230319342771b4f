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
// Output channels that do not fill vectors are first copied into ones that do.
//
// Rejected: lanes along (r, s, c) (transposes the result, and the entries seldom fill them),
// keeping sums in registers over several strips (each strip would be passed over once a tile).
//
// Letters as in Convolution.swift.

import ResidualKernelInterface

/// Floats of a block of channels.
private var wasteCount: Int { WideTile.width &* lanes }

/// Floats of a strip's input and output gradient.
private let stripBudget = 6144

extension Kernels {
  func directFilterGradientScratchCount(_ extents: ConvolutionExtents) -> Int {
    let e = extents.flattened
    let size = stripSize(e)
    return size.count &+ paddedGradientCount(e, size) &+ wasteCount
  }

  private func stripSize(_ e: ConvolutionExtents) -> StripSize {
    StripSize(of: e, budget: stripBudget, outputRow: e.outputWidth &* e.outputChannels)
  }

  /// Floats of a strip of the output gradient with whole vectors of channels.
  private func paddedGradientCount(_ e: ConvolutionExtents, _ size: StripSize) -> Int {
    let paddedChannels = vectorCount(e.outputChannels) &* Vector.scalarCount
    return paddedChannels == e.outputChannels
      ? 0 : size.rows &* e.outputWidth &* paddedChannels
  }

  public func partialFilterGradientCount(_ extents: ConvolutionExtents) -> Int {
    extents.filterHeight &* extents.filterWidth &* extents.inputChannels
      &* vectorCount(extents.outputChannels) &* Vector.scalarCount
  }

  func directFilterGradient(
    _ input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    partial: UnsafeMutablePointer<Float>, extents: ConvolutionExtents, rows: Range<Int>,
    of part: Range<Int>, scratch: UnsafeMutablePointer<Float>
  ) {
    precondition(
      extents.inputDilationHeight == 1 && extents.inputDilationWidth == 1,
      "the filter gradient is that of a forward convolution")
    let e = extents.flattened
    let width = extents.isPointwise ? extents.outputWidth : 1
    let channels = e.outputChannels
    let paddedChannels = vectorCount(channels) &* Vector.scalarCount
    let size = stripSize(e)
    let gradientScratch = scratch + size.count
    let waste = gradientScratch + paddedGradientCount(e, size)
    fillZero(waste, wasteCount)
    if rows.lowerBound == part.lowerBound {
      fillZero(partial, partialFilterGradientCount(extents))
    }

    forEachStrip(
      of: e, rows: rows.lowerBound &* width..<rows.upperBound &* width, size: size,
      input: input, scratch: scratch
    ) { strip, phase, _ in
      var gradient = outputGradient + strip.output
      let gradientCount = strip.rows &* strip.columns &* channels
      if paddedChannels != channels {
        padChannels(
          gradient, gradientScratch, pixels: strip.rows &* strip.columns, channels: channels)
        gradient = Input(gradientScratch)
      }
      let source = GradientSource(
        pointer: gradient, pixelStep: paddedChannels,
        following: outputGradient + strip.output + gradientCount, followingCount: gradientCount,
        waste: waste)
      forEachBlock(channels: channels) { block in
        if block.vectors == WideTile.width {
          WideGradientTile.accumulate(
            strip, phase: phase, gradient: source, partial: partial, block: block)
        } else {
          NarrowGradientTile.accumulate(
            strip, phase: phase, gradient: source, partial: partial, block: block)
        }
      }
    }
  }

  public func reduceFilterGradient(
    _ partials: UnsafePointer<Float>, count: Int, filterGradient: UnsafeMutablePointer<Float>,
    extents e: ConvolutionExtents, channels: Range<Int>
  ) {
    let partialCount = partialFilterGradientCount(e)
    let taps = e.filterHeight &* e.filterWidth
    let filterSize = e.inputChannels &* taps
    var k = channels.lowerBound
    while k < channels.upperBound {
      // Whole vectors are read at multiples of the lanes, so that they end with the padding.
      let base = k &- k % lanes
      let end = smaller(base &+ lanes, channels.upperBound)
      for c in 0..<e.inputChannels {
        for tap in 0..<taps {
          var source = partials + (base &* filterSize &+ (tap &* e.inputChannels &+ c) &* lanes)
          var sum = load(source)
          for _ in 0..<count &- 1 {
            source += partialCount
            sum += load(source)
          }
          var target = filterGradient + (k &* filterSize &+ c &* taps &+ tap)
          for lane in k &- base..<end &- base {
            target.pointee = sum[lane]
            target += filterSize
          }
        }
      }
      k = end
    }
  }

  /// Copies pixels of `channels` numbers into whole vectors, filled up with zeros.
  private func padChannels(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, pixels: Int,
    channels: Int
  ) {
    let padding = vectorCount(channels) &* Vector.scalarCount &- channels
    var source = source
    var target = target
    for _ in 0..<pixels {
      copy(source, target, channels)
      fillZero(target + channels, padding)
      source += channels
      target += channels &+ padding
    }
  }
}

/// The output gradient of a strip, in whole vectors of channels, pixel after pixel.
struct GradientSource {
  let pointer: Input
  let pixelStep: Int
  /// What the next strip reads.
  let following: Input, followingCount: Int
  /// Room for a block of channels that nobody reads.
  let waste: Output
}

/// A register tile of `entries` window entries times `vectors` vectors of output channels.
enum FilterGradientTile<let entries: Int, let vectors: Int> {
  /// Adds a strip to a block of output channels of the partial filter gradient.
  @inline(never)
  static func accumulate(
    _ strip: Strip, phase: ConvolutionPhase, gradient: GradientSource, partial: Output,
    block: ChannelBlock
  ) {
    let segment = phase.segment
    let count = phase.products
    let isFirst = block.start == 0
    let steps = (count &+ entries &- 1) / entries
    var prefetch = Prefetch(
      strip.following, count: isFirst ? strip.followingCount : 0, steps: steps)
    var gradientPrefetch = Prefetch(
      gradient.following, count: isFirst ? gradient.followingCount : 0, steps: steps)

    var window = strip.input
    var column = 0
    var entry = 0
    while entry < count {
      prefetch.step()
      gradientPrefetch.step()
      // Entries after the last repeat it, and their sums go to waste.
      var inputs = InlineArray<entries, Input>(repeating: window)
      for i in 0..<entries {
        inputs[i] = window
        if entry &+ i &+ 1 < count {
          window += 1
          column &+= 1
          if column == segment {
            column = 0
            window += strip.tapStep &- segment
          }
        }
      }

      var sums = InlineArray<entries, InlineArray<vectors, Vector>>(
        repeating: InlineArray(repeating: .zero))
      var factors = gradient.pointer + block.start
      var rowPlace = 0
      for _ in 0..<strip.rows {
        var place = rowPlace
        for _ in 0..<strip.columns {
          for i in 0..<entries {
            let number = Vector(repeating: inputs[i][place])
            for v in 0..<vectors {
              sums[i][v] = fusedMultiplyAdd(number, load(factors + v &* lanes), sums[i][v])
            }
          }
          place &+= strip.pixelStep
          factors += gradient.pixelStep
        }
        rowPlace &+= strip.rowStep
      }

      var target = partial + (block.start &* count &+ entry &* lanes)
      for i in 0..<entries {
        // Without a branch: with one, the sums would lie in memory.
        let isKept = entry &+ i < count
        let kept = isKept ? target : gradient.waste
        let step = isKept ? count &* lanes : lanes
        for v in 0..<vectors {
          store(load(kept + v &* step) + sums[i][v], kept + v &* step)
        }
        target += lanes
      }
      entry &+= entries
    }
  }
}
