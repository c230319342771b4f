@_exported import ResidualExecution

/// The oracle: every operation as its formula says, in double precision, one node a step.
///
/// It is written to be read, and runs on one thread. Other devices are tested against it.
public struct ReferenceDevice: Device {
  /// A device that holds no state and every machine can offer.
  public init() {}

  public var realType: ElementType { .float64 }

  /// Makes one step of each node that an output or a binding needs.
  ///
  /// Slots take their new values after all other steps, so that every node reads the old ones.
  /// Nothing is kept from run to run.
  /// - Throws: ``ShapeError``.
  /// - Complexity: O(nodes).
  public func prepare(_ graph: Graph, inputs: [String: Shape], keepsDerived: Bool) throws
    -> Plan<Step>
  {
    var lowering = try ReferenceLowering(graph, inputs: inputs)
    return lowering.plan()
  }

  public func run(
    _ steps: [Step], of plan: Plan<Step>, in memory: Memory, recording: inout NoRecording?,
    times: StepTimes?
  ) {
    times?.begin()
    for (index, step) in steps.enumerated() {
      step.run(in: memory)
      times?.end(index)
    }
  }
}

/// Turns a graph into a plan: one step of each node that an output or a binding needs. Slots take
/// their new values after all other steps, and nothing is derived ahead of a run.
private struct ReferenceLowering: PlanLowering {
  let graph: Graph
  let shapes: [[Shape]]
  var builder = PlanBuilder<ReferenceDevice.Step>()
  var border: PlanBorder
  var realType: ElementType { .float64 }
  private var buffers: [Value: BufferID] = [:]

  init(_ graph: Graph, inputs: [String: Shape]) throws(ShapeError) {
    self.graph = graph
    shapes = try graph.shapes(inputs: inputs)
    border = try PlanBorder(graph, shapes)
  }

  mutating func plan() -> Plan<ReferenceDevice.Step> {
    declareBorder()
    for (index, isNeeded) in graph.neededNodes().enumerated() where isNeeded {
      lower(graph.nodes[index], index)
    }
    finishBorder()
    return builder.finish()
  }

  private mutating func lower(_ node: Node, _ index: Int) {
    guard !node.operation.isGiven else { return }
    let operands = node.operands.map(tensor)
    let results = (0..<node.operation.resultCount).map { result in
      let value = Value(node: index, result: result)
      buffers[value] = bufferAtBorder(value) ?? temporary(value)
      return tensor(value)
    }
    let read = operands.enumerated().filter {
      !node.operation.readsOnlyShape(ofOperand: $0.offset)
    }
    builder.append(
      ReferenceDevice.Step(work: .evaluate(node.operation), operands: operands, results: results),
      touching: (read.map(\.element) + results).map(\.buffer))
  }

  private mutating func temporary(_ value: Value) -> BufferID {
    let node = graph.nodes[value.node]
    let type = node.operation.elementType
    return builder.temporary(
      node.path + (value.result == 0 ? "" : ".\(value.result)"), shape(value), type,
      byteCount: byteCount(shape(value), type))
  }

  private func tensor(_ value: Value) -> PlannedTensor { tensor(value, operand(value)) }

  private func tensor(_ value: Value, _ buffer: BufferID) -> PlannedTensor {
    PlannedTensor(
      buffer: buffer, shape: shape(value),
      elementType: graph.nodes[value.node].operation.elementType)
  }

  // MARK: The border

  mutating func note(_ value: Value, in buffer: BufferID) { buffers[value] = buffer }

  func operand(_ value: Value) -> BufferID {
    guard let buffer = buffers[value] else {
      preconditionFailure("\(graph.nodes[value.node].path) is read before it is computed")
    }
    return buffer
  }

  mutating func appendCopy(of value: Value, from source: BufferID, to target: BufferID) {
    builder.append(
      ReferenceDevice.Step(
        work: .copy, operands: [tensor(value, source)], results: [tensor(value, target)]),
      touching: [source, target])
  }
}
