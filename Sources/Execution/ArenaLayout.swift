/// The steps during which a buffer must keep its bytes.
package struct Lifetime: Hashable, Sendable {
  package let first: Int, last: Int
  package let byteCount: Int

  package init(first: Int, last: Int, byteCount: Int) {
    precondition(first <= last && byteCount >= 0, "lifetime \(first)...\(last), \(byteCount) bytes")
    (self.first, self.last, self.byteCount) = (first, last, byteCount)
  }
}

/// Offsets for buffers in one arena, such that buffers whose lives overlap do not share bytes.
///
/// Buffers are placed in the order of their births into the smallest hole that holds them, as an
/// allocator would; a buffer that dies leaves its hole to later ones.
/// - Complexity: O(n · holes); holes are few, because neighbouring ones are joined.
package struct ArenaLayout: Sendable {
  /// For each lifetime its offset in bytes, a multiple of the alignment.
  package let offsets: [Int]
  /// The arena's size.
  package let byteCount: Int

  package init(_ lifetimes: [Lifetime]) {
    var holes = Holes()
    var offsets = [Int](repeating: 0, count: lifetimes.count)
    let births = lifetimes.indices.sorted {
      (lifetimes[$0].first, -lifetimes[$0].byteCount, $0)
        < (lifetimes[$1].first, -lifetimes[$1].byteCount, $1)
    }
    let deaths = lifetimes.indices.sorted { (lifetimes[$0].last, $0) < (lifetimes[$1].last, $1) }
    var nextDeath = 0
    for index in births {
      while nextDeath < deaths.count, lifetimes[deaths[nextDeath]].last < lifetimes[index].first {
        let dead = deaths[nextDeath]
        holes.free(offsets[dead], Self.rounded(lifetimes[dead].byteCount))
        nextDeath += 1
      }
      offsets[index] = holes.allocate(Self.rounded(lifetimes[index].byteCount))
    }
    self.offsets = offsets
    self.byteCount = holes.end
  }

  private static func rounded(_ byteCount: Int) -> Int {
    let alignment = AlignedBuffer.alignment
    return max((byteCount + alignment - 1) / alignment, 1) * alignment
  }

  /// Free ranges of bytes below `end`, sorted by offset and never adjacent.
  private struct Holes {
    private var ranges: [Range<Int>] = []
    private(set) var end = 0

    mutating func allocate(_ size: Int) -> Int {
      let fitting = ranges.indices.filter { ranges[$0].count >= size }
      if let best = fitting.min(by: { ranges[$0].count < ranges[$1].count }) {
        let offset = ranges[best].lowerBound
        if ranges[best].count == size {
          ranges.remove(at: best)
        } else {
          ranges[best] = offset + size..<ranges[best].upperBound
        }
        return offset
      }
      // The last hole, where it touches the end, is extended rather than left behind.
      if let last = ranges.last, last.upperBound == end {
        ranges.removeLast()
        end = last.lowerBound + size
        return last.lowerBound
      }
      defer { end += size }
      return end
    }

    mutating func free(_ offset: Int, _ size: Int) {
      let position = ranges.firstIndex { $0.lowerBound > offset } ?? ranges.count
      var range = offset..<offset + size
      if position < ranges.count, ranges[position].lowerBound == range.upperBound {
        range = range.lowerBound..<ranges[position].upperBound
        ranges.remove(at: position)
      }
      if position > 0, ranges[position - 1].upperBound == range.lowerBound {
        ranges[position - 1] = ranges[position - 1].lowerBound..<range.upperBound
      } else {
        ranges.insert(range, at: position)
      }
    }
  }
}
