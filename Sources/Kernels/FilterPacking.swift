// The filter in the order in which the convolution reads it.
//
// [phase][block of vectors][r][s · c][vectors · lanes]: a block is one or two vectors of output
// channels (`WideTile.vectors`, or one), the last filled up with zeros.

import ResidualKernelInterface

extension Kernels {
  func directPackedFilterCount(_ extents: ConvolutionExtents) -> Int {
    var products = 0
    forEachPhase(of: extents) { products &+= $0.products }
    return products &* vectorCount(extents.outputChannels) &* Vector.scalarCount
  }

  func directPackFilter(
    _ filter: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>,
    extents e: ConvolutionExtents, packing: FilterPacking, channels: Range<Int>
  ) {
    if packing == .forward && e.inputDilationHeight == 1 && e.inputDilationWidth == 1 {
      let products = e.filterCount / larger(1, e.outputChannels)
      forEachBlock(channels: e.outputChannels, in: channels) { block in
        transposeFilters(
          filter + block.start &* products, into: packed + block.start &* products, block: block,
          inputChannels: e.inputChannels, taps: e.filterHeight &* e.filterWidth)
      }
      return
    }
    // The stored filter is [outer, inner, r, s]: which axes are output and input channels, and
    // whether its taps run backwards.
    let taps = e.filterHeight &* e.filterWidth
    let outputStep = packing == .forward ? e.inputChannels &* taps : taps
    let inputStep = packing == .forward ? taps : e.outputChannels &* taps
    var phaseTarget = packed
    forEachPhase(of: e) { phase in
      let rows = phase.rows
      let columns = phase.columns
      forEachBlock(channels: e.outputChannels, in: channels) { block in
        var target = phaseTarget + block.start &* phase.products
        let width = block.vectors &* Vector.scalarCount
        for r in 0..<rows.taps {
          for s in 0..<columns.taps {
            let tap =
              (rows.firstTap &+ r &* rows.step) &* e.filterWidth
              &+ columns.firstTap &+ s &* columns.step
            let place = packing == .forward ? tap : taps &- 1 &- tap
            var source = filter + (place &+ block.start &* outputStep)
            for _ in 0..<e.inputChannels {
              if outputStep == 1 {
                copy(source, target, block.channels)
              } else {
                for k in 0..<block.channels { target[k] = source[k &* outputStep] }
              }
              if block.channels < width {
                fillZero(target + block.channels, width &- block.channels)
              }
              source += inputStep
              target += width
            }
          }
        }
      }
      phaseTarget += phase.products &* vectorCount(e.outputChannels) &* Vector.scalarCount
    }
  }

  /// Packs a block of filters that are stored as they are read: `[k][c][taps]` to
  /// `[taps][c][vectors · lanes]`.
  private func transposeFilters(
    _ filter: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>, block: ChannelBlock,
    inputChannels: Int, taps: Int
  ) {
    let products = inputChannels &* taps
    let width = block.vectors &* Vector.scalarCount
    for v in 0..<block.vectors {
      let source = filter + v &* lanes &* products
      let target = packed + v &* lanes
      let channels = smaller(lanes, block.channels &- v &* lanes)
      var cursor = FilterCursor(channels: inputChannels, taps: taps)
      var i = 0
      while i < products {
        let count = smaller(lanes, products &- i)
        var square = Square { k in
          k < channels ? load(source + (k &* products &+ i), count: count) : .zero
        }
        transpose(&square)
        for j in 0..<count {
          store(square[j], target + cursor.place &* width)
          cursor.advance()
        }
        i &+= count
      }
    }
  }
}

/// The output channels `start ..< start + channels`, which fill `vectors` vectors.
struct ChannelBlock {
  let start: Int, channels: Int, vectors: Int

  /// Channels in the last vector.
  @inline(__always) var lastLanes: Int { channels &- (vectors &- 1) &* lanes }
}

/// The blocks of `channels` output channels.
@inline(__always) func blockCount(channels: Int) -> Int {
  let vectors = vectorCount(channels)
  return vectors / WideTile.width &+ vectors % WideTile.width
}

/// Calls `body` with blocks of as many vectors as a wide tile has, then with single vectors.
@inline(__always)
func forEachBlock(channels: Int, _ body: (ChannelBlock) -> Void) {
  forEachBlock(channels: channels, in: 0..<channels, body)
}

/// The same for the blocks in a range that begins and ends with blocks of two vectors.
@inline(__always)
func forEachBlock(channels: Int, in range: Range<Int>, _ body: (ChannelBlock) -> Void) {
  var start = range.lowerBound
  while start < range.upperBound {
    let vectors = vectorCount(channels &- start) >= WideTile.width ? WideTile.width : 1
    let count = smaller(vectors &* lanes, channels &- start)
    body(ChannelBlock(start: start, channels: count, vectors: vectors))
    start &+= count
  }
}
