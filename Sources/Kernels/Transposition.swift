// Transposes squares of as many vectors as a vector has lanes.
//
// A pass puts the even numbers of each two neighbours first and the odd ones last: it rotates the
// bits of a number's place (row, lane) by one. After half of the bits, row and lane are exchanged.

/// As many vectors as a vector has lanes.
#if AVX512
  typealias Square = InlineArray<16, Vector>
#elseif AVX2
  typealias Square = InlineArray<8, Vector>
#else
  typealias Square = InlineArray<4, Vector>
#endif

@inline(__always) func transpose(_ square: inout Square) {
  var size = lanes
  while size > 1 {
    let old = square
    for i in 0..<Vector.scalarCount / 2 {
      let (a, b) = (old[2 &* i], old[2 &* i &+ 1])
      square[i] = Vector(lowHalf: a.evenHalf, highHalf: b.evenHalf)
      square[i &+ Vector.scalarCount / 2] = Vector(lowHalf: a.oddHalf, highHalf: b.oddHalf)
    }
    size /= 2
  }
}

/// Walks over the numbers of one stored filter `[c][r][s]` and tells where they lie in the packed
/// order `[r][s][c]`.
struct FilterCursor {
  /// The place in the packed order.
  private(set) var place = 0
  private let channels: Int, taps: Int
  private var tap = 0

  @inline(__always) init(channels: Int, taps: Int) {
    self.channels = channels
    self.taps = taps
  }

  @inline(__always) mutating func advance() {
    tap &+= 1
    place &+= channels
    if tap == taps {
      tap = 0
      place &-= channels &* taps &- 1
    }
  }
}
