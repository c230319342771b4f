import CIntrinsics
import ResidualExecution
import ResidualKernelInterface
import ResidualPlatform
import Synchronization

/// Threads that stay alive and share the parts of one job after another.
///
/// Goals, in order: no lock and no allocation while jobs follow each other closely; a thread that
/// the system has put aside never holds up the others; no processor time while idle.
///
/// The caller publishes a job under a new generation and works itself. Helpers join while the job is
/// open. Everyone takes the parts of a share of its own, one after another, and then what is left of
/// the others' shares. So a thread finds what it made in the step before in its own cache: where
/// processors do not share one, parts taken from a common counter cost up to two thirds more time.
/// When the parts are used up, the caller closes the job and waits only for helpers that have joined.
/// Whoever waits spins briefly, then sleeps: on a busy machine, spinning would use up the processor time
/// that the system owes this program.
/// Of more threads than processors, no more than there are processors are kept awake: the others
/// would only take turns with them.
/// Which thread computes which part changes nothing, because parts are cut by size alone.
package final class WorkerPool: @unchecked Sendable {
  /// Threads that work on a job, the caller included.
  package let count: Int

  /// What is to be done: the parts of a step, in some memory.
  package struct Job {
    let step: CPUStep
    let memory: Memory
    let kernels: any KernelLibrary
    /// Bytes of scratch memory between one worker's and the next one's.
    let scratchStride: Int

    /// - Parameter scratchStride: in bytes.
    package init(
      step: CPUStep, memory: Memory, kernels: any KernelLibrary, scratchStride: Int
    ) {
      self.step = step
      self.memory = memory
      self.kernels = kernels
      self.scratchStride = scratchStride
    }

    func context(worker: Int) -> StepContext {
      StepContext(
        memory: memory, kernels: kernels,
        scratch: (memory.scratch + worker * scratchStride).assumingMemoryBound(to: Float.self))
    }
  }

  // generation (32 bits) | open (1 bit) | helpers that have joined (31 bits)
  private let state = Atomic<UInt64>(0)
  /// The next part of each worker's share, a cache line apart.
  private let nextParts: UnsafeMutablePointer<Atomic<Int>>
  private static let line = 8
  private let stopping = Atomic<Bool>(false)
  private let parked = Atomic<Int>(0)
  private var job: Job?
  /// Helpers that are kept awake at a time.
  private let crew: Int
  private static let spins = 4_000
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let wake: UnsafeMutablePointer<pthread_cond_t>
  /// Whether the caller sleeps until the last helper is done, and what wakes it.
  private let callerSleeps = Atomic<Bool>(false)
  private let done: UnsafeMutablePointer<pthread_cond_t>
  private var threads: [pthread_t] = []

  private static let open: UInt64 = 1 << 31
  private static let joinedMask: UInt64 = open - 1
  private static func generation(_ state: UInt64) -> UInt64 { state >> 32 }

  /// - Parameters:
  ///   - count: threads, the caller included.
  ///   - cores: processors that the threads share.
  /// - Throws: ``DeviceUnavailable`` if the system does not grant the threads.
  package init(count: Int, cores: Int) throws(DeviceUnavailable) {
    precondition(count >= 1, "a pool of \(count) threads")
    self.count = count
    crew = max(1, min(count, cores) - 1)
    nextParts = .allocate(capacity: count * Self.line)
    for worker in 0..<count { (nextParts + worker * Self.line).initialize(to: Atomic(0)) }
    mutex = .allocate(capacity: 1)
    wake = .allocate(capacity: 1)
    done = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    pthread_cond_init(done, nil)
    for worker in 1..<max(count, 1) { try start(worker) }
  }

  private func start(_ worker: Int) throws(DeviceUnavailable) {
    let entry = Unmanaged.passRetained(Entry(pool: self, worker: worker))
    #if canImport(Glibc)
      var thread = pthread_t()
    #else
      var thread: pthread_t?
    #endif
    let status = pthread_create(&thread, nil, workerMain, entry.toOpaque())
    guard status == 0 else {
      entry.release()
      throw DeviceUnavailable(
        "\(count) threads: the system does not grant more than \(worker) (error \(status)); "
          + "use fewer")
    }
    #if canImport(Glibc)
      threads.append(thread)
    #else
      if let thread { threads.append(thread) }
    #endif
  }

  fileprivate final class Entry {
    // The threads must not keep the pool alive; `stop` joins them before it goes.
    unowned(unsafe) let pool: WorkerPool
    let worker: Int
    init(pool: WorkerPool, worker: Int) {
      self.pool = pool
      self.worker = worker
    }
  }

  deinit {
    stopping.store(true, ordering: .sequentiallyConsistent)
    state.add(1 << 32, ordering: .sequentiallyConsistent)
    pthread_mutex_lock(mutex)
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(mutex)
    for thread in threads { pthread_join(thread, nil) }
    pthread_mutex_destroy(mutex)
    pthread_cond_destroy(wake)
    pthread_cond_destroy(done)
    nextParts.deallocate()
    mutex.deallocate()
    wake.deallocate()
    done.deallocate()
  }

  /// Helpers that sleep until there is a job.
  package var parkedHelpers: Int { parked.load(ordering: .sequentiallyConsistent) }
  private var awakeHelpers: Int { count - 1 - parkedHelpers }

  /// Does all parts of a job. One caller at a time.
  package func run(_ job: Job) {
    let parts = job.step.work.parts
    guard parts > 1, count > 1 else {
      let context = job.context(worker: 0)
      for part in 0..<parts { job.step.work.run(part: part, in: context) }
      return
    }
    self.job = job
    for worker in 0..<count {
      nextParts[worker * Self.line].store(worker * parts / count, ordering: .relaxed)
    }
    let generation = Self.generation(state.load(ordering: .relaxed)) &+ 1
    state.store(generation << 32 | Self.open, ordering: .sequentiallyConsistent)
    // A helper that is about to park sees the new generation, or is counted as parked here.
    let missing = min(crew, parts - 1) - awakeHelpers
    if missing > 0 {
      pthread_mutex_lock(mutex)
      for _ in 0..<missing { pthread_cond_signal(wake) }
      pthread_mutex_unlock(mutex)
    }
    take(job, worker: 0)
    state.bitwiseAnd(~Self.open, ordering: .sequentiallyConsistent)
    for _ in 0..<Self.spins {
      if !isJoined { return }
      spinPause()
    }
    pthread_mutex_lock(mutex)
    callerSleeps.store(true, ordering: .sequentiallyConsistent)
    while isJoined { pthread_cond_wait(done, mutex) }
    callerSleeps.store(false, ordering: .relaxed)
    pthread_mutex_unlock(mutex)
  }

  /// Whether a helper is still at work.
  private var isJoined: Bool {
    state.load(ordering: .sequentiallyConsistent) & Self.joinedMask != 0
  }

  /// Ends a helper's work on a job. The caller that sleeps is seen here, or sees that none is left.
  private func leave() {
    state.subtract(1, ordering: .sequentiallyConsistent)
    guard callerSleeps.load(ordering: .sequentiallyConsistent) else { return }
    pthread_mutex_lock(mutex)
    pthread_cond_signal(done)
    pthread_mutex_unlock(mutex)
  }

  private func take(_ job: Job, worker: Int) {
    let context = job.context(worker: worker)
    let parts = job.step.work.parts
    for distance in 0..<count {
      let owner = (worker + distance) % count
      let end = (owner + 1) * parts / count
      while true {
        let part = nextParts[owner * Self.line].wrappingAdd(1, ordering: .relaxed).oldValue
        guard part < end else { break }
        job.step.work.run(part: part, in: context)
      }
    }
  }

  fileprivate func work(as worker: Int) {
    setFloatingPointMode(flushingDenormals(readFloatingPointMode()))
    var seen: UInt64 = 0
    while true {
      let current = waitForGeneration(after: seen)
      if stopping.load(ordering: .acquiring) { return }
      seen = Self.generation(current)
      if join(generation: seen), let job {
        take(job, worker: worker)
        leave()
      }
    }
  }

  /// Registers as a helper of an open job, unless it has been closed in the meantime.
  private func join(generation: UInt64) -> Bool {
    var current = state.load(ordering: .acquiring)
    while Self.generation(current) == generation, current & Self.open != 0 {
      let (exchanged, original) = state.compareExchange(
        expected: current, desired: current + 1, ordering: .acquiringAndReleasing)
      if exchanged { return true }
      current = original
    }
    return false
  }

  private func waitForGeneration(after seen: UInt64) -> UInt64 {
    for _ in 0..<(awakeHelpers <= crew ? Self.spins : 0) {
      let current = state.load(ordering: .acquiring)
      if Self.generation(current) != seen { return current }
      spinPause()
    }
    pthread_mutex_lock(mutex)
    parked.add(1, ordering: .sequentiallyConsistent)
    defer {
      parked.subtract(1, ordering: .sequentiallyConsistent)
      pthread_mutex_unlock(mutex)
    }
    while true {
      let current = state.load(ordering: .sequentiallyConsistent)
      if Self.generation(current) != seen { return current }
      pthread_cond_wait(wake, mutex)
    }
  }
}

#if canImport(Darwin)
  private func workerMain(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    enterWorker(argument)
  }
#else
  private func workerMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    argument.flatMap(enterWorker)
  }
#endif

private func enterWorker(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
  let entry = Unmanaged<WorkerPool.Entry>.fromOpaque(argument).takeRetainedValue()
  entry.pool.work(as: entry.worker)
  return nil
}
