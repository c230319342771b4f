/// Runs plans over one store, in one arena.
///
/// A session belongs to one thread at a time. Running a loaded plan allocates nothing.
public final class Session<D: Device> {
  /// What prepares and runs the plans.
  public let device: D
  /// Where the slots of all its plans live; sessions may share one.
  public let store: Store
  private var arena: AlignedBuffer?
  private var scratch: AlignedBuffer?

  /// - Precondition: the store keeps real numbers as the device does (``Device/realType``).
  public init(device: D, store: Store) {
    precondition(
      device.realType == store.realType,
      "a store of \(store.realType) on a device of \(device.realType)")
    self.device = device
    self.store = store
  }

  /// Makes a graph ready to run for inputs of given shapes.
  ///
  /// - Parameters:
  ///   - seed: for the first values of slots that the store does not have yet.
  ///   - keepsDerived: see ``Device/prepare(_:inputs:keepsDerived:)``.
  /// - Throws: ``ShapeError``, ``AllocationError``.
  public func load(
    _ graph: Graph, inputs: [String: Shape], seed: UInt64 = 0, keepsDerived: Bool = true
  ) throws -> LoadedPlan<D> {
    try load(
      try device.prepare(graph, inputs: inputs, keepsDerived: keepsDerived), seed: seed)
  }

  /// Makes memory for a plan.
  ///
  /// - Throws: ``AllocationError``.
  public func load(_ plan: Plan<D.Step>, seed: UInt64 = 0) throws -> LoadedPlan<D> {
    try store.initialize(plan.slots.map(\.slot), seed: seed)
    for (slot, _) in plan.slots {
      precondition(
        store.shape(of: slot.name) == slot.shape, "slot \(slot.name) has another shape in the store"
      )
    }
    // Buffers are granted one by one; a plan that they cannot all fit is refused before the first.
    let byteCount =
      plan.arenaByteCount + plan.boundaryByteCount + plan.keptByteCount + plan.stateByteCount
      + device.scratchByteCount(of: plan)
    guard byteCount <= AlignedBuffer.machineByteCount else {
      throw AllocationError(byteCount: byteCount)
    }
    arena = try Self.grown(arena, to: plan.arenaByteCount)
    scratch = try Self.grown(scratch, to: device.scratchByteCount(of: plan))
    return try LoadedPlan(plan, session: self)
  }

  private static func grown(_ buffer: AlignedBuffer?, to byteCount: Int) throws -> AlignedBuffer {
    if let buffer, buffer.byteCount >= byteCount { return buffer }
    return try AlignedBuffer(byteCount: byteCount)
  }

  fileprivate func poisonWorkspace() {
    for memory in [arena, scratch].compactMap({ $0 }) {
      UnsafeMutableRawBufferPointer(start: memory.base, count: memory.byteCount).poison()
    }
  }

  /// The arena and scratch memory as they are now; loading a larger plan may have moved them.
  fileprivate var workspace: (arena: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer) {
    guard let arena, let scratch else { preconditionFailure("no plan has been loaded") }
    return (arena.base, scratch.base)
  }
}

/// A plan with memory for its inputs and outputs.
public final class LoadedPlan<D: Device> {
  /// The plan as the device has prepared it.
  public let plan: Plan<D.Step>
  private let session: Session<D>
  private let boundary: [BufferID: AlignedBuffer]
  private let addresses: AlignedBuffer
  private let kept: AlignedBuffer
  /// The store's version that the preparation has seen.
  private var preparedVersion = -1

  fileprivate init(_ plan: Plan<D.Step>, session: Session<D>) throws(AllocationError) {
    self.plan = plan
    self.session = session
    addresses = try AlignedBuffer(
      byteCount: plan.buffers.count * MemoryLayout<UnsafeMutableRawPointer>.stride)
    var boundary: [BufferID: AlignedBuffer] = [:]
    for (index, buffer) in plan.buffers.enumerated() {
      if case .boundary = buffer.location {
        boundary[BufferID(index: index)] = try AlignedBuffer(byteCount: buffer.byteCount)
      }
    }
    self.boundary = boundary
    kept = try AlignedBuffer(byteCount: plan.keptByteCount)
    // Addresses outside the arena never change.
    let table = addresses.elements(of: UnsafeMutableRawPointer.self)
    for (index, buffer) in plan.buffers.enumerated() {
      switch buffer.location {
      case .arena: break
      case .kept(let offset): table[index] = kept.base + offset
      case .boundary: table[index] = self.buffer(BufferID(index: index)).base
      case .state(let name): table[index] = session.store.buffer(name).base
      }
    }
  }

