/// A graph on its way to becoming a plan. What stands here is the same for every device: the border
/// of the plan, which is what a run is given and what it leaves.
///
/// A device calls ``declareBorder()`` before its first step and ``finishBorder()`` after its last.
package protocol PlanLowering {
  associatedtype Step: Sendable

  var graph: Graph { get }
  /// Of every result, as ``Graph/shapes(inputs:)`` gives them.
  var shapes: [[Shape]] { get }
  var builder: PlanBuilder<Step> { get set }
  var border: PlanBorder { get set }

  /// How inputs, outputs and slots hold real numbers; float32 if nothing else is said.
  var realType: ElementType { get }
  /// Says where a value lies that is given.
  mutating func note(_ value: Value, in buffer: BufferID)
  /// The buffer of a value that has been given or computed, in the type of outputs and slots.
  mutating func operand(_ value: Value) -> BufferID
  /// Appends a step that copies all of a value's bytes.
  mutating func appendCopy(of value: Value, from source: BufferID, to target: BufferID)
}

/// Where the values lie that a run is given and leaves.
package struct PlanBorder {
  /// Buffers that hold the same in every run until the store changes: slots that the plan leaves
  /// alone, and what is derived from such slots only.
  package var constants: Set<BufferID> = []
  fileprivate var slots: [String: BufferID] = [:]
  fileprivate var outputs: [Value: BufferID] = [:]
  /// Copies of old values that slots take over.
  fileprivate var setAside: [Value: BufferID] = [:]
  fileprivate let observed: Set<Value>
  fileprivate let inPlace: [Value: String]

  /// - Parameter inPlace: values that may be written over the slot they are bound to, with the slot.
  /// - Throws: ``ShapeError`` if a slot is bound to a value of another shape.
  package init(_ graph: Graph, _ shapes: [[Shape]], inPlace: [Value: String] = [:])
    throws(ShapeError)
  {
    for (slot, value) in graph.bindings {
      guard let old = graph.value(ofSlot: slot) else {
        preconditionFailure("slot \(slot) is not declared")
      }
      let (target, source) = (shapes[old.node][0], shapes[value.node][value.result])
      guard source == target else {
        throw ShapeError("slot '\(slot)' of \(target) is bound to a value of \(source)")
      }
      let type = graph.nodes[value.node].operation.elementType
      precondition(type.isFloatingPoint, "slot \(slot) is bound to a \(type)")
    }
    observed = Set(graph.outputs.map(\.value))
    self.inPlace = inPlace
  }
}

extension PlanLowering {
  package var realType: ElementType { .float32 }

  /// The bytes that a tensor takes at the border.
  package func byteCount(_ shape: Shape, _ type: ElementType) -> Int {
    shape.count * (type.isFloatingPoint ? realType : type).size
  }

  package func shape(_ value: Value) -> Shape { shapes[value.node][value.result] }

  /// Whether a value is a named result.
  package func isOutput(_ value: Value) -> Bool { border.observed.contains(value) }

  /// Declares slots and inputs, and sets aside what a later step could change before it is read: an
  /// input or an old value that is an output, and an old value that another slot takes over.
  package mutating func declareBorder() {
    let changing = Set(graph.bindings.map(\.slot))
    for slot in graph.slots {
      let buffer = builder.state(slot, byteCount: byteCount(slot.shape, .float32))
      border.slots[slot.name] = buffer
      if !changing.contains(slot.name) { border.constants.insert(buffer) }
    }
    for (index, node) in graph.nodes.enumerated() {
      let value = Value(node: index)
      switch node.operation {
      case .input(let input):
        let buffer = makeBoundary(value)
        builder.nameInput(input.name, buffer)
        note(value, in: buffer)
      case .state(let state):
        if let buffer = border.slots[state.slot] { note(value, in: buffer) }
      default: break
      }
    }
    for (_, value) in graph.outputs where isGiven(value) && border.outputs[value] == nil {
      copyToBoundary(value)
    }
    for (slot, value) in graph.bindings where isGiven(value) && border.outputs[value] == nil {
      guard value != graph.value(ofSlot: slot), border.setAside[value] == nil else { continue }
      let copy = builder.temporary(
        graph.nodes[value.node].path, shape(value), .float32,
        byteCount: byteCount(shape(value), .float32))
      border.setAside[value] = copy
      appendCopy(of: value, from: operand(value), to: copy)
    }
  }

  /// Where a value must be computed so that it need not be copied: in an output's memory, or over
  /// the old value of its slot; `nil` if any place is right.
  ///
  /// - Precondition: the device computes the value in the type of outputs and slots.
  package mutating func bufferAtBorder(_ value: Value) -> BufferID? {
    if isOutput(value) {
      let buffer = makeBoundary(value)
      border.outputs[value] = buffer
      return buffer
    }
    return border.inPlace[value].flatMap { border.slots[$0] }
  }

  /// Names the outputs and moves new values into their slots, after every step that reads old ones.
  package mutating func finishBorder() {
    for (name, value) in graph.outputs {
      if border.outputs[value] == nil { copyToBoundary(value) }
      if let buffer = border.outputs[value] { builder.nameOutput(name, buffer) }
    }
    for (slot, value) in graph.bindings where border.inPlace[value] != slot {
      guard let target = border.slots[slot], value != graph.value(ofSlot: slot) else { continue }
      let copy = isGiven(value) ? border.setAside[value] ?? border.outputs[value] : nil
      appendCopy(of: value, from: copy ?? operand(value), to: target)
    }
    builder.changesState = !graph.bindings.isEmpty
  }

  private func isGiven(_ value: Value) -> Bool { graph.nodes[value.node].operation.isGiven }

  private mutating func makeBoundary(_ value: Value) -> BufferID {
    let node = graph.nodes[value.node]
    let (shape, type) = (shape(value), node.operation.elementType)
    return builder.boundary(node.path, shape, type, byteCount: byteCount(shape, type))
  }

  private mutating func copyToBoundary(_ value: Value) {
    let source = operand(value)
    let target = makeBoundary(value)
    border.outputs[value] = target
    appendCopy(of: value, from: source, to: target)
  }
}
