/// The named state of a network and its optimiser: what outlives a step.
///
/// A store belongs to one thread at a time, as do the sessions that work on it.
public final class Store {
  /// How real numbers are kept: float32 or float64.
  public let realType: ElementType
  /// Every slot, in the order in which they were added.
  public private(set) var slots: [StateSlot] = []
  /// Grows whenever a slot's value may have changed.
  package private(set) var version = 0
  private var buffers: [String: AlignedBuffer] = [:]
  private var shapes: [String: Shape] = [:]

  /// - Parameter realType: how the device that the store is for keeps real numbers.
  public init(realType: ElementType = .float32) {
    precondition(realType == .float32 || realType == .float64, "a store of \(realType)")
    self.realType = realType
  }

  /// Adds the slots that are not there yet, with their initial values.
  ///
  /// A slot's first value depends on the seed and the slot's name alone, not on the other slots.
  /// - Throws: ``AllocationError``.
  public func initialize(_ slots: [StateSlot], seed: UInt64) throws(AllocationError) {
    let key = RandomKey(seed: seed).derived(.initialization)
    for slot in slots where buffers[slot.name] == nil {
      buffers[slot.name] = try AlignedBuffer(byteCount: slot.shape.count * realType.size)
      shapes[slot.name] = slot.shape
      self.slots.append(slot)
      switch slot.initialValue {
      case .constant(let value):
        write([Float](repeating: value, count: slot.shape.count), to: slot.name)
      case .normal(let deviation):
        var source = NormalSource(key.derived(slot.name))
        let values = (0..<slot.shape.count).map { _ in Float(deviation * source.next()) }
        write(values, to: slot.name)
      }
    }
  }

  /// Whether there is a slot of this name.
  public func contains(_ name: String) -> Bool { buffers[name] != nil }
  /// A slot's shape, `nil` where there is none of this name.
  public func shape(of name: String) -> Shape? { shapes[name] }

  /// A slot's value, rounded to float32 where the store is more exact.
  public func read(_ name: String) -> Tensor<Float> {
    let (buffer, shape) = slot(name)
    return Tensor(shape, NumberBuffer(buffer, realType, count: shape.count).read())
  }

  /// A slot's value in double precision.
  public func readDouble(_ name: String) -> [Double] {
    let (buffer, shape) = slot(name)
    return NumberBuffer(buffer, realType, count: shape.count).read()
  }

  /// Replaces a slot's value.
  public func write<Number: BinaryFloatingPoint>(_ values: [Number], to name: String) {
    let (buffer, shape) = slot(name)
    precondition(
      values.count == shape.count, "\(values.count) numbers for slot \(name) of \(shape)")
    NumberBuffer(buffer, realType, count: shape.count).write(values)
    version += 1
  }

  /// Says that a run has changed slots.
  package func noteChange() { version += 1 }

  /// A slot's memory. Who writes to it calls ``noteChange()`` afterwards.
  ///
  /// - Precondition: there is a slot of this name.
  package func buffer(_ name: String) -> AlignedBuffer { slot(name).buffer }

  private func slot(_ name: String) -> (buffer: AlignedBuffer, shape: Shape) {
    guard let buffer = buffers[name], let shape = shapes[name] else {
      preconditionFailure("the store has no slot \(name)")
    }
    return (buffer, shape)
  }
}

/// Real numbers in a buffer whose element type is known at run time only.
struct NumberBuffer {
  let buffer: AlignedBuffer
  let type: ElementType
  let count: Int

  init(_ buffer: AlignedBuffer, _ type: ElementType, count: Int) {
    self.buffer = buffer
    self.type = type
    self.count = count
  }

  func read<Number: BinaryFloatingPoint>() -> [Number] {
    type == .float64
      ? buffer.elements(of: Double.self).prefix(count).map { Number($0) }
      : buffer.elements(of: Float.self).prefix(count).map { Number($0) }
  }

  func write<Number: BinaryFloatingPoint>(_ values: [Number]) {
    if type == .float64 {
      let elements = buffer.elements(of: Double.self)
      for (index, value) in values.enumerated() { elements[index] = Double(value) }
    } else {
      let elements = buffer.elements(of: Float.self)
      for (index, value) in values.enumerated() { elements[index] = Float(value) }
    }
  }
}
