import ResidualExecution

// The graph's border: slots, inputs, outputs, and what slots hold afterwards.
extension CUDALowering {
  mutating func declareSlotsAndInputs() {
    let changing = Set(graph.bindings.map(\.slot))
    for slot in graph.slots {
      let buffer = builder.state(slot, byteCount: slot.shape.count * 4)
      slotBuffers[slot.name] = buffer
      if !changing.contains(slot.name) { constants.insert(buffer) }
    }
    for (index, node) in graph.nodes.enumerated() {
      let value = Value(node: index)
      switch node.operation {
      case .input(let input):
        let type: ElementType = input.elementType.isFloatingPoint ? .float32 : input.elementType
        let buffer = builder.boundary(
          input.name, shape(value), input.elementType, byteCount: shape(value).count * type.size)
        builder.nameInput(input.name, buffer)
        note(value, buffer, type)
      case .state(let state):
        if let buffer = slotBuffers[state.slot] { note(value, buffer, .float32) }
      default: break
      }
    }
    setAsideGivenValues()
  }

  func isGiven(_ value: Value) -> Bool {
    switch graph.nodes[value.node].operation {
    case .input, .state: true
    default: false
    }
  }

  /// Copies what is given and named as a result, before anything can change it.
  mutating func setAsideGivenValues() {
    for (_, value) in graph.outputs where isGiven(value) && copies[value] == nil {
      let type = graph.nodes[value.node].operation.elementType
      let byteCount = shape(value).count * type.size
      let copy = builder.boundary(
        graph.nodes[value.node].path, shape(value), type, byteCount: byteCount)
      copies[value] = copy
      appendCopy(value, to: copy, byteCount: byteCount)
    }
    for (_, value) in graph.bindings where isGiven(value) && copies[value] == nil {
      let copy = temporary(graph.nodes[value.node].path, shape(value), .float32)
      copies[value] = copy
      appendCopy(value, to: copy, byteCount: shape(value).count * 4)
    }
  }

  mutating func finishOutputs() {
    for (name, value) in graph.outputs {
      if let copy = copies[value] {
        builder.nameOutput(name, copy)
        continue
      }
      let (own, shape) = (storage(value), shape(value))
      if own.type == .float32, packedGradients[value] == nil {
        builder.nameOutput(name, own.buffer)
        continue
      }
      let output = builder.boundary(
        graph.nodes[value.node].path, shape, .float32, byteCount: shape.count * 4)
      let source = operand(value, as: .float32)
      append(
        .copy(from: source, to: output, byteCount: shape.count * 4), graph.nodes[value.node].path,
        touching: [source, output])
      copies[value] = output
      builder.nameOutput(name, output)
    }
  }

  mutating func finishBindings() {
    for (slot, value) in graph.bindings where inPlace[value] != slot {
      guard let target = slotBuffers[slot] else { preconditionFailure("no slot \(slot)") }
      let source = copies[value] ?? operand(value, as: .float32)
      let byteCount = shape(value).count * 4
      append(
        .copy(from: source, to: target, byteCount: byteCount), graph.nodes[value.node].path,
        touching: [source, target])
    }
  }

  mutating func appendCopy(_ value: Value, to target: BufferID, byteCount: Int) {
    let source = storage(value).buffer
    append(
      .copy(from: source, to: target, byteCount: byteCount), graph.nodes[value.node].path,
      touching: [source, target])
  }
}
