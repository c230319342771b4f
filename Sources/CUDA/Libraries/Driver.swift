import ResidualExecution

/// An address in the memory of a GPU.
typealias DeviceAddress = UInt64
/// An object that belongs to one of NVIDIA's libraries.
typealias Handle = UnsafeMutableRawPointer

/// How a kernel is launched, laid out as the driver's `CUlaunchConfig`.
struct LaunchConfiguration {
  var gridX: UInt32, gridY: UInt32, gridZ: UInt32
  var blockX: UInt32, blockY: UInt32 = 1, blockZ: UInt32 = 1
  var sharedByteCount: UInt32 = 0
  var stream: Handle?
  var attributes: UnsafeMutablePointer<LaunchAttribute>?
  var attributeCount: UInt32
}

/// One attribute of a launch, laid out as the driver's `CUlaunchAttribute`.
struct LaunchAttribute {
  /// The kernel may be started before the one in front of it on the stream has ended; it waits itself.
  static let startsEarly = LaunchAttribute(identifier: 6, value: 1)

  let identifier: Int32
  private let padding: Int32 = 0
  // A union of 64 bytes.
  let value: Int32
  private let rest: (Int32, Int32, Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0, 0, 0)
  private let more: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)

  private init(identifier: Int32, value: Int32) {
    (self.identifier, self.value) = (identifier, value)
  }
}

