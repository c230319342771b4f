import ResidualExecution
import ResidualPlatform

/// A GPU with the libraries that serve it, one stream of work, and the kernels compiled for it.
///
/// Threads take turns (``inTurn(_:)``): what one enqueues while another captures the stream would
/// become part of the captured graph.
final class CUDAContext: @unchecked Sendable {
  let driver: Driver
  let cudnn: CUDNN
  let compiler: RuntimeCompiler
  /// Such as `NVIDIA H200`.
  let name: String
  /// Bytes of the GPU's memory that were free when it was opened, less what libraries need of them.
  let memoryByteCount: Int
  /// Major and minor version of what the GPU can compute, such as 9 and 0.
  let capability: (Int32, Int32)
  let stream: Handle?
  let cudnnHandle: Handle?
  private let index: Int32
  private let context: Handle?
  private var modules: [ElementType: Handle] = [:]
  private var functions: [String: Handle] = [:]
  /// Whether the GPU lets a kernel start before the one in front of it has ended.
  private let canStartEarly: Bool
  /// Whether the last work that was enqueued is a kernel of ours, with which the next may overlap.
  private var followsKernel = false
  /// A second stream, for steps that nothing waits for; only captured graphs use it.
  private let asideStream: Handle?
  private var fork: Fork?

  /// The second stream within a capture.
  private struct Fork {
    /// Events that order the two streams; they live as long as the capture.
    var events: [Handle?] = []
    /// Whether the last step went aside, and whether any has since the last join.
    var isAside = false, isOpen = false
  }
  private let turn: UnsafeMutablePointer<pthread_mutex_t>

  /// Opens a GPU.
  ///
  /// - Parameters:
  ///   - index: which one, from 0.
  ///   - types: of activations that kernels are compiled for.
  /// - Throws: ``DeviceUnavailable``.
  init(index: Int, folders: [String], types: Set<ElementType>) throws(DeviceUnavailable) {
    driver = try Driver(folders: folders)
    compiler = try RuntimeCompiler(folders: folders)
    cudnn = try CUDNN(folders: folders)
    var count: Int32 = 0
    guard driver.deviceGetCount(&count) == 0, count > 0 else {
      throw DeviceUnavailable("this machine has no NVIDIA GPU")
    }
    guard (0..<Int(count)).contains(index) else {
      throw DeviceUnavailable("GPU \(index): this machine has \(count), numbered from 0")
    }
    var number: Int32 = 0
    let opened = driver.deviceGet(&number, Int32(index))
    self.index = number
    var context: Handle?
    let status = opened == 0 ? driver.retainPrimaryContext(&context, number) : opened
    guard status == 0, driver.setCurrentContext(context) == 0 else {
      throw DeviceUnavailable("GPU \(index) cannot be used: \(driver.text(status))")
    }
    self.context = context

    var characters = [CChar](repeating: 0, count: 128)
    _ = driver.deviceGetName(&characters, 127, number)
    name = characters.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
    var (major, minor): (Int32, Int32) = (0, 0)
    _ = driver.deviceGetAttribute(&major, 75, number)
    _ = driver.deviceGetAttribute(&minor, 76, number)
    capability = (major, minor)
    canStartEarly = major >= 9 && driver.version >= 12_040
    guard !types.contains(.bfloat16) || major >= 8 else {
      throw DeviceUnavailable(
        "\(name) cannot compute in bf16; use \(OptionName.precision) fp16 or fp32")
    }
    var (free, total) = (0, 0)
    _ = driver.memoryGetInfo(&free, &total)
    // Libraries load kernels, and graphs are instantiated, beside what plans take.
    memoryByteCount = free - min(512 << 20, free / 8)

    var (stream, asideStream): (Handle?, Handle?)
    var cudnnHandle: Handle?
    // Streams that do not wait for the default stream.
    guard driver.createStream(&stream, 1) == 0, driver.createStream(&asideStream, 1) == 0 else {
      throw DeviceUnavailable("GPU \(index) gives no stream")
    }
    let cudnnStatus = cudnn.createHandle(&cudnnHandle)
    guard cudnnStatus == 0, cudnn.setStream(cudnnHandle, stream) == 0 else {
      throw DeviceUnavailable("cuDNN cannot use \(name): \(cudnn.text(cudnnStatus))")
    }
    self.stream = stream
    self.asideStream = asideStream
    self.cudnnHandle = cudnnHandle
    turn = .allocate(capacity: 1)
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
    pthread_mutex_init(turn, &attributes)
    pthread_mutexattr_destroy(&attributes)
    try loadKernels(types)
  }

  deinit {
    _ = driver.setCurrentContext(context)
    for module in modules.values { _ = driver.unloadModule(module) }
    _ = cudnn.destroyHandle(cudnnHandle)
    _ = driver.destroyStream(stream)
    _ = driver.destroyStream(asideStream)
    _ = driver.releasePrimaryContext(index)
    pthread_mutex_destroy(turn)
    turn.deallocate()
  }

  /// Lets this thread work with the GPU while no other one does; calls may be nested.
  func inTurn<Result>(_ body: () throws -> Result) rethrows -> Result {
    pthread_mutex_lock(turn)
    defer { pthread_mutex_unlock(turn) }
    _ = driver.setCurrentContext(context)
    // What came before is not known here.
    followsKernel = false
    return try body()
  }

  private func loadKernels(_ types: Set<ElementType>) throws(DeviceUnavailable) {
    for (type, code) in try KernelCompilation.code(for: types, compiler, capability: capability) {
      var module: Handle?
      let status = driver.loadModule(&module, code)
      guard status == 0, let module else {
        throw DeviceUnavailable("\(name) does not take kernels: \(driver.text(status))")
      }
      modules[type] = module
    }
  }

