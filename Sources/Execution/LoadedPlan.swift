/// A plan with memory for its inputs and outputs.
public final class LoadedPlan<D: Device> {
  /// The plan as the device has prepared it.
  public let plan: Plan<D.Step>
  private let session: Session<D>
  private let boundary: [BufferID: BoundaryBuffer]
  private let inputs: [BoundaryBuffer], outputs: [BoundaryBuffer]
  private let addresses: AlignedBuffer
  private let derived: any DeviceBuffer
  /// The store's version that the preparation has seen.
  private var preparedVersion = -1
  /// Where the arena was in the last run.
  private var workspace: WorkspaceAddresses?
  // What the device keeps between runs, as long as no address changes.
  private var preparationRecording: D.Recording?
  private var recording: D.Recording?

  init(_ plan: Plan<D.Step>, session: Session<D>) throws(AllocationError) {
    self.plan = plan
    self.session = session
    addresses = try AlignedBuffer(
      byteCount: plan.buffers.count * MemoryLayout<UnsafeMutableRawPointer>.stride)
    var boundary: [BufferID: BoundaryBuffer] = [:]
    for (index, buffer) in plan.buffers.enumerated() {
      if case .boundary = buffer.location {
        boundary[BufferID(index: index)] = try BoundaryBuffer(buffer, on: session.device)
      }
    }
    self.boundary = boundary
    let given = Set(plan.inputs.values)
    inputs = given.compactMap { boundary[$0] }
    outputs = Set(plan.outputs.values).subtracting(given).compactMap { boundary[$0] }
    derived = try session.device.allocate(byteCount: plan.derivedByteCount, for: .workspace)
    // Addresses outside the arena never change.
    let table = addresses.elements(of: UnsafeMutableRawPointer.self)
    for (index, buffer) in plan.buffers.enumerated() {
      switch buffer.location {
      case .arena: break
      case .derived(let offset): table[index] = derived.base + offset
      case .boundary: table[index] = self.buffer(BufferID(index: index)).base
      case .state(let name): table[index] = session.store.buffer(name).base
      }
    }
  }

  /// Runs the plan once. The device may still be at work when the call returns; reading waits.
  ///
  /// - Parameter times: takes the time of every step.
  public func run(times: StepTimes? = nil) {
    guard let memory = currentMemory() else { return }
    for input in inputs { input.beginRun() }
    if !plan.preparation.isEmpty, preparedVersion != session.store.version {
      session.device.run(
        plan.preparation, of: plan, in: memory, recording: &preparationRecording, times: nil)
      preparedVersion = session.store.version
    }
    session.device.run(plan.steps, of: plan, in: memory, recording: &recording, times: times)
    for output in outputs { output.noteChange() }
    guard plan.changesState else { return }
    // The preparation reads no slot that the plan changes.
    let isPrepared = preparedVersion == session.store.version
    session.store.noteChange()
    if isPrepared { preparedVersion = session.store.version }
  }

  /// The addresses of all buffers; `nil` if there are none. Loading a larger plan into the session
  /// may have moved the arena, which makes recordings void.
  private func currentMemory() -> Memory? {
    let current = session.workspace
    let table = addresses.elements(of: UnsafeMutableRawPointer.self)
    if workspace != current {
      for index in plan.buffers.indices {
        if case .arena(let offset) = plan.buffers[index].location {
          table[index] = current.arena + offset
        }
      }
      (preparationRecording, recording) = (nil, nil)
      workspace = current
    }
    return table.baseAddress.map { Memory(addresses: $0, scratch: current.scratch) }
  }

  /// Fills everything that a run must write before it reads with bytes that are NaN as numbers:
  /// the arena, scratch memory and outputs. For tests.
  package func poison() {
    session.poisonWorkspace()
    for output in outputs { output.poison() }
  }

  // MARK: Inputs and outputs

  /// The elements of an input, to be filled before a run.
  public func withInput<Element, Result>(
    _ name: String, of type: Element.Type, _ body: (UnsafeMutableBufferPointer<Element>) -> Result
  ) -> Result {
    let input = input(name)
    let count = input.planned.shape.count
    precondition(
      MemoryLayout<Element>.stride * count == input.planned.byteCount,
      "input \(name) does not hold \(type)")
    return body(
      UnsafeMutableBufferPointer(start: input.write().assumingMemoryBound(to: type), count: count))
  }

  /// Fills an input of real numbers.
  public func write(_ values: [Float], to name: String) { fill(name, with: values) }

  /// Fills an input of real numbers, rounded to float32 where the device is less exact.
  public func write(_ values: [Double], to name: String) { fill(name, with: values) }

  private func fill<Number: BinaryFloatingPoint>(_ name: String, with values: [Number]) {
    let input = input(name)
    let planned = input.planned
    precondition(planned.elementType.isFloatingPoint, "input \(name) holds \(planned.elementType)")
    precondition(
      values.count == planned.shape.count, "\(values.count) numbers for \(name) of \(planned.shape)"
    )
    NumberBuffer(input.write(), session.device.realType, count: values.count).write(values)
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
    let input = input(name)
    precondition(
      input.planned.shape == .scalar, "input \(name) is no scalar but \(input.planned.shape)")
    if session.device.realType == .float64 {
      input.write().storeBytes(of: Double(value), as: Double.self)
    } else {
      input.write().storeBytes(of: value, as: Float.self)
    }
  }

  /// A named output of the last run, as float32.
  ///
  /// - Precondition: the output holds real numbers.
  public func read(_ name: String) -> Tensor<Float> {
    Tensor(output(name).planned.shape, numbers(name))
  }

  /// A named output of the last run, in double precision.
  public func readDouble(_ name: String) -> [Double] { numbers(name) }

  private func numbers<Number: BinaryFloatingPoint>(_ name: String) -> [Number] {
    let output = output(name)
    let planned = output.planned
    precondition(planned.elementType.isFloatingPoint, "output \(name) holds \(planned.elementType)")
    return NumberBuffer(output.read(), session.device.realType, count: planned.shape.count).read()
  }

  /// A scalar output of the last run. Allocates nothing.
  public func scalar(_ name: String) -> Float {
    let output = output(name)
    precondition(
      output.planned.shape == .scalar, "output \(name) is no scalar but \(output.planned.shape)")
    return session.device.realType == .float64
      ? Float(output.read().load(as: Double.self)) : output.read().load(as: Float.self)
  }

  /// Reads a named output of the last run into as many numbers. Allocates nothing.
  public func read(_ name: String, into numbers: inout [Float]) {
    let output = output(name)
    precondition(
      output.planned.shape.count == numbers.count,
      "\(numbers.count) numbers of output \(name) of \(output.planned.shape)")
    let source = output.read()
    let isDouble = session.device.realType == .float64
    for index in numbers.indices {
      numbers[index] =
        isDouble
        ? Float(source.assumingMemoryBound(to: Double.self)[index])
        : source.assumingMemoryBound(to: Float.self)[index]
    }
  }

  /// Waits until a named output of the last run can be read.
  public func wait(for name: String) { _ = output(name).read() }

  private func input(_ name: String) -> BoundaryBuffer {
    guard let id = plan.inputs[name] else { preconditionFailure("the plan has no input \(name)") }
    return buffer(id)
  }

  private func output(_ name: String) -> BoundaryBuffer {
    guard let id = plan.outputs[name] else { preconditionFailure("the plan has no output \(name)") }
    return buffer(id)
  }

  private func buffer(_ id: BufferID) -> BoundaryBuffer {
    guard let buffer = boundary[id] else {
      preconditionFailure("buffer \(id.index) is neither an input nor an output")
    }
    return buffer
  }
}
