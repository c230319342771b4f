import CIntrinsics
import ResidualKernelInterface

/// Asks for memory that will be read or written soon, one piece after another, at most a line in
/// each iteration of an inner loop.
///
/// Tensors come from memory once, and waiting for them would take from a quarter more time to twice
/// the time. Spread over arithmetic, it is free; many lines at once would fill the queues for
/// misses. The address advances by the same number of floats each time, often less than a line, so
/// that an iteration needs no branch.
struct PrefetchStream {
  /// Floats in a cache line.
  static var line: Int { @inline(__always) get { 16 } }

  private(set) var pieces = Lookahead()
  private var next: Input, end: Input
  /// Floats in an iteration.
  private var step = 0

  /// - Parameter idle: an address to ask for when there is no piece.
  @inline(__always) init(idle: Input) {
    next = idle
    end = idle
  }

  /// Adds `count` floats from `start`.
  mutating func append(_ start: Input, count: Int) { pieces.append(start, count: count) }

  /// Adds some rows of a tensor whose rows are `step` floats long.
  mutating func append(_ tensor: Input, rows: Range<Int>, step: Int) {
    append(tensor + rows.lowerBound &* step, count: rows.count &* step)
  }

  /// Moves about `count` floats from what is asked for in `lookahead`.
  mutating func append(_ count: Int, of lookahead: inout Lookahead) {
    var remaining = count
    while remaining > 0, let piece = lookahead.take(remaining) {
      pieces.append(piece.start, count: piece.count)
      remaining &-= piece.count
    }
  }

  /// Spreads all pieces over `iterations` of the inner loop, or as much as they can ask for.
  mutating func spread(over iterations: Int) {
    let iterations = larger(1, iterations)
    step = smaller(Self.line, (pieces.count &+ iterations &- 1) / iterations)
  }

  /// The addresses for the next `iterations`: the first, and the step.
  @inline(__always) mutating func advance(_ iterations: Int) -> (start: Input, step: Int) {
    if next >= end { takePiece() }
    let start = next
    next += iterations &* step
    return (start, step)
  }

  @inline(never)
  private mutating func takePiece() {
    if let piece = pieces.take(.max) {
      next = piece.start
      end = piece.start + piece.count
    } else {
      step = 0
      // From here on the next address is never after the end.
      end = Input(bitPattern: UInt.max - 63) ?? end
    }
  }
}

/// What a caller needs next, asked for during one block after another in proportion to their work.
struct LookaheadShares {
  private var lookahead: Lookahead
  /// Of the blocks that are left.
  private var work: Int

  /// - Parameter work: the arithmetic of all blocks, in any unit.
  init(_ lookahead: Lookahead, work: Int) {
    self.lookahead = lookahead
    self.work = larger(1, work)
  }

  /// The share of a block.
  mutating func move(_ blockWork: Int, to prefetch: inout PrefetchStream) {
    if lookahead.count == 0 { return }
    let share = lookahead.count &* smaller(blockWork, work) / work
    work = larger(1, work &- blockWork)
    prefetch.append(
      (share &+ PrefetchStream.line &- 1) / PrefetchStream.line &* PrefetchStream.line,
      of: &lookahead)
  }
}
