/// The memory of an input or output, moved between host and device where one has newer bytes and the
/// other is to use them.
final class BoundaryBuffer {
  let planned: PlannedBuffer
  private let memory: any DeviceBuffer
  /// Which side has bytes that the other lacks.
  private var newer = Side.host

  private enum Side { case host, device, neither }

  /// Memory whose bytes, zeros at first, are the host's.
  init(_ planned: PlannedBuffer, on device: some Device) throws(AllocationError) {
    self.planned = planned
    memory = try device.allocate(byteCount: planned.byteCount, for: .boundary)
  }

  /// The first byte, as steps address it.
  var base: UnsafeMutableRawPointer { memory.base }

  /// The host's bytes, to be read: those that the last run has written.
  func read() -> UnsafeMutableRawPointer {
    if newer == .device {
      memory.download(byteCount: planned.byteCount)
      newer = .neither
    }
    return memory.host
  }

  /// The host's bytes, to be written: the next run takes them.
  func write() -> UnsafeMutableRawPointer {
    newer = .host
    return memory.host
  }

  /// Moves what the host has written since the last run.
  func beginRun() {
    guard newer == .host else { return }
    memory.upload(byteCount: planned.byteCount)
    newer = .neither
  }

  /// Says that steps may have written to the buffer.
  func noteChange() { newer = .device }

  func poison() {
    memory.poison()
    newer = .device
  }
}

/// Real numbers in memory whose element type is known at run time only.
struct NumberBuffer {
  private let base: UnsafeMutableRawPointer
  private let type: ElementType
  let count: Int

  init(_ base: UnsafeMutableRawPointer, _ type: ElementType, count: Int) {
    (self.base, self.type, self.count) = (base, type, count)
  }

  func read<Number: BinaryFloatingPoint>() -> [Number] {
    type == .float64
      ? elements(of: Double.self).map { Number($0) } : elements(of: Float.self).map { Number($0) }
  }

  /// Replaces the numbers from `start` on.
  func write<Number: BinaryFloatingPoint>(_ values: [Number], from start: Int = 0) {
    precondition(start + values.count <= count, "\(values.count) numbers from \(start) of \(count)")
    if type == .float64 {
      let elements = elements(of: Double.self)
      for (index, value) in values.enumerated() { elements[start + index] = Double(value) }
    } else {
      let elements = elements(of: Float.self)
      for (index, value) in values.enumerated() { elements[start + index] = Float(value) }
    }
  }

  private func elements<Element>(of type: Element.Type) -> UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(start: base.assumingMemoryBound(to: type), count: count)
  }
}
