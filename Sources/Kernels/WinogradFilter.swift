// The filter's side of Winograd's convolution: the transform G g Gᵀ of a filter, and Gᵀ u G, which
// makes the filter's gradient from the sums of products.
//
// A vector holds the filters of as many output channels and one input channel. The stored filter
// has the nine taps of each together: they are transposed in registers. The time of a large
// transform is that of writing its 36 streams to memory.

import ResidualKernelInterface

extension WinogradLayout {
  /// The stride of a position of the packed filter: one vector more than it takes, since strides of
  /// powers of two would bring all positions into one set of the first-level cache.
  @inline(__always)
  static func filterPosition(_ inputChannels: Int, _ outputChannels: Int) -> Int {
    inputChannels &* outputChannels &+ lanes
  }
}

/// The packed filter is `[36][block of vectors][c][vectors · lanes]`, blocks as in
/// FilterPacking.swift, unless it is transformed during the products.
enum WinogradFilter {
  static func packedCount(_ e: ConvolutionExtents) -> Int {
    WinogradLayout.positions &* WinogradLayout.filterPosition(e.inputChannels, e.outputChannels)
  }

  /// Transforms and packs a stored filter, `[outer, inner, 3, 3]`.
  static func pack(
    _ filter: Input, into packed: Output, extents e: ConvolutionExtents, packing: FilterPacking,
    channels: Range<Int>
  ) {
    let outputStep = packing == .forward ? e.inputChannels &* 9 : 9
    let inputStep = packing == .forward ? 9 : e.outputChannels &* 9
    let position = WinogradLayout.filterPosition(e.inputChannels, e.outputChannels)
    let end = filter + e.filterCount
    forEachBlock(channels: e.outputChannels, in: channels) { block in
      var source = filter + block.start &* outputStep
      var target = packed + block.start &* e.inputChannels
      for _ in 0..<e.inputChannels {
        for v in 0..<block.vectors {
          transform(
            source + v &* lanes &* outputStep, end: end, outputStep: outputStep,
            isRotated: packing == .rotated, into: target, position: position)
          target += lanes
        }
        source += inputStep
      }
    }
  }

  /// G g Gᵀ for one vector of output channels and one input channel.
  ///
  /// - Parameter end: of the whole filter.
  @inline(__always)
  private static func transform(
    _ filter: Input, end: Input, outputStep: Int, isRotated: Bool, into target: Output,
    position: Int
  ) {
    transform(
      taps(filter, end: end, outputStep: outputStep, isRotated: isRotated), into: target,
      position: position)
  }

  /// G g Gᵀ of packed taps.
  ///
  /// - Parameters:
  ///   - filter: `[9][vector][lanes]`, `tapStep` floats from one tap to the next.
  ///   - target: `[36][vector][lanes]`, `position` floats apart.
  @inline(never)
  static func transform(
    packed filter: Input, tapStep: Int, vectors: Int, into target: Output, position: Int
  ) {
    var (source, target) = (filter, target)
    for _ in 0..<vectors {
      var taps = InlineArray<9, Vector>(repeating: .zero)
      for tap in 0..<9 { taps[tap] = load(source + tap &* tapStep) }
      transform(taps, into: target, position: position)
      source += lanes
      target += lanes
    }
  }

  @inline(__always)
  private static func transform(
    _ taps: InlineArray<9, Vector>, into target: Output, position: Int
  ) {
    @inline(__always) func column(_ s: Int) -> Six {
      Winograd.filter((taps[s], taps[3 &+ s], taps[6 &+ s]))
    }
    let (a, b, c) = (column(0), column(1), column(2))
    @inline(__always) func put(_ row: Int, _ taps: Three) {
      storeSix(Winograd.filter(taps), target + 6 &* row &* position, step: position)
    }
    put(0, (a.0, b.0, c.0))
    put(1, (a.1, b.1, c.1))
    put(2, (a.2, b.2, c.2))
    put(3, (a.3, b.3, c.3))
    put(4, (a.4, b.4, c.4))
    put(5, (a.5, b.5, c.5))
  }

  /// The nine taps of a vector of output channels, transposed.
  @inline(__always)
  private static func taps(_ filter: Input, end: Input, outputStep: Int, isRotated: Bool)
    -> InlineArray<9, Vector>
  {
    var taps = InlineArray<9, Vector>(repeating: .zero)
    var tap = 0
    while tap < 9 {
      let first = filter + tap
      let count = smaller(lanes, 9 &- tap)
      var square = Square { lane in
        // Whole vectors as long as they lie in the filter: numbers after the taps are not used.
        let source = first + lane &* outputStep
        return load(source, count: end - source >= lanes ? lanes : count)
      }
      transpose(&square)
      for i in 0..<count { taps[isRotated ? 8 &- tap &- i : tap &+ i] = square[i] }
      tap &+= count
    }
    return taps
  }

  /// Gᵀ u G, the gradients of nine taps: one vector of output channels, one input channel.
  ///
  /// - Parameters:
  ///   - sums: `[36]` vectors, `position` floats apart.
  ///   - gradient: `[3][3]` vectors; the result is added or replaces them.
  @inline(__always)
  static func gradient(
    _ sums: Input, position: Int, into gradient: Output, adding: Bool
  ) {
    @inline(__always) func row(_ i: Int) -> Three {
      let source = sums + 6 &* i &* position
      return Winograd.filterGradient(
        (
          load(source), load(source + position), load(source + 2 &* position),
          load(source + 3 &* position), load(source + 4 &* position), load(source + 5 &* position)
        ))
    }
    @inline(__always) func put(_ vector: Vector, _ tapNumber: Int) {
      let target = gradient + tapNumber &* lanes
      store(adding ? load(target) + vector : vector, target)
    }
    @inline(__always) func put(_ s: Int, _ column: Six) {
      let taps = Winograd.filterGradient(column)
      put(taps.0, s)
      put(taps.1, s &+ 3)
      put(taps.2, s &+ 6)
    }
    let (a, b, c, d, e, f) = (row(0), row(1), row(2), row(3), row(4), row(5))
    put(0, (a.0, b.0, c.0, d.0, e.0, f.0))
    put(1, (a.1, b.1, c.1, d.1, e.1, f.1))
    put(2, (a.2, b.2, c.2, d.2, e.2, f.2))
  }
}
