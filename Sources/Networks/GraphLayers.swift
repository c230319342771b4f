import ResidualGraphs

/// Layers that are given as a graph, in inference form.
///
/// In the other forms, a normalisation by running statistics becomes one by those of the batch, as
/// ``BatchNormalization`` does it; everything else is the same in every form.
package struct GraphLayers: Layer {
  let graph: Graph
  let classes: Int
  /// The slots of running statistics that one node alone reads, by the nodes that stand for them.
  private let statistics: [Int: String]

  /// - Parameters:
  ///   - graph: from the input ``Network/imagesInput`` to the output ``Network/logitsOutput``.
  ///   - classes: of the logits.
  package init(_ graph: Graph, classes: Int) {
    (self.graph, self.classes) = (graph, classes)
    var statistics: [Int: String] = [:]
    let uses = graph.uses()
    for slot in graph.slots where slot.role == .statistic {
      // One that several nodes read has no single batch to follow.
      if let value = graph.value(ofSlot: slot.name), uses[value.node].count == 1 {
        statistics[value.node] = slot.name
      }
    }
    self.statistics = statistics
  }

  package func lower(_ input: Activation, in lowering: inout NetworkLowering) -> Activation {
    let slots = Dictionary(uniqueKeysWithValues: graph.slots.map { ($0.name, $0) })
    var values: [Value] = []
    for node in graph.nodes {
      let operands = node.operands.map { values[$0.node].result($0.result) }
      switch node.operation {
      case .input: values.append(input.value)
      case .state(let state):
        guard let slot = slots[state.slot] else {
          preconditionFailure("slot \(state.slot) is not declared")
        }
        values.append(lowering.declare(slot))
      case .batchNormalization(let normalization):
        // Statistics that are no slots cannot be updated; they stay what they are.
        guard let mean = statistics[node.operands[1].node],
          let variance = statistics[node.operands[2].node]
        else { fallthrough }
        values.append(
          BatchNormalization.lower(
            operands[0], scale: operands[3], shift: operands[4],
            isFrozen: lowering.areFrozen(
              slots: node.operands[3...4].compactMap(graph.slot)),
            running: .init(meanSlot: mean, varianceSlot: variance), mean: operands[1],
            variance: operands[2], epsilon: normalization.epsilon, path: node.path,
            in: &lowering))
      default: values.append(lowering.graph.append(node.operation, operands, path: node.path))
      }
    }
    guard let logits = graph.output(Network.logitsOutput) else {
      preconditionFailure("the graph has no output \(Network.logitsOutput)")
    }
    return Activation(value: values[logits.node].result(logits.result), channels: classes)
  }
}
