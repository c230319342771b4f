import ResidualExecution

/// Memory of a GPU, with a twin in the processor's memory where the processor has to touch it.
final class CUDABuffer: DeviceBuffer, @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let byteCount: Int
  private let context: CUDAContext
  let address: DeviceAddress
  private let twin: Twin

  private enum Twin {
    case none
    /// Pageable memory: the driver takes a copy before an upload returns.
    case pageable(AlignedBuffer)
    /// Memory that the GPU reads by itself, for large transfers.
    case pinned(UnsafeMutableRawPointer)
  }

  /// Twins from this size on are pinned.
  private static let pinnedByteCount = 1 << 20

  /// - Throws: ``AllocationError``.
  init(byteCount: Int, for use: MemoryUse, in context: CUDAContext) throws(AllocationError) {
    self.context = context
    self.byteCount = byteCount
    var address: DeviceAddress = 0
    let status = context.inTurn { context.driver.allocate(&address, max(byteCount, 16)) }
    guard status == 0, let base = UnsafeMutableRawPointer(bitPattern: UInt(address)) else {
      throw AllocationError(byteCount: byteCount, available: context.memoryByteCount)
    }
    self.address = address
    self.base = base
    do {
      twin = use == .workspace ? .none : try Self.twin(byteCount, in: context)
    } catch {
      _ = context.inTurn { context.driver.free(address) }
      throw error
    }
    if use != .workspace { set(0) }
  }

  private static func twin(_ byteCount: Int, in context: CUDAContext) throws(AllocationError)
    -> Twin
  {
    var pinned: Handle?
    if byteCount >= pinnedByteCount,
      context.inTurn({ context.driver.allocateHost(&pinned, byteCount, 0) }) == 0, let pinned
    {
      pinned.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
      return .pinned(pinned)
    }
    return .pageable(try AlignedBuffer(byteCount: byteCount))
  }

  deinit {
    context.inTurn {
      context.synchronize()
      _ = context.driver.free(address)
      if case .pinned(let memory) = twin { _ = context.driver.freeHost(memory) }
    }
  }

  var host: UnsafeMutableRawPointer {
    switch twin {
    case .none: preconditionFailure("workspace has no twin on the host")
    case .pageable(let buffer): buffer.base
    case .pinned(let memory): memory
    }
  }

  func upload(byteCount: Int) {
    guard byteCount > 0 else { return }
    context.inTurn {
      context.driver.check(
        context.driver.copyToDevice(address, host, byteCount, context.stream), "an upload")
      // The GPU reads pinned memory later, and it may be changed as soon as this returns.
      if case .pinned = twin { context.synchronize() }
    }
  }

  func download(byteCount: Int) {
    context.inTurn {
      if byteCount > 0 {
        context.driver.check(
          context.driver.copyToHost(host, address, byteCount, context.stream), "a download")
      }
      context.synchronize()
    }
  }

  func clear() { set(0) }

  /// Takes over the bytes of a buffer of the same size.
  func copy(_ other: CUDABuffer) {
    context.inTurn {
      context.driver.check(
        context.driver.copyOnDevice(address, other.address, byteCount, context.stream), "a copy")
    }
  }

  func poison() { set(0xFF) }

  private func set(_ byte: UInt8) {
    context.inTurn {
      context.driver.check(
        context.driver.setBytes(address, byte, max(byteCount, 16), context.stream),
        "setting memory")
    }
  }
}
