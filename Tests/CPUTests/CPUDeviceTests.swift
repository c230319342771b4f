import CIntrinsics
import Foundation
import ResidualCPU
import ResidualNetworks
import ResidualTestSupport
import Testing

@Suite struct CPUDeviceTests {
  @Test(arguments: [-1, 0, 257, Int.max])
  func threadsOutOfRange(threads: Int) {
    #expect(
      throws: DeviceUnavailable("\(threads) threads: the number must lie between 1 and 256")
    ) { try CPUDevice(threads: threads) }
  }

  @Test(arguments: [1, 3, CPUDevice.maximumThreads])
  func threadsInRange(threads: Int) throws {
    let device = try CPUDevice(threads: threads)
    #expect(device.threads == threads)
    #expect(try sum(on: device, [Float](repeating: 1, count: 65_536)).allSatisfy { $0 == 2 })
  }

  @Test func allProcessorsByDefault() throws {
    #expect(try CPUDevice().threads == CPUDevice.coreCount)
  }

  /// x + x on a device; four parts of 16,384 numbers for 65,536 of them.
  private func sum(on device: CPUDevice, _ numbers: [Float]) throws -> [Float] {
    var graph = Graph()
    let x = graph.input("x")
    graph.output("sum", graph.append(.add(.init()), [x, x], path: "sum"))
    let session = Session(device: device, store: Store())
    let loaded = try session.load(graph, inputs: ["x": [numbers.count]])
    loaded.write(numbers, to: "x")
    loaded.run()
    return loaded.read("sum").scalars
  }

  // MARK: Denormal numbers

  @Test(arguments: [1, 2, 4])
  func denormalsAreZeroOnAllThreads(threads: Int) throws {
    let device = try CPUDevice(threads: threads)
    let denormal = Float.leastNonzeroMagnitude * 1000
    let numbers = [Float](repeating: denormal, count: 65_536)
    #expect(numbers[0] + numbers[1] > 0, "this thread keeps denormal numbers")
    for _ in 0..<10 { #expect(try sum(on: device, numbers).allSatisfy { $0 == 0 }) }
    #expect(numbers[0] + numbers[1] > 0, "this thread's mode is as before")
  }

  private static func keepingDenormals(_ mode: UInt64) -> UInt64 { mode & ~flushingDenormals(0) }

  @Test func workersFlushDenormals() throws {
    let original = readFloatingPointMode()
    defer { setFloatingPointMode(original) }
    // New threads may inherit the mode.
    setFloatingPointMode(Self.keepingDenormals(original))
    let log = Log()
    let device = try CPUDevice(threads: 4)
    // The caller must not do all parts before a helper is awake.
    try device.run(RecordingWork(parts: 64, log: log, threads: 2))
    #expect(log.entries.count == 64)
    #expect(Set(log.entries.map(\.thread)).count > 1, "helpers have taken part")
    for (mode, _) in log.entries { #expect(mode == flushingDenormals(mode)) }
  }

  /// The mode of the caller, whatever it is, is there again after a run.
  @Test func callersModeIsRestored() throws {
    let device = try CPUDevice(threads: 2)
    let original = readFloatingPointMode()
    defer { setFloatingPointMode(original) }
    #if arch(x86_64)
      let towardZero: UInt64 = 0x6000
    #else
      let towardZero: UInt64 = 3 << 22
    #endif
    let plain = Self.keepingDenormals(original)
    for mode in [plain, plain | towardZero, flushingDenormals(plain)] {
      setFloatingPointMode(mode)
      let log = Log()
      try device.run(RecordingWork(parts: 8, log: log, threads: 1))
      let after = readFloatingPointMode()
      setFloatingPointMode(original)
      // Flags of arithmetic that was inexact are no mode.
      #expect(after & ~0x3F == mode & ~0x3F)
      #expect(log.entries.count == 8)
    }
  }

  // MARK: Sessions

  @Test func twoSessionsOfTwoThreads() throws {
    let network = try NetworkCatalog.network(named: "cifar-resnet8")
    let device = try CPUDevice(threads: 2)
    @Sendable func results(seed: Int) throws -> [String: [Float]] {
      let run = try TrainingRun(network, batch: 4, on: device)
      for number in 0..<4 { run.step(100 * seed + number) }
      return run.results
    }
    let expected = try [1, 2].map { try results(seed: $0) }
    #expect(expected[0].differences(from: expected[1]) != [])

    let found = Found()
    let group = DispatchGroup()
    for seed in [1, 2] {
      group.enter()
      Thread.detachNewThread {
        found.store(Result { try results(seed: seed) }, seed)
        group.leave()
      }
    }
    group.wait()
    for seed in [1, 2] {
      let results = try #require(found[seed]).get()
      #expect(results.differences(from: expected[seed - 1]) == [])
    }
  }

  private final class Found: @unchecked Sendable {
    private let lock = NSLock()
    private var results: [Int: Result<[String: [Float]], any Error>] = [:]
    func store(_ result: Result<[String: [Float]], any Error>, _ seed: Int) {
      lock.withLock { results[seed] = result }
    }
    subscript(seed: Int) -> Result<[String: [Float]], any Error>? {
      lock.withLock { results[seed] }
    }
  }
}

/// What parts of a work have seen.
final class Log: @unchecked Sendable {
  private let lock = NSLock()
  private var recorded: [(mode: UInt64, thread: Int)] = []

  func append(mode: UInt64) {
    let thread = pthread_self().hashValue
    lock.withLock { recorded.append((mode, thread)) }
  }
  var entries: [(mode: UInt64, thread: Int)] { lock.withLock { recorded } }
  var threadCount: Int { lock.withLock { Set(recorded.map(\.thread)).count } }
}

/// Parts that record the floating-point mode of their thread, and end once as many threads have.
struct RecordingWork: Work {
  let parts: Int
  let log: Log
  let threads: Int
  func run(part: Int, in context: StepContext) {
    log.append(mode: readFloatingPointMode())
    let areThere = waits { log.threadCount >= threads }
    precondition(areThere, "no helper has come")
  }
}

extension CPUDevice {
  /// Runs one work as a plan of one step.
  func run(_ work: any Work) throws {
    var builder = PlanBuilder<CPUStep>()
    builder.append(CPUStep(path: "work", work: work), touching: [])
    // A plan needs at least one buffer.
    builder.nameInput("none", builder.boundary("none", .scalar, .float32, byteCount: 4))
    try Session(device: self, store: Store()).load(builder.finish()).run()
  }
}
