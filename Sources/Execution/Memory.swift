/// The addresses of a plan's buffers during one run: the only way for steps to reach memory.
///
/// A plan guarantees that two steps that may run at the same time touch no common bytes, except to
/// read them.
public struct Memory: @unchecked Sendable {
  private let addresses: UnsafeMutablePointer<UnsafeMutableRawPointer>
  /// Scratch memory, cut by the device among its workers.
  package let scratch: UnsafeMutableRawPointer

  /// - Parameter addresses: one for each buffer of the plan, by index; they outlive the value.
  package init(
    addresses: UnsafeMutablePointer<UnsafeMutableRawPointer>, scratch: UnsafeMutableRawPointer
  ) {
    self.addresses = addresses
    self.scratch = scratch
  }

  /// A buffer's first byte.
  @inline(__always)
  package func address(_ buffer: BufferID) -> UnsafeMutableRawPointer { addresses[buffer.index] }

  /// A buffer's elements.
  @inline(__always)
  package func pointer<Element>(_ buffer: BufferID, of type: Element.Type = Element.self)
    -> UnsafeMutablePointer<Element>
  {
    address(buffer).assumingMemoryBound(to: type)
  }
}
