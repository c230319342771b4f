import CIntrinsics

/// Asks for memory that will be read soon, a few cache lines at a time.
///
/// Input comes from memory once, when a strip is copied, and waiting for it would cost up to a
/// quarter of the time. Spread over the arithmetic of the strip before, it is free; all lines at
/// once would fill the queues for misses.
struct Prefetch {
  private var next: Input
  private let lines: Int

  /// Prefetches `count` floats from `start` in `steps` steps.
  @inline(__always) init(_ start: Input, count: Int, steps: Int) {
    next = start
    let steps = larger(1, steps)
    lines = (count / Self.line &+ steps &- 1) / steps
  }

  /// Floats in a cache line.
  private static var line: Int { @inline(__always) get { 16 } }

  @inline(__always) mutating func step() {
    for _ in 0..<lines {
      prefetchToL2(next)
      next += Self.line
    }
  }
}
