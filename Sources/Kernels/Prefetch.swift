import CIntrinsics

/// Asks for memory that will be read or written soon: two pieces, one after the other, at most a
/// line with each iteration of an inner loop.
///
/// Tensors come from memory once, and waiting for them would cost from a quarter of the time to as
/// much again. Spread over arithmetic, it is free; many lines at once would fill the queues for
/// misses. The address advances by the same number of floats each time, often less than a line, so
/// that an iteration needs no branch.
struct PrefetchStream {
  /// Floats in a cache line.
  static var line: Int { @inline(__always) get { 16 } }

  private var next: Input, end: Input
  private var second: Input, secondEnd: Input
  /// Floats in an iteration.
  private let step: Int

  /// Prefetches `count` floats from `start` and then as many from elsewhere in `iterations`.
  init(_ start: Input, count: Int, then second: Input, count secondCount: Int, iterations: Int) {
    next = start
    end = start + count
    self.second = second
    secondEnd = second + secondCount
    let iterations = larger(1, iterations)
    step = (count &+ secondCount &+ iterations &- 1) / iterations
  }

  /// The addresses for the next `iterations`: the first, and the step. With nothing left these stay
  /// where they are.
  @inline(__always) mutating func advance(_ iterations: Int) -> (start: Input, step: Int) {
    if next >= end {
      if second >= secondEnd { return (next, 0) }
      next = second
      end = secondEnd
      second = secondEnd
    }
    let start = next
    next += iterations &* step
    return (start, step)
  }
}
