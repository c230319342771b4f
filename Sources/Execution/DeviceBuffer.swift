/// Memory that a device's steps reach, and its twin that the processor reaches.
///
/// On a device that shares the processor's memory, such as an ``AlignedBuffer``, the two are one.
public protocol DeviceBuffer: AnyObject {
  /// The first byte, as the device's steps address it: on a GPU no address of the processor's.
  var base: UnsafeMutableRawPointer { get }
  /// The usable size in bytes.
  var byteCount: Int { get }
  /// The same bytes where the processor can touch them: the buffer itself where memory is shared, or
  /// else a copy that ``upload(byteCount:)`` and ``download(byteCount:)`` move.
  ///
  /// - Precondition: the buffer is not for ``MemoryUse/workspace``.
  var host: UnsafeMutableRawPointer { get }
  /// Makes the device's first bytes those of the host, before anything that runs later. May return
  /// before it is done, but the host's bytes may then be changed all the same.
  func upload(byteCount: Int)
  /// Makes the host's first bytes those of the device; waits for everything that ran before.
  func download(byteCount: Int)
  /// Sets all bits of the device's bytes, which are NaN as a number of any type. For tests.
  func poison()
}

extension DeviceBuffer {
  /// Nothing: tests of such a device cannot tell what a run has left unwritten.
  public func poison() {}
}

/// What memory of a device is for.
public enum MemoryUse: Hashable, Sendable {
  /// What only steps touch, never the processor: the arena, scratch memory, derived results.
  case workspace
  /// An input or output of a plan.
  case boundary
  /// A slot of a store.
  case state
}

extension AlignedBuffer: DeviceBuffer {
  public var host: UnsafeMutableRawPointer { base }
  /// Nothing: the bytes are the same.
  public func upload(byteCount: Int) {}
  /// Nothing: the bytes are the same.
  public func download(byteCount: Int) {}
  public func poison() { base.initializeMemory(as: UInt8.self, repeating: 0xFF, count: byteCount) }
}
