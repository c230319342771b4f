import ResidualGraphs
import ResidualTensors

extension Graph {
  /// What is wrong with a graph, as the first thing found; `nil` for every graph that the rewrites
  /// make. It is for tests: devices take what they are given.
  ///
  /// No two nodes share a path. Inputs and slots have one node each, which their names lead to.
  /// Operands, outputs and bindings are results that exist, and operands come before their node.
  /// The forward pass reads nothing of another one, and what is repeated nothing of gradients. For
  /// inputs of given shapes all shapes fit, those of bindings too.
  ///
  /// - Complexity: O(nodes + edges).
  package func violation(inputs inputShapes: [String: Shape]? = nil) -> String? {
    var paths: Set<String> = []
    for (index, node) in nodes.enumerated() {
      guard paths.insert(node.path).inserted, value(at: node.path) == Value(node: index) else {
        return "\(node.path) is the path of two nodes"
      }
      if let fault = fault(of: node, at: index) { return "\(node.path): \(fault)" }
    }
    for slot in slots where value(ofSlot: slot.name) == nil {
      return "slot \(slot.name) has no node"
    }
    for (name, value) in outputs where !exists(value) { return "output \(name) is no value" }
    for (slot, value) in bindings {
      guard let old = self.value(ofSlot: slot) else { return "slot \(slot) is not declared" }
      guard exists(value) else { return "slot \(slot) is bound to no value" }
      guard nodes[value.node].operation.elementType == nodes[old.node].operation.elementType else {
        return "slot \(slot) is bound to a \(nodes[value.node].operation.elementType)"
      }
    }
    return inputShapes.flatMap(misfit)
  }

  private func exists(_ value: Value, before end: Int = .max) -> Bool {
    0..<min(end, nodes.count) ~= value.node
      && 0..<nodes[value.node].operation.resultCount ~= value.result
  }

  private func fault(of node: Node, at index: Int) -> String? {
    for operand in node.operands {
      guard exists(operand, before: index) else { return "\(operand) is no earlier value" }
      let read = nodes[operand.node]
      let isInOrder =
        switch node.pass {
        case .forward: read.pass == .forward
        case .repeated: read.pass == .forward || read.pass == .repeated
        case .backward, .update: true
        }
      guard isInOrder else { return "\(node.pass) reads \(read.path) of \(read.pass)" }
    }
    let own = Value(node: index)
    return switch node.operation {
    case .input(let input): value(ofInput: input.name) == own ? nil : "a second node of the input"
    case .state(let state): value(ofSlot: state.slot) == own ? nil : "a second node of the slot"
    default: nil
    }
  }

  private func misfit(_ inputs: [String: Shape]) -> String? {
    do {
      let shapes = try shapes(inputs: inputs)
      for (slot, value) in bindings {
        let (old, new) = (self.value(ofSlot: slot), shapes[value.node][value.result])
        guard let old, shapes[old.node][0] == new else {
          return "slot \(slot) is bound to a value of \(new)"
        }
      }
      return nil
    } catch {
      return error.reason
    }
  }
}
