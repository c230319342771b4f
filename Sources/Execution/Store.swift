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
  /// The version after the last run that changed slots.
  private var runVersion = 0
  private var memories: [String: SlotMemory] = [:]
  /// Threads that draw first values.
  private let threads: Int
  private let allocate: (_ byteCount: Int) throws(AllocationError) -> any DeviceBuffer

  private struct SlotMemory {
    let buffer: any DeviceBuffer
    let shape: Shape
    /// The store's version that the host's bytes are of.
    var hostVersion: Int
  }

  /// A store in the memory of a device.
  public convenience init(for device: some Device) {
    self.init(realType: device.realType, threads: device.threads) {
      byteCount throws(AllocationError) in
      try device.allocate(byteCount: byteCount, for: .state)
    }
  }

  /// A store for a device that shares the processor's memory.
  ///
  /// - Parameter realType: how the device keeps real numbers.
  public convenience init(realType: ElementType = .float32) {
    self.init(realType: realType, threads: 1) { byteCount throws(AllocationError) in
      try AlignedBuffer(byteCount: byteCount)
    }
  }

  private init(
    realType: ElementType, threads: Int,
    allocate: @escaping (_ byteCount: Int) throws(AllocationError) -> any DeviceBuffer
  ) {
    precondition(realType == .float32 || realType == .float64, "a store of \(realType)")
    self.realType = realType
    self.threads = threads
    self.allocate = allocate
  }

  /// Adds the slots that are not there yet, with their initial values.
  ///
  /// A slot's first value depends on the seed and the slot's name alone, not on the other slots, nor on
  /// the threads that draw it.
  ///
  /// - Parameter values: of slots for which nothing is to be drawn.
  /// - Throws: ``AllocationError``.
  /// - Precondition: each value has its slot's shape.
  public func initialize(
    _ slots: [StateSlot], seed: UInt64, from values: [String: Tensor<Float>] = [:]
  ) throws(AllocationError) {
    let key = RandomKey(seed: seed).derived(.initialization)
    for slot in slots where memories[slot.name] == nil {
      memories[slot.name] = SlotMemory(
        buffer: try allocate(slot.shape.count * realType.size), shape: slot.shape,
        hostVersion: version)
      self.slots.append(slot)
      if let value = values[slot.name] {
        write(value.scalars, to: slot.name)
        continue
      }
      let first = FirstValues(slot.initialValue, under: key.derived(slot.name))
      replace(slot.name) { first.fill($0, threads: threads) }
    }
  }

  /// Whether there is a slot of this name.
  public func contains(_ name: String) -> Bool { memories[name] != nil }
  /// A slot's shape, `nil` if there is none of this name.
  public func shape(of name: String) -> Shape? { memories[name]?.shape }

  /// A slot's value, rounded to float32 where the store is more exact.
  public func read(_ name: String) -> Tensor<Float> { Tensor(memory(name).shape, numbers(name)) }

  /// A slot's value in double precision.
  public func readDouble(_ name: String) -> [Double] { numbers(name) }

  private func numbers<Number: BinaryFloatingPoint>(_ name: String) -> [Number] {
    let (buffer, count) = (buffer(name), memory(name).shape.count)
    if memory(name).hostVersion < runVersion {
      buffer.download(byteCount: count * realType.size)
      memories[name]?.hostVersion = version
    }
    return NumberBuffer(buffer.host, realType, count: count).read()
  }

  // Generic code is not specialised for another module's numbers, so there is a function for each.

  /// Replaces a slot's value.
  public func write(_ values: [Float], to name: String) { replace(name, by: values) }

  /// Replaces a slot's value, rounded to float32 where the store is less exact.
  public func write(_ values: [Double], to name: String) { replace(name, by: values) }

  private func replace<Number: BinaryFloatingPoint>(_ name: String, by values: [Number]) {
    let shape = memory(name).shape
    precondition(
      values.count == shape.count, "\(values.count) numbers for slot \(name) of \(shape)")
    replace(name) { $0.write(values) }
  }

  private func replace(_ name: String, _ write: (NumberBuffer) -> Void) {
    let (buffer, count) = (buffer(name), memory(name).shape.count)
    write(NumberBuffer(buffer.host, realType, count: count))
    buffer.upload(byteCount: count * realType.size)
    version += 1
    memories[name]?.hostVersion = version
  }

  /// Says that a run has changed slots, so that the host's bytes of them are old.
  package func noteChange() {
    version += 1
    runVersion = version
  }

  /// A slot's memory, for steps to work on. Who has them write to it calls ``noteChange()``.
  ///
  /// - Precondition: there is a slot of this name.
  package func buffer(_ name: String) -> any DeviceBuffer { memory(name).buffer }

  private func memory(_ name: String) -> SlotMemory {
    guard let memory = memories[name] else {
      preconditionFailure("the store has no slot \(name)")
    }
    return memory
  }
}
