/// Memory that the caller will read or write soon after a call: a kernel asks for it during its
/// arithmetic, so that no later step waits for it. A hint; it changes no result.
public struct Lookahead {
  // The two gradients of a convolution need eight at most.
  private var pieces = InlineArray<8, Piece>(repeating: Piece(start: nil, count: 0))
  private var first = 0, end = 0
  /// Floats of all pieces.
  public private(set) var count = 0

  private struct Piece {
    var start: UnsafePointer<Float>?
    var count: Int
  }

  /// Nothing.
  public init() {}

  /// Adds `count` floats from `start`. What no longer fits is left out.
  public mutating func append(_ start: UnsafePointer<Float>, count: Int) {
    guard end < pieces.count, count > 0 else { return }
    pieces[end] = Piece(start: start, count: count)
    end &+= 1
    self.count &+= count
  }

  /// Takes at most `count` floats that lie together; `nil` when nothing is left.
  public mutating func take(_ count: Int) -> (start: UnsafePointer<Float>, count: Int)? {
    guard first < end, let start = pieces[first].start else { return nil }
    let taken = count < pieces[first].count ? count : pieces[first].count
    pieces[first].start = start + taken
    pieces[first].count &-= taken
    if pieces[first].count == 0 { first &+= 1 }
    self.count &-= taken
    return (start, taken)
  }
}
