import CIntrinsics
@_exported import ResidualExecution
import ResidualKernelInterface
import ResidualPlatform

/// The processor: float32, kernels of one instruction set, a pool of threads.
///
/// The bits of a result depend on the instruction set and the version, not on the number of threads.
/// A device may serve several sessions; runs follow one another.
public final class CPUDevice: Device, @unchecked Sendable {
  /// What the kernels are compiled for; the bits of results depend on it.
  public let instructionSet: InstructionSet
  public var arithmetic: String { instructionSet.rawValue }
  let kernels: any KernelLibrary
  private let pool: WorkerPool
  // Runs from different threads take turns. The lock is held for a whole run, never inside a step.
  private let turn: UnsafeMutablePointer<pthread_mutex_t>

  /// The largest number of threads that a device takes.
  public static let maximumThreads = 256

  /// Processors that this process may use.
  public static var coreCount: Int { Int(availableProcessors()) }

  /// - Parameters:
  ///   - threads: threads that work on a step, all processors by default.
  ///   - instructionSet: must be available on this machine.
  /// - Throws: ``DeviceUnavailable``.
  public init(threads: Int = CPUDevice.coreCount, instructionSet: InstructionSet = .best)
    throws(DeviceUnavailable)
  {
    guard (1...Self.maximumThreads).contains(threads) else {
      throw DeviceUnavailable(
        "\(threads) threads: the number must lie between 1 and \(Self.maximumThreads)")
    }
    guard instructionSet.isAvailable else {
      throw DeviceUnavailable("this machine lacks \(instructionSet.rawValue)")
    }
    self.instructionSet = instructionSet
    kernels = instructionSet.kernels
    pool = try WorkerPool(count: threads, cores: Self.coreCount)
    turn = .allocate(capacity: 1)
    pthread_mutex_init(turn, nil)
  }

  deinit {
    pthread_mutex_destroy(turn)
    turn.deallocate()
  }

  /// Threads that work on a step, the caller's included.
  public var threads: Int { pool.count }
  public var realType: ElementType { .float32 }

  public func prepare(_ graph: Graph, inputs: [String: Shape], keepsDerived: Bool) throws
    -> Plan<CPUStep>
  {
    var lowering = try CPULowering(
      graph, inputs: inputs, kernels: kernels, keepsDerived: keepsDerived)
    return lowering.plan()
  }

  public func scratchByteCount(of plan: Plan<CPUStep>) -> Int { scratchStride(plan) * pool.count }

  /// Bytes between one worker's scratch memory and the next one's.
  private func scratchStride(_ plan: Plan<CPUStep>) -> Int {
    let alignment = AlignedBuffer.alignment
    return (plan.scratchByteCount + alignment - 1) / alignment * alignment
  }

  public func run(
    _ steps: [CPUStep], of plan: Plan<CPUStep>, in memory: Memory, recording: inout NoRecording?,
    times: StepTimes?
  ) {
    pthread_mutex_lock(turn)
    defer { pthread_mutex_unlock(turn) }
    // Denormal numbers slow arithmetic down tenfold and mean nothing here.
    let mode = readFloatingPointMode()
    setFloatingPointMode(flushingDenormals(mode))
    defer { setFloatingPointMode(mode) }
    let stride = scratchStride(plan)
    times?.begin()
    for (index, step) in steps.enumerated() {
      pool.run(.init(step: step, memory: memory, kernels: kernels, scratchStride: stride))
      times?.end(index)
    }
  }

  /// The arithmetic peak of one core, measured in registers, in floating-point operations a second.
  public func measuredPeak() -> Double {
    let clock = ContinuousClock()
    var best = 0.0
    for _ in 0..<5 {
      var operations = 0
      let time = clock.measure { operations = kernels.peakOperations(iterations: 200_000) }
      best = max(best, Double(operations) / (time / .seconds(1)))
    }
    return best
  }
}