  private func function(_ kernel: String, _ type: ElementType) -> Handle? {
    let key = "\(type.rawValue) \(kernel)"
    if let known = functions[key] { return known }
    var function: Handle?
    driver.check(
      driver.moduleGetFunction(&function, modules[type], kernel), "there is no kernel \(key)")
    functions[key] = function
    return function
  }

  // MARK: Work

  /// Enqueues a step.
  func enqueue(_ step: CUDAStep, in memory: Memory) {
    func address(_ buffer: BufferID) -> DeviceAddress {
      DeviceAddress(UInt(bitPattern: memory.address(buffer)))
    }
    if step.isAside, fork != nil, case .launch(let launch) = step.work {
      goAside()
      return enqueue(launch, path: step.path, on: asideStream, address: address)
    }
    fork?.isAside = false
    switch step.work {
    case .join: join()
    case .launch(let launch): enqueue(launch, path: step.path, address: address)
    case .convolution(let call):
      followsKernel = false
      do {
        try call.plan.run(
          input: address(call.input), filter: address(call.filter), output: address(call.output),
          workspace: DeviceAddress(UInt(bitPattern: memory.scratch)))
      } catch {
        fatalError("the GPU has failed: \(step): \(error.message)")
      }
    case .copy(let source, let target, let byteCount):
      followsKernel = false
      driver.check(
        driver.copyOnDevice(address(target), address(source), byteCount, stream), step.description)
    case .zero(let target, let byteCount):
      followsKernel = false
      driver.check(driver.setBytes(address(target), 0, byteCount, stream), step.description)
    }
  }

  /// Lets the second stream begin after what has been enqueued so far.
  private func goAside() {
    guard var fork else { return }
    if !fork.isAside { fork.events.append(order(asideStream, after: stream)) }
    (fork.isAside, fork.isOpen) = (true, true)
    self.fork = fork
  }

  /// Lets what follows wait for the second stream.
  private func join() {
    guard var fork, fork.isOpen else { return }
    fork.events.append(order(stream, after: asideStream))
    fork.isOpen = false
    self.fork = fork
    followsKernel = false
  }

  private func order(_ later: Handle?, after earlier: Handle?) -> Handle? {
    var event: Handle?
    driver.check(driver.createEvent(&event, 2), "an event")
    driver.check(driver.recordEvent(event, earlier), "recording an event")
    driver.check(driver.waitForEvent(later, event, 0), "waiting for an event")
    return event
  }

  /// Enqueues a launch, with addresses for the buffers that it names.
  ///
  /// - Parameter other: another stream than the one on which work follows work.
  func enqueue(
    _ launch: Launch, path: String, on other: Handle? = nil,
    address: (BufferID) -> DeviceAddress
  ) {
    var arguments = ArgumentBytes(launch.arguments, address: address)
    var startsEarly = LaunchAttribute.startsEarly
    let grid = launch.grid
    let function = function(launch.kernel, launch.type)
    let status = arguments.withBytes { bytes in
      var parameters: [Handle?] = [bytes]
      return withUnsafeMutablePointer(to: &startsEarly) { attribute in
        var configuration = LaunchConfiguration(
          gridX: UInt32(grid.x), gridY: UInt32(grid.y), gridZ: UInt32(grid.z),
          blockX: UInt32(grid.threads), stream: other ?? stream, attributes: attribute,
          attributeCount: followsKernel && other == nil ? 1 : 0)
        return driver.launchKernel(&configuration, function, &parameters, nil)
      }
    }
    driver.check(status, "\(path): \(launch.kernel)")
    // What goes aside leaves an event behind the last kernel, with which no other may overlap.
    followsKernel = canStartEarly && other == nil
  }

  /// The work that a body enqueues, as a graph to be launched; `nil` if it contains what cannot
  /// be captured.
  func captured(_ body: () -> Void) -> Handle? {
    var (graph, executable): (Handle?, Handle?) = (nil, nil)
    // Relaxed: libraries may load kernels while the stream is captured.
    driver.check(driver.beginCapture(stream, 2), "beginning a capture")
    followsKernel = false
    fork = Fork()
    defer {
      for event in fork?.events ?? [] { _ = driver.destroyEvent(event) }
      fork = nil
    }
    body()
    join()
    guard driver.endCapture(stream, &graph) == 0 else { return nil }
    defer { _ = driver.destroyGraph(graph) }
    return driver.instantiateGraph(&executable, graph, 0) == 0 ? executable : nil
  }

  /// Waits until everything that has been enqueued is done.
  func synchronize() { driver.check(driver.synchronizeStream(stream), "waiting for the stream") }

  /// Seconds that the work takes which a body enqueues.
  func seconds(_ body: () -> Void) -> Double {
    var (start, end): (Handle?, Handle?) = (nil, nil)
    driver.check(driver.createEvent(&start, 0), "an event")
    driver.check(driver.createEvent(&end, 0), "an event")
    defer {
      _ = driver.destroyEvent(start)
      _ = driver.destroyEvent(end)
    }
    driver.check(driver.recordEvent(start, stream), "recording an event")
    followsKernel = false
    body()
    driver.check(driver.recordEvent(end, stream), "recording an event")
    driver.check(driver.synchronizeEvent(end), "waiting for an event")
    var milliseconds: Float = 0
    driver.check(driver.elapsedTime(&milliseconds, start, end), "the time between two events")
    return Double(milliseconds) / 1000
  }
}
