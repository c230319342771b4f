import Foundation
import ResidualCPU
import ResidualTestSupport
import Synchronization
import Testing

@Suite struct WorkerPoolTests {
  /// With more threads than processors, some helpers stay parked.
  @Test(arguments: 1...8, [2, 8])
  func everyPartRunsOnce(threads: Int, cores: Int) throws {
    let bench = try Bench(threads: threads, cores: cores)
    var source = RandomSource(RandomKey(seed: UInt64(threads)))
    for number in 0..<400 {
      let parts = number % 10 == 0 ? number % 3 : 1 + source.index(below: Bench.capacity)
      #expect(bench.run(parts: parts) == nil)
    }
  }

  @Test func poolsComeAndGo() throws {
    for number in 0..<100 {
      let bench = try Bench(threads: 1 + number % 5, cores: 1 + number % 4)
      // Every other pool goes without having had a job.
      if number % 2 == 0 { #expect(bench.run(parts: 16) == nil) }
    }
  }

  /// A pool that has been idle, and parked, works as before.
  @Test(arguments: [2, 4])
  func idleness(threads: Int) throws {
    let bench = try Bench(threads: threads, cores: 2)
    for _ in 0..<6 {
      for parts in [7, 64] { #expect(bench.run(parts: parts) == nil) }
      #expect(waits { bench.pool.parkedHelpers == threads - 1 })
    }
  }

  /// Idle helpers take no processor time: all of them come to sleep. Any that spun on would be missing.
  @Test func idleHelpersSleep() throws {
    let bench = try Bench(threads: 4, cores: 8)
    #expect(bench.run(parts: 64) == nil)
    #expect(waits { bench.pool.parkedHelpers == 3 })
    #expect(bench.run(parts: 64) == nil)
  }

  /// Each worker has its own scratch memory, and parts see that of their worker: two of them fill it
  /// before either looks.
  @Test func scratchMemoryIsApart() throws {
    let bench = try Bench(threads: 4, cores: 2)
    for _ in 0..<50 { #expect(bench.runOnScratch(parts: 32)) }
  }
}

/// A pool with counters of its parts.
private final class Bench {
  static let capacity = 64
  static let scratchFloats = 256

  let pool: WorkerPool
  private let counters = Counters(Bench.capacity)
  private let addresses: AlignedBuffer
  private let scratch: AlignedBuffer

  init(threads: Int, cores: Int) throws {
    pool = try WorkerPool(count: threads, cores: cores)
    addresses = try AlignedBuffer(byteCount: 8)
    scratch = try AlignedBuffer(byteCount: threads * Self.scratchFloats * 4)
  }

  /// Runs a job and returns the first part that has not run exactly once.
  func run(parts: Int) -> Int? {
    counters.clear()
    pool.run(job(CountingWork(parts: parts, counters: counters)))
    return (0..<Self.capacity).first { counters[$0] != ($0 < parts ? 1 : 0) }
  }

  /// Whether no part's scratch memory was written by another one meanwhile.
  func runOnScratch(parts: Int) -> Bool {
    counters.clear()
    pool.run(job(ScratchWork(parts: parts, counters: counters, filled: Counters.Count())))
    return (0..<parts).allSatisfy { counters[$0] == 1 }
  }

  private func job(_ work: any Work) -> WorkerPool.Job {
    let table = addresses.base.assumingMemoryBound(to: UnsafeMutableRawPointer.self)
    return .init(
      step: CPUStep(path: "bench", work: work),
      memory: Memory(addresses: table, scratch: scratch.base),
      kernels: InstructionSet.baseline.kernels, scratchStride: Self.scratchFloats * 4)
  }
}

/// One counter a part.
private final class Counters: Sendable {
  private let counts: [Count]
  final class Count: Sendable { let value = Atomic<Int>(0) }

  init(_ count: Int) { counts = (0..<count).map { _ in Count() } }
  func clear() { for count in counts { count.value.store(0, ordering: .relaxed) } }
  func add(_ part: Int) { counts[part].value.wrappingAdd(1, ordering: .relaxed) }
  subscript(part: Int) -> Int { counts[part].value.load(ordering: .relaxed) }
}

private struct CountingWork: Work {
  let parts: Int
  let counters: Counters
  func run(part: Int, in context: StepContext) { counters.add(part) }
}

/// Fills its scratch memory with its own number and looks whether it stays.
private struct ScratchWork: Work {
  let parts: Int
  let counters: Counters
  let filled: Counters.Count
  func run(part: Int, in context: StepContext) {
    let count = Bench.scratchFloats
    context.scratch.update(repeating: Float(part), count: count)
    filled.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
    // A part is on another worker as long as this one waits here.
    guard waits(for: { filled.value.load(ordering: .sequentiallyConsistent) > 1 }) else { return }
    if (0..<count).allSatisfy({ context.scratch[$0] == Float(part) }) { counters.add(part) }
  }
}
