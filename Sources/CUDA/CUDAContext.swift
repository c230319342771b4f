import ResidualExecution

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

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
  /// Bytes of the GPU's memory that were free when it was opened.
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
    var (free, total) = (0, 0)
    _ = driver.memoryGetInfo(&free, &total)
    memoryByteCount = free

    var stream: Handle?
    var cudnnHandle: Handle?
    // A stream that does not wait for the default stream.
    guard driver.createStream(&stream, 1) == 0 else {
      throw DeviceUnavailable("GPU \(index) gives no stream")
    }
    let cudnnStatus = cudnn.createHandle(&cudnnHandle)
    guard cudnnStatus == 0, cudnn.setStream(cudnnHandle, stream) == 0 else {
      throw DeviceUnavailable("cuDNN cannot use \(name): \(cudnn.text(cudnnStatus))")
    }
    self.stream = stream
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
    switch step.work {
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

  /// Enqueues a launch, with addresses for the buffers that it names.
  func enqueue(_ launch: Launch, path: String, address: (BufferID) -> DeviceAddress) {
    var arguments = ArgumentBytes(launch.arguments, address: address)
    var startsEarly = LaunchAttribute.startsEarly
    let grid = launch.grid
    let function = function(launch.kernel, launch.type)
    let status = arguments.withBytes { bytes in
      var parameters: [Handle?] = [bytes]
      return withUnsafeMutablePointer(to: &startsEarly) { attribute in
        var configuration = LaunchConfiguration(
          gridX: UInt32(grid.x), gridY: UInt32(grid.y), gridZ: UInt32(grid.z),
          blockX: UInt32(grid.threads), stream: stream, attributes: attribute,
          attributeCount: followsKernel ? 1 : 0)
        return driver.launchKernel(&configuration, function, &parameters, nil)
      }
    }
    driver.check(status, "\(path): \(launch.kernel)")
    followsKernel = canStartEarly
  }

  /// The work that a body enqueues, as a graph to be launched; `nil` where it contains what cannot
  /// be captured.
  func captured(_ body: () -> Void) -> Handle? {
    var (graph, executable): (Handle?, Handle?) = (nil, nil)
    // Relaxed: libraries may load kernels while the stream is captured.
    driver.check(driver.beginCapture(stream, 2), "beginning a capture")
    followsKernel = false
    body()
    guard driver.endCapture(stream, &graph) == 0 else { return nil }
    driver.check(driver.instantiateGraph(&executable, graph, 0), "instantiating a captured graph")
    _ = driver.destroyGraph(graph)
    return executable
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