  /// Runs the plan once.
  ///
  /// - Parameter times: takes the time of every step.
  public func run(times: StepTimes? = nil) {
    let (arena, scratch) = session.workspace
    let table = addresses.elements(of: UnsafeMutableRawPointer.self)
    for index in plan.buffers.indices {
      if case .arena(let offset) = plan.buffers[index].location { table[index] = arena + offset }
    }
    guard let addresses = table.baseAddress else { return }
    let memory = Memory(addresses: addresses, scratch: scratch)
    if !plan.preparation.isEmpty, preparedVersion != session.store.version {
      session.device.run(plan.preparation, of: plan, in: memory, times: nil)
      preparedVersion = session.store.version
    }
    session.device.run(plan.steps, of: plan, in: memory, times: times)
    if plan.changesState { session.store.noteChange() }
  }

  /// Fills everything that a run must write before it reads with bytes that are NaN as numbers:
  /// the arena, scratch memory and outputs. For tests.
  package func poison() {
    session.poisonWorkspace()
    let inputs = Set(plan.inputs.values)
    for output in plan.outputs.values where !inputs.contains(output) {
      let memory = buffer(output)
      UnsafeMutableRawBufferPointer(start: memory.base, count: memory.byteCount).poison()
    }
  }

  // MARK: Inputs and outputs

  /// The elements of an input, to be filled before a run.
  public func withInput<Element, Result>(
    _ name: String, of type: Element.Type, _ body: (UnsafeMutableBufferPointer<Element>) -> Result
  ) -> Result {
    let (planned, buffer) = input(name)
    precondition(
      MemoryLayout<Element>.stride * planned.shape.count == planned.byteCount,
      "input \(name) does not hold \(type)")
    return body(
      UnsafeMutableBufferPointer(rebasing: buffer.elements(of: type)[..<planned.shape.count]))
  }

  /// Fills an input of real numbers.
  public func write<Number: BinaryFloatingPoint>(_ values: [Number], to name: String) {
    let (planned, buffer) = input(name)
    precondition(planned.elementType.isFloatingPoint, "input \(name) holds \(planned.elementType)")
    precondition(
      values.count == planned.shape.count, "\(values.count) numbers for \(name) of \(planned.shape)"
    )
    NumberBuffer(buffer, session.device.realType, count: values.count).write(values)
  }

  /// Fills an input of whole numbers.
  public func write(_ values: [Int32], to name: String) {
    withInput(name, of: Int32.self) { elements in
      precondition(values.count == elements.count, "\(values.count) labels for \(elements.count)")
      for (index, value) in values.enumerated() { elements[index] = value }
    }
  }

  /// Sets a scalar input.
  public func write(_ value: Float, to name: String) {
    let (planned, buffer) = input(name)
    precondition(planned.shape == .scalar, "input \(name) is no scalar but \(planned.shape)")
    if session.device.realType == .float64 {
      buffer.base.storeBytes(of: Double(value), as: Double.self)
    } else {
      buffer.base.storeBytes(of: value, as: Float.self)
    }
  }

  /// A named output of the last run, as float32.
  ///
  /// - Precondition: the output holds real numbers.
  public func read(_ name: String) -> Tensor<Float> {
    let (planned, buffer) = output(name)
    precondition(planned.elementType.isFloatingPoint, "output \(name) holds \(planned.elementType)")
    return Tensor(
      planned.shape,
      NumberBuffer(buffer, session.device.realType, count: planned.shape.count).read())
  }

  /// A named output of the last run, in double precision.
  public func readDouble(_ name: String) -> [Double] {
    let (planned, buffer) = output(name)
    precondition(planned.elementType.isFloatingPoint, "output \(name) holds \(planned.elementType)")
    return NumberBuffer(buffer, session.device.realType, count: planned.shape.count).read()
  }

  /// A scalar output of the last run. Allocates nothing.
  public func scalar(_ name: String) -> Float {
    let (planned, buffer) = output(name)
    precondition(planned.shape == .scalar, "output \(name) is no scalar but \(planned.shape)")
    return session.device.realType == .float64
      ? Float(buffer.base.load(as: Double.self)) : buffer.base.load(as: Float.self)
  }

  private func input(_ name: String) -> (PlannedBuffer, AlignedBuffer) {
    guard let id = plan.inputs[name] else { preconditionFailure("the plan has no input \(name)") }
    return (plan.buffers[id.index], buffer(id))
  }

  private func output(_ name: String) -> (PlannedBuffer, AlignedBuffer) {
    guard let id = plan.outputs[name] else { preconditionFailure("the plan has no output \(name)") }
    return (plan.buffers[id.index], buffer(id))
  }

  private func buffer(_ id: BufferID) -> AlignedBuffer {
    guard let buffer = boundary[id] else {
      preconditionFailure("buffer \(id.index) is neither an input nor an output")
    }
    return buffer
  }
}

extension UnsafeMutableRawBufferPointer {
  /// All bits set: NaN as a number of any type, -1 as a label.
  fileprivate func poison() { for index in indices { self[index] = 0xFF } }
}
