import ResidualPlatform

/// Memory for tensors, aligned to a cache line: the only allocator of bulk memory in the package.
///
/// The owner decides who may touch the bytes when; the buffer itself does not synchronise.
public final class AlignedBuffer: @unchecked Sendable {
  /// The alignment of every buffer in bytes: a cache line.
  public static let alignment = 64

  /// The first byte; valid as long as the buffer lives.
  public let base: UnsafeMutableRawPointer
  /// The usable size in bytes.
  public let byteCount: Int

  /// Allocates `byteCount` bytes set to zero.
  ///
  /// - Throws: ``AllocationError`` if the system does not grant the memory, or the machine does
  ///   not have as much: a system that promises more than it has would end the process later.
  public init(byteCount: Int) throws(AllocationError) {
    precondition(byteCount >= 0, "a buffer cannot have \(byteCount) bytes")
    guard byteCount <= Self.machineByteCount else { throw AllocationError(byteCount: byteCount) }
    self.byteCount = byteCount
    #if os(Linux)
      if byteCount >= Self.hugePage {
        base = try Self.mapped(byteCount)
        return
      }
    #endif
    var pointer: UnsafeMutableRawPointer?
    let status = posix_memalign(&pointer, Self.alignment, max(byteCount, Self.alignment))
    guard status == 0, let pointer else { throw AllocationError(byteCount: byteCount) }
    memset(pointer, 0, byteCount)
    base = pointer
  }

  deinit {
    #if os(Linux)
      if byteCount >= Self.hugePage {
        munmap(base, byteCount)
        return
      }
    #endif
    free(base)
  }

  #if os(Linux)
    /// Buffers from this size on consist of pages of their own, which the system sets to zero when
    /// they are first touched, and which it is asked to make huge: with pages of 4 KiB, transforms
    /// that write 36 streams at once wait for address translation.
    private static let hugePage = 2 << 20

    /// Maps `byteCount` bytes that begin with a huge page.
    private static func mapped(_ byteCount: Int) throws(AllocationError)
      -> UnsafeMutableRawPointer
    {
      let (mappedCount, overflow) = byteCount.addingReportingOverflow(hugePage)
      guard !overflow,
        let start = mmap(
          nil, mappedCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        start != MAP_FAILED
      else { throw AllocationError(byteCount: byteCount) }
      // The part before the first huge page, and what is left over at the end, are given back.
      let base = start.alignedUp(toMultipleOf: hugePage)
      let end = (base + byteCount).alignedUp(toMultipleOf: Int(sysconf(Int32(_SC_PAGESIZE))))
      if base > start { munmap(start, base - start) }
      if end < start + mappedCount { munmap(end, start + mappedCount - end) }
      madvise(base, byteCount, MADV_HUGEPAGE)
      return base
    }
  #endif

  /// The memory in bytes that the machine has, or that this process may take of it.
  public static let machineByteCount = MemoryLimit.current.byteCount

  /// The buffer seen as elements of one type.
  public func elements<Element>(of type: Element.Type) -> UnsafeMutableBufferPointer<Element> {
    let count = byteCount / MemoryLayout<Element>.stride
    return UnsafeMutableBufferPointer(
      start: base.bindMemory(to: Element.self, capacity: count), count: count)
  }
}

/// The memory that was asked for is not available.
public struct AllocationError: Refusal {
  public var kind: RefusalKind { .memory }
  /// The bytes that were asked for.
  public let byteCount: Int
  /// The bytes that the device has.
  public let available: Int

  /// - Parameter available: what the device has, by default the machine.
  package init(byteCount: Int, available: Int = AlignedBuffer.machineByteCount) {
    (self.byteCount, self.available) = (byteCount, available)
  }

  public var description: String {
    "not enough memory: \(byteCount >> 20) MiB are needed at once, and "
      + "\(MemoryLimit.words(for: available)) \(available >> 20) MiB; use a smaller batch"
  }
}
