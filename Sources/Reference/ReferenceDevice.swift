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
    let needed = graph.pruned()
    let shapes = try needed.shapes(inputs: inputs)
    var planning = Planning(device: self, graph: needed, slots: graph.slots)
    for (index, node) in needed.nodes.enumerated() {
      planning.add(node, at: index, shapes: shapes[index])
    }
    for input in graph.inputs where needed.value(ofInput: input.name) == nil {
      // Nothing reads it, but it can be written all the same.
      guard let shape = inputs[input.name] else {
        throw ShapeError("input '\(input.name)' has no shape")
      }
      planning.addInput(input, shape: shape)
    }
    planning.addOutputs()
    try planning.addBindings()
    planning.builder.changesState = !graph.bindings.isEmpty
    return planning.builder.finish()
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

/// A plan in the making: where each value of the graph lies.
private struct Planning {
  let device: ReferenceDevice
  let graph: Graph
  var builder = PlanBuilder<ReferenceDevice.Step>()
  private var slots: [String: PlannedTensor] = [:]
  private var tensors: [Value: PlannedTensor] = [:]
  /// The values that are computed straight into an output's memory.
  private let outputValues: Set<Value>

  init(device: ReferenceDevice, graph: Graph, slots: [StateSlot]) {
    self.device = device
    self.graph = graph
    outputValues = Set(graph.outputs.map(\.value))
    for slot in slots {
      let buffer = builder.state(slot, byteCount: device.byteCount(slot.shape, .float32))
      self.slots[slot.name] = PlannedTensor(
        buffer: buffer, shape: slot.shape, elementType: .float32)
    }
  }

  mutating func add(_ node: Node, at index: Int, shapes: [Shape]) {
    switch node.operation {
    case .input(let input):
      tensors[Value(node: index)] = addInput(input, shape: shapes[0])
    case .state(let state):
      tensors[Value(node: index)] = slots[state.slot]
    default:
      let operands = node.operands.map { tensor(of: $0) }
      let results = shapes.enumerated().map { result, shape in
        let value = Value(node: index, result: result)
        let path = node.path + (result == 0 ? "" : ".\(result)")
        let tensor = allocate(
          path, shape, node.operation.elementType, isOutput: outputValues.contains(value))
        tensors[value] = tensor
        return tensor
      }
      let read = operands.enumerated().filter {
        !node.operation.readsOnlyShape(ofOperand: $0.offset)
      }
      builder.append(
        ReferenceDevice.Step(work: .evaluate(node.operation), operands: operands, results: results),
        touching: (read.map(\.element) + results).map(\.buffer))
    }
  }

  @discardableResult
  mutating func addInput(_ input: Operation.Input, shape: Shape) -> PlannedTensor {
    let tensor = allocate(input.name, shape, input.elementType, isOutput: true)
    builder.nameInput(input.name, tensor.buffer)
    return tensor
  }

  /// Names the outputs. Inputs and slots are copied: they may change before the output is read.
  mutating func addOutputs() {
    for (name, value) in graph.outputs {
      let source = tensor(of: value)
      switch graph.nodes[value.node].operation {
      case .input, .state:
        let copy = allocate(name, source.shape, source.elementType, isOutput: true)
        addCopy(from: source, to: copy)
        builder.nameOutput(name, copy.buffer)
      default:
        builder.nameOutput(name, source.buffer)
      }
    }
  }

  /// Moves new values into the slots. Another slot's old value is set aside first, because that
  /// slot may change too.
  mutating func addBindings() throws(ShapeError) {
    var moves: [(from: PlannedTensor, to: PlannedTensor)] = []
    for (slot, value) in graph.bindings {
      guard let slotValue = graph.value(ofSlot: slot) else {
        preconditionFailure("slot \(slot) is not declared")
      }
      let (source, target) = (tensor(of: value), tensor(of: slotValue))
      guard source.shape == target.shape else {
        throw ShapeError("slot '\(slot)' of \(target.shape) is bound to a value of \(source.shape)")
      }
      precondition(
        source.elementType.isFloatingPoint, "slot \(slot) is bound to a \(source.elementType)")
      guard value != slotValue else { continue }
      if case .state = graph.nodes[value.node].operation {
        let aside = allocate(
          slot + ".new", source.shape, source.elementType, isOutput: false)
        addCopy(from: source, to: aside)
        moves.append((aside, target))
      } else {
        moves.append((source, target))
      }
    }
    for move in moves { addCopy(from: move.from, to: move.to) }
  }

  private mutating func addCopy(from source: PlannedTensor, to target: PlannedTensor) {
    builder.append(
      ReferenceDevice.Step(work: .copy, operands: [source], results: [target]),
      touching: [source.buffer, target.buffer])
  }

  private mutating func allocate(
    _ path: String, _ shape: Shape, _ elementType: ElementType, isOutput: Bool
  ) -> PlannedTensor {
    let byteCount = device.byteCount(shape, elementType)
    let buffer =
      isOutput
      ? builder.boundary(path, shape, elementType, byteCount: byteCount)
      : builder.temporary(path, shape, elementType, byteCount: byteCount)
    return PlannedTensor(buffer: buffer, shape: shape, elementType: elementType)
  }

  private func tensor(of value: Value) -> PlannedTensor {
    guard let tensor = tensors[value] else {
      preconditionFailure("value \(value) is used before it is computed")
    }
    return tensor
  }
}