/// The functions of the CUDA driver that are used here.
///
/// Source: NVIDIA, CUDA Driver API, version 12. Names with a version suffix are those that the
/// header's plain names stand for.
struct Driver: @unchecked Sendable {
  let version: Int
  private let getErrorString:
    @convention(c) (Int32, UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Int32

  let deviceGetCount: @convention(c) (UnsafeMutablePointer<Int32>) -> Int32
  let deviceGet: @convention(c) (UnsafeMutablePointer<Int32>, Int32) -> Int32
  let deviceGetName: @convention(c) (UnsafeMutablePointer<CChar>, Int32, Int32) -> Int32
  let deviceGetAttribute: @convention(c) (UnsafeMutablePointer<Int32>, Int32, Int32) -> Int32
  let retainPrimaryContext: @convention(c) (UnsafeMutablePointer<Handle?>, Int32) -> Int32
  let releasePrimaryContext: @convention(c) (Int32) -> Int32
  let setCurrentContext: @convention(c) (Handle?) -> Int32

  let memoryGetInfo: @convention(c) (UnsafeMutablePointer<Int>, UnsafeMutablePointer<Int>) -> Int32
  let allocate: @convention(c) (UnsafeMutablePointer<DeviceAddress>, Int) -> Int32
  let free: @convention(c) (DeviceAddress) -> Int32
  let allocateHost: @convention(c) (UnsafeMutablePointer<Handle?>, Int, UInt32) -> Int32
  let freeHost: @convention(c) (Handle?) -> Int32
  let copyToDevice: @convention(c) (DeviceAddress, UnsafeRawPointer, Int, Handle?) -> Int32
  let copyToHost: @convention(c) (Handle, DeviceAddress, Int, Handle?) -> Int32
  let copyOnDevice: @convention(c) (DeviceAddress, DeviceAddress, Int, Handle?) -> Int32
  let setBytes: @convention(c) (DeviceAddress, UInt8, Int, Handle?) -> Int32

  let createStream: @convention(c) (UnsafeMutablePointer<Handle?>, UInt32) -> Int32
  let destroyStream: @convention(c) (Handle?) -> Int32
  let synchronizeStream: @convention(c) (Handle?) -> Int32
  let beginCapture: @convention(c) (Handle?, Int32) -> Int32
  let endCapture: @convention(c) (Handle?, UnsafeMutablePointer<Handle?>) -> Int32
  let instantiateGraph: @convention(c) (UnsafeMutablePointer<Handle?>, Handle?, UInt64) -> Int32
  let launchGraph: @convention(c) (Handle?, Handle?) -> Int32
  let destroyExecutableGraph: @convention(c) (Handle?) -> Int32
  let destroyGraph: @convention(c) (Handle?) -> Int32

  let loadModule: @convention(c) (UnsafeMutablePointer<Handle?>, UnsafeRawPointer) -> Int32
  let unloadModule: @convention(c) (Handle?) -> Int32
  let moduleGetFunction:
    @convention(c) (UnsafeMutablePointer<Handle?>, Handle?, UnsafePointer<CChar>) -> Int32
  let launchKernel:
    @convention(c) (
      UnsafeRawPointer, Handle?, UnsafeMutablePointer<Handle?>?, UnsafeMutablePointer<Handle?>?
    ) -> Int32

  let createEvent: @convention(c) (UnsafeMutablePointer<Handle?>, UInt32) -> Int32
  let recordEvent: @convention(c) (Handle?, Handle?) -> Int32
  let waitForEvent: @convention(c) (Handle?, Handle?, UInt32) -> Int32
  let synchronizeEvent: @convention(c) (Handle?) -> Int32
  let elapsedTime: @convention(c) (UnsafeMutablePointer<Float>, Handle?, Handle?) -> Int32
  let destroyEvent: @convention(c) (Handle?) -> Int32

  /// Opens the driver and starts it.
  ///
  /// - Throws: ``DeviceUnavailable`` if there is no driver, or no GPU that it can use.
  init(folders: [String]) throws(DeviceUnavailable) {
    let library = try DynamicLibrary(
      ["libcuda.so.1", "libcuda.so"], purpose: "the driver of an NVIDIA GPU", folders: folders)
    getErrorString = try library.function("cuGetErrorString")
    deviceGetCount = try library.function("cuDeviceGetCount")
    deviceGet = try library.function("cuDeviceGet")
    deviceGetName = try library.function("cuDeviceGetName")
    deviceGetAttribute = try library.function("cuDeviceGetAttribute")
    retainPrimaryContext = try library.function("cuDevicePrimaryCtxRetain")
    releasePrimaryContext = try library.function("cuDevicePrimaryCtxRelease_v2")
    setCurrentContext = try library.function("cuCtxSetCurrent")
    memoryGetInfo = try library.function("cuMemGetInfo_v2")
    allocate = try library.function("cuMemAlloc_v2")
    free = try library.function("cuMemFree_v2")
    allocateHost = try library.function("cuMemHostAlloc")
    freeHost = try library.function("cuMemFreeHost")
    copyToDevice = try library.function("cuMemcpyHtoDAsync_v2")
    copyToHost = try library.function("cuMemcpyDtoHAsync_v2")
    copyOnDevice = try library.function("cuMemcpyDtoDAsync_v2")
    setBytes = try library.function("cuMemsetD8Async")
    createStream = try library.function("cuStreamCreate")
    destroyStream = try library.function("cuStreamDestroy_v2")
    synchronizeStream = try library.function("cuStreamSynchronize")
    beginCapture = try library.function("cuStreamBeginCapture_v2")
    endCapture = try library.function("cuStreamEndCapture")
    instantiateGraph = try library.function("cuGraphInstantiateWithFlags")
    launchGraph = try library.function("cuGraphLaunch")
    destroyExecutableGraph = try library.function("cuGraphExecDestroy")
    destroyGraph = try library.function("cuGraphDestroy")
    loadModule = try library.function("cuModuleLoadData")
    unloadModule = try library.function("cuModuleUnload")
    moduleGetFunction = try library.function("cuModuleGetFunction")
    launchKernel = try library.function("cuLaunchKernelEx")
    createEvent = try library.function("cuEventCreate")
    recordEvent = try library.function("cuEventRecord")
    waitForEvent = try library.function("cuStreamWaitEvent")
    synchronizeEvent = try library.function("cuEventSynchronize")
    elapsedTime = try library.function("cuEventElapsedTime")
    destroyEvent = try library.function("cuEventDestroy_v2")

    let initialize: @convention(c) (UInt32) -> Int32 = try library.function("cuInit")
    let getVersion: @convention(c) (UnsafeMutablePointer<Int32>) -> Int32 = try library.function(
      "cuDriverGetVersion")
    var number: Int32 = 0
    _ = getVersion(&number)
    version = Int(number)
    let status = initialize(0)
    guard status == 0 else {
      throw DeviceUnavailable("no NVIDIA GPU can be used: \(Self.text(status, getErrorString))")
    }
  }

  /// What a status means, in the driver's words.
  func text(_ status: Int32) -> String { Self.text(status, getErrorString) }

  private static func text(
    _ status: Int32,
    _ function: @convention(c) (Int32, UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Int32
  ) -> String {
    var text: UnsafePointer<CChar>?
    guard function(status, &text) == 0, let text else { return "error \(status)" }
    return "\(String(cString: text)) (error \(status))"
  }

  /// Ends the program where a call fails that cannot fail by anything that came from outside: the
  /// memory is there, the addresses and launches are the plan's own. What is left are defects, and
  /// GPUs that fail.
  func check(_ status: Int32, _ what: @autoclosure () -> String) {
    guard status == 0 else {
      fatalError("the GPU has failed: \(what()): \(text(status))")
    }
  }
}
