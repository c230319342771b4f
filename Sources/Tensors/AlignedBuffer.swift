#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Memory for tensors, aligned to a cache line: the only allocator of bulk memory in the package.
///
/// The owner decides who may touch the bytes when; the buffer itself does not synchronise.
public final class AlignedBuffer: @unchecked Sendable {
  /// The alignment of every buffer in bytes: a cache line.
  public static let alignment = 64
  /// The size of a huge page on Linux: larger buffers ask for such pages.
  private static let hugePage = 2 << 20

  /// The first byte; valid as long as the buffer lives.
  public let base: UnsafeMutableRawPointer
  /// The usable size in bytes.
  public let byteCount: Int

  /// Allocates `byteCount` bytes set to zero.
  ///
  /// - Throws: ``AllocationError`` where the system does not grant the memory, or the machine does
  ///   not have as much: a system that promises more than it has would end the process later.
  public init(byteCount: Int) throws(AllocationError) {
    precondition(byteCount >= 0, "a buffer cannot have \(byteCount) bytes")
    guard byteCount <= Self.machineByteCount else { throw AllocationError(byteCount: byteCount) }
    var pointer: UnsafeMutableRawPointer?
    let isLarge = byteCount >= Self.hugePage
    let status = posix_memalign(
      &pointer, isLarge ? Self.hugePage : Self.alignment, max(byteCount, Self.alignment))
    guard status == 0, let pointer else { throw AllocationError(byteCount: byteCount) }
    #if os(Linux)
      // Advice: with pages of 4 KiB, transforms that write 36 streams wait for address translation.
      if isLarge { madvise(pointer, byteCount / Self.hugePage * Self.hugePage, MADV_HUGEPAGE) }
    #endif
    memset(pointer, 0, byteCount)
    self.base = pointer
    self.byteCount = byteCount
  }

  deinit { free(base) }

  /// The machine's memory in bytes.
  public static var machineByteCount: Int {
    let (bytes, overflow) = Int(sysconf(Int32(_SC_PHYS_PAGES)))
      .multipliedReportingOverflow(by: Int(sysconf(Int32(_SC_PAGESIZE))))
    return overflow || bytes <= 0 ? .max : bytes
  }

  /// The buffer seen as elements of one type.
  public func elements<Element>(of type: Element.Type) -> UnsafeMutableBufferPointer<Element> {
    let count = byteCount / MemoryLayout<Element>.stride
    return UnsafeMutableBufferPointer(
      start: base.bindMemory(to: Element.self, capacity: count), count: count)
  }
}

/// The system has not granted the memory that was asked for.
public struct AllocationError: Error, CustomStringConvertible {
  /// The bytes that were asked for.
  public let byteCount: Int
  package init(byteCount: Int) { self.byteCount = byteCount }

  public var description: String {
    "not enough memory: \(byteCount >> 20) MiB are needed at once, and this machine has "
      + "\(AlignedBuffer.machineByteCount >> 20) MiB; use a smaller batch"
  }
}
