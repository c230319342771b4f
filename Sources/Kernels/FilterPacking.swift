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
    extents e: ConvolutionExtents, packing: FilterPacking
  ) {
    // The stored filter is [outer, inner, r, s]; where output and input channels lie in it, and
    // whether its taps run backwards.
    let taps = e.filterHeight &* e.filterWidth
    let outputStep = packing == .forward ? e.inputChannels &* taps : taps
    let inputStep = packing == .forward ? taps : e.outputChannels &* taps
    var target = packed
    forEachPhase(of: e) { phase in
      let rows = phase.rows
      let columns = phase.columns
      forEachBlock(channels: e.outputChannels) { block in
        for r in 0..<rows.taps {
          for s in 0..<columns.taps {
            let tap =
              (rows.firstTap &+ r &* rows.step) &* e.filterWidth
              &+ columns.firstTap &+ s &* columns.step
            let place = packing == .forward ? tap : taps &- 1 &- tap
            for c in 0..<e.inputChannels {
              var source = filter + (c &* inputStep &+ place &+ block.start &* outputStep)
              for k in 0..<block.vectors &* Vector.scalarCount {
                target[k] = k < block.channels ? source.pointee : 0
                if k &+ 1 < block.channels { source += outputStep }
              }
              target += block.vectors &* Vector.scalarCount
            }
          }
        }
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
  var start = 0
  while start < channels {
    let vectors = vectorCount(channels &- start) >= WideTile.width ? WideTile.width : 1
    let count = smaller(vectors &* lanes, channels &- start)
    body(ChannelBlock(start: start, channels: count, vectors: vectors))
    start &+= count
  }
}
