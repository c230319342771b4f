import ResidualExecution
import ResidualKernelInterface

/// Turns a graph into a plan for the processor: regions into steps, values into buffers.
struct GraphLowering {
  let graph: Graph
  let shapes: [[Shape]]
  let kernels: any KernelLibrary
  private let keepsDerived: Bool
  let partition: RegionPartition
  var builder = PlanBuilder<CPUStep>()
  private var buffers: [Value: BufferID] = [:]
  /// Scale and shift of batch normalisations, by node.
  var normalizationCoefficients: [Int: BufferID] = [:]
  private var slotBuffers: [String: BufferID] = [:]
  private var constants: Set<BufferID> = []
  /// Copies of inputs and old slots, made before the first step that could change them.
  private var copies: [Value: BufferID] = [:]
  private let outputValues: Set<Value>
  /// Updates that write their slot in place: the value → the slot.
  private let inPlace: [Value: String]

  /// - Throws: ``ShapeError``.
  init(
    _ graph: Graph, inputs: [String: Shape], kernels: any KernelLibrary, keepsDerived: Bool
  ) throws(ShapeError) {
    self.graph = graph
    self.kernels = kernels
    self.keepsDerived = keepsDerived
    shapes = try graph.shapes(inputs: inputs)
    outputValues = Set(graph.outputs.map(\.value))
    partition = RegionPartition(graph, shapes: shapes)
    let places = partition.places
    inPlace = graph.inPlaceUpdates { places[$0] }
  }

  mutating func plan() -> Plan<CPUStep> {
    declareSlotsAndInputs()
    for region in partition.regions { lower(region) }
    finishOutputs()
    finishBindings()
    builder.changesState = !graph.bindings.isEmpty
    return builder.finish()
  }

  // MARK: Buffers

  func shape(_ value: Value) -> Shape { shapes[value.node][value.result] }

  /// The bytes that a value takes: real numbers are float32, whatever their type in the graph.
  private func byteCount(_ value: Value) -> Int {
    let type = graph.nodes[value.node].operation.elementType
    return shape(value).count * (type.isFloatingPoint ? ElementType.float32.size : type.size)
  }

  /// The buffer of a value that has been computed.
  func buffer(_ value: Value) -> BufferID {
    guard let buffer = buffers[value] else {
      preconditionFailure("\(graph.nodes[value.node].path) is read before it is computed")
    }
    return buffer
  }

  /// The buffer that a value is to be computed into.
  mutating func result(_ value: Value) -> BufferID {
    let shape = shape(value)
    let byteCount = shape.count * MemoryLayout<Float>.stride
    let path = graph.nodes[value.node].path
    let buffer: BufferID
    if outputValues.contains(value) {
      buffer = builder.boundary(path, shape, .float32, byteCount: byteCount)
    } else if let slot = inPlace[value], let slotBuffer = slotBuffers[slot] {
      buffer = slotBuffer
    } else {
      buffer = builder.temporary(path, shape, .float32, byteCount: byteCount)
    }
    buffers[value] = buffer
    return buffer
  }

  /// Whether a buffer holds the same in every run until the store changes: a slot that the plan
  /// leaves alone, or something computed from such slots only.
  func isConstant(_ buffer: BufferID) -> Bool { constants.contains(buffer) }

  /// Appends what depends on `inputs` alone and needs few steps: to the preparation where these are
  /// constant, so that it is not done again in each run.
  ///
  /// - Parameter floats: the size of the result.
  mutating func appendDerived(
    _ path: String, _ name: String, from inputs: [BufferID], floats: Int,
    _ work: (BufferID) -> any Work
  ) -> BufferID {
    guard keepsDerived, inputs.allSatisfy(isConstant) else {
      let output = temporary("\(path).\(name)", floats: floats)
      append(work(output), path, touching: inputs + [output])
      return output
    }
    let output = builder.kept(
      "\(path).\(name)", [floats], .float32, byteCount: floats * MemoryLayout<Float>.stride)
    builder.appendPreparation(CPUStep(path: path, work: work(output)))
    constants.insert(output)
    return output
  }

  /// A buffer for numbers that are no value of the graph.
  mutating func temporary(_ path: String, floats: Int) -> BufferID {
    builder.temporary(
      path, [floats], .float32, byteCount: floats * MemoryLayout<Float>.stride)
  }

  mutating func append(
    _ work: any Work, _ path: String, touching buffers: [BufferID?], scratchFloats: Int = 0
  ) {
    builder.append(
      CPUStep(path: path, work: work), touching: buffers.compactMap { $0 },
      scratchByteCount: scratchFloats * MemoryLayout<Float>.stride)
  }

  // MARK: The graph's border

  private mutating func declareSlotsAndInputs() {
    let changing = Set(graph.bindings.map(\.slot))
    for slot in graph.slots {
      let buffer = builder.state(
        slot, byteCount: slot.shape.count * MemoryLayout<Float>.stride)
      slotBuffers[slot.name] = buffer
      if !changing.contains(slot.name) { constants.insert(buffer) }
    }
    for (index, node) in graph.nodes.enumerated() {
      let value = Value(node: index)
      switch node.operation {
      case .input(let input):
        let buffer = builder.boundary(
          input.name, shape(value), input.elementType, byteCount: byteCount(value))
        builder.nameInput(input.name, buffer)
        buffers[value] = buffer
      case .state(let state):
        buffers[value] = slotBuffers[state.slot]
      default: break
      }
    }
    setAsideGivenValues()
  }

  /// Copies what is given and named as a result, before anything can change it: an input or a slot
  /// that is an output, and a slot whose old value another slot takes over.
  private mutating func setAsideGivenValues() {
    func isGiven(_ value: Value) -> Bool {
      switch graph.nodes[value.node].operation {
      case .input, .state: true
      default: false
      }
    }
    for (_, value) in graph.outputs where isGiven(value) && copies[value] == nil {
      copies[value] = builder.boundary(
        graph.nodes[value.node].path, shape(value),
        graph.nodes[value.node].operation.elementType, byteCount: byteCount(value))
      appendCopy(from: buffer(value), to: copies[value], value)
    }
    for (_, value) in graph.bindings where isGiven(value) && copies[value] == nil {
      copies[value] = builder.temporary(
        graph.nodes[value.node].path, shape(value), .float32,
        byteCount: shape(value).count * MemoryLayout<Float>.stride)
      appendCopy(from: buffer(value), to: copies[value], value)
    }
  }

  private mutating func finishOutputs() {
    for (name, value) in graph.outputs { builder.nameOutput(name, copies[value] ?? buffer(value)) }
  }

  private mutating func finishBindings() {
    for (slot, value) in graph.bindings where inPlace[value] != slot {
      guard let target = slotBuffers[slot] else { preconditionFailure("no slot \(slot)") }
      appendCopy(from: copies[value] ?? buffer(value), to: target, value)
    }
  }

  private mutating func appendCopy(from source: BufferID, to target: BufferID?, _ value: Value) {
    guard let target else { return }
    append(
      Copy(input: source, output: target, byteCount: byteCount(value)),
      graph.nodes[value.node].path, touching: [source, target])
  }
}
