import ResidualExecution
import ResidualKernelInterface

/// Turns a graph into a plan for the processor: regions into steps, values into buffers.
struct CPULowering: PlanLowering {
  let graph: Graph
  let shapes: [[Shape]]
  let kernels: any KernelLibrary
  private let keepsDerived: Bool
  let partition: RegionPartition
  var builder = PlanBuilder<CPUStep>()
  var border: PlanBorder
  private var buffers: [Value: BufferID] = [:]
  /// The places of the squares of updates in a tensor that has those of all, by the update.
  private let squaresPlaces: [Int: (all: Value, place: Int)]
  /// Scale and shift of batch normalisations, by node.
  var normalizationCoefficients: [Int: BufferID] = [:]

  /// - Throws: ``ShapeError``.
  init(
    _ graph: Graph, inputs: [String: Shape], kernels: any KernelLibrary, keepsDerived: Bool
  ) throws(ShapeError) {
    self.graph = graph
    self.kernels = kernels
    self.keepsDerived = keepsDerived
    shapes = try graph.shapes(inputs: inputs)
    partition = RegionPartition(graph, shapes: shapes)
    squaresPlaces = graph.gatheredSquares()
    let places = partition.places
    border = try PlanBorder(graph, shapes, inPlace: graph.inPlaceUpdates { places[$0] })
  }

  mutating func plan() -> Plan<CPUStep> {
    declareBorder()
    for region in partition.regions { lower(region) }
    finishBorder()
    return builder.finish()
  }

  // MARK: Buffers

  mutating func note(_ value: Value, in buffer: BufferID) { buffers[value] = buffer }

  func operand(_ value: Value) -> BufferID { buffer(value) }

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
    let buffer =
      bufferAtBorder(value)
      ?? builder.temporary(
        graph.nodes[value.node].path, shape, .float32, byteCount: byteCount(shape, .float32))
    buffers[value] = buffer
    return buffer
  }

  /// Where an update leaves its squares: in the tensor that has those of all, or in one of its own.
  mutating func squares(ofUpdate index: Int) -> (buffer: BufferID, place: Int) {
    guard let (all, place) = squaresPlaces[index] else {
      return (result(Value(node: index, result: 2)), 0)
    }
    return (buffers[all] ?? result(all), place)
  }

  /// Whether updates have left their squares in a value.
  func hasSquares(_ value: Value) -> Bool { buffers[value] != nil }

  /// Appends what depends on `inputs` alone and needs few steps: to the preparation where these are
  /// constant, so that it is not done again in each run.
  ///
  /// - Parameter floats: the size of the result.
  mutating func appendDerived(
    _ node: Node, _ name: String, from inputs: [BufferID], floats: Int,
    _ work: (BufferID) -> any Work
  ) -> BufferID {
    let path = "\(node.path).\(name)"
    guard keepsDerived, inputs.allSatisfy(border.constants.contains) else {
      let output = temporary(path, floats: floats)
      append(work(output), node, touching: inputs + [output])
      return output
    }
    let output = builder.derived(
      path, [floats], .float32, byteCount: floats * MemoryLayout<Float>.stride)
    builder.appendPreparation(CPUStep(of: node, work(output)))
    border.constants.insert(output)
    return output
  }

  /// A buffer for numbers that are no value of the graph.
  mutating func temporary(_ path: String, floats: Int) -> BufferID {
    builder.temporary(
      path, [floats], .float32, byteCount: floats * MemoryLayout<Float>.stride)
  }

  /// Appends the work of a node by itself: of the operands whose elements it reads, into its results.
  mutating func appendWork(
    of node: Node, _ value: Value,
    _ work: (_ operands: [BufferID], _ results: [BufferID]) -> any Work
  ) {
    let operands = node.operands.enumerated()
      .filter { !node.operation.readsOnlyShape(ofOperand: $0.offset) }.map { buffer($0.element) }
    let results = (0..<node.operation.resultCount).map { result(value.result($0)) }
    append(work(operands, results), node, touching: operands + results)
  }

  mutating func append(
    _ work: any Work, _ node: Node, touching buffers: [BufferID?], scratchFloats: Int = 0
  ) {
    builder.append(
      CPUStep(of: node, work), touching: buffers.compactMap { $0 },
      scratchByteCount: scratchFloats * MemoryLayout<Float>.stride)
  }

  mutating func appendCopy(of value: Value, from source: BufferID, to target: BufferID) {
    append(
      Copy(input: source, output: target, byteCount: byteCount(value)), graph.nodes[value.node],
      touching: [source, target])
  }

  func byteCount(_ value: Value) -> Int {
    byteCount(shape(value), graph.nodes[value.node].operation.elementType)
  }
}
