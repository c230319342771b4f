import ResidualExecution
import ResidualTestSupport
import Testing

@Suite struct ArenaLayoutTests {
  /// Bytes that a buffer takes: whole cache lines, at least one.
  private func size(_ lifetime: Lifetime) -> Int { max(1, (lifetime.byteCount + 63) / 64) * 64 }

  private func randomLifetimes(_ source: inout RandomSource) -> [Lifetime] {
    let steps = 1 + source.index(below: 40)
    return (0..<source.index(below: 50)).map { _ in
      let first = source.index(below: steps)
      let last = first + source.index(below: steps - first)
      let byteCount = source.index(below: source.index(below: 4) == 0 ? 100_000 : 1_000)
      return Lifetime(first: first, last: last, byteCount: byteCount)
    }
  }

  /// The most bytes that live at once: no layout is smaller.
  private func leastBytes(_ lifetimes: [Lifetime]) -> Int {
    guard let end = lifetimes.map(\.last).max() else { return 0 }
    var change = [Int](repeating: 0, count: end + 2)
    for lifetime in lifetimes {
      change[lifetime.first] += size(lifetime)
      change[lifetime.last + 1] -= size(lifetime)
    }
    var (live, most) = (0, 0)
    for difference in change {
      live += difference
      most = max(most, live)
    }
    return most
  }

  @Test func buffersThatLiveTogetherShareNoBytes() {
    var source = RandomSource(RandomKey(seed: 1))
    var (total, least) = (0, 0)
    for _ in 0..<4_000 {
      let lifetimes = randomLifetimes(&source)
      let layout = ArenaLayout(lifetimes)
      #expect(layout.offsets.count == lifetimes.count)
      for (i, a) in lifetimes.enumerated() {
        let range = layout.offsets[i]..<layout.offsets[i] + size(a)
        #expect(range.lowerBound >= 0 && range.lowerBound % 64 == 0)
        #expect(range.upperBound <= layout.byteCount)
        for (j, b) in lifetimes.enumerated().dropFirst(i + 1)
        where a.first <= b.last && b.first <= a.last {
          let other = layout.offsets[j]..<layout.offsets[j] + size(b)
          #expect(!range.overlaps(other), "\(a) at \(range) and \(b) at \(other)")
        }
      }
      let bound = leastBytes(lifetimes)
      #expect(layout.byteCount >= bound)
      #expect(layout.byteCount <= 2 * bound)
      (total, least) = (total + layout.byteCount, least + bound)
    }
    #expect(Double(total) <= 1.15 * Double(least), "\(total) bytes where \(least) might do")
  }

  @Test func nothingTakesNothing() { #expect(ArenaLayout([]).byteCount == 0) }

  @Test func buffersOneAfterAnotherShareBytes() {
    let layout = ArenaLayout((0..<100).map { Lifetime(first: $0, last: $0, byteCount: 640) })
    #expect(layout.byteCount == 640)
    #expect(Set(layout.offsets) == [0])
  }

  @Test func neighbouringHolesAreJoined() {
    // Three small neighbours die; one as large as all of them takes their place.
    let small = (0..<3).map { _ in Lifetime(first: 0, last: 0, byteCount: 64) }
    let layout = ArenaLayout(
      small + [
        Lifetime(first: 0, last: 1, byteCount: 64), Lifetime(first: 1, last: 1, byteCount: 192),
      ])
    #expect(layout.byteCount == 256)
  }

  /// Activations that live until the backward pass, as in training.
  private static func activations(_ count: Int) -> [Lifetime] {
    var source = RandomSource(RandomKey(seed: 2))
    return (0..<count).map { index in
      let first = index / 2
      let last = index % 2 == 0 ? max(first, count - first) : first + source.index(below: 4)
      return Lifetime(first: first, last: last, byteCount: 1 + source.index(below: 1 << 20))
    }
  }

  /// Buffers of any size that live briefly, about 100 of them at once.
  private static func brief(_ count: Int) -> [Lifetime] {
    var source = RandomSource(RandomKey(seed: 2))
    return (0..<count).map { _ in
      let first = source.index(below: count / 2)
      return Lifetime(
        first: first, last: first + source.index(below: 200),
        byteCount: 1 + source.index(below: 1 << 20))
    }
  }

  /// The holes that hold a buffer are listed for each, so the memory that this takes counts them.
  /// Were neighbouring holes not joined, each would list more of them than the one before, and twice
  /// the buffers would take four times the memory. `scripts/check planning` prints times.
  @Test(.enabled(if: Allocation.isCounted, "allocations are not counted here"))
  func holesStayFew() {
    for lifetimes in [Self.activations, Self.brief] {
      let growth = Allocation.growth(of: 10_000) { count in
        #expect(ArenaLayout(lifetimes(count)).byteCount > 0)
      }
      #expect(growth < 2.5)
    }
  }
}
