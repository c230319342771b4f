import ResidualGraphs

/// What a network consists of, layer by layer.
package struct NetworkSummary: Sendable {
  /// One operation of the network in inference form, on one image.
  package struct Row: Sendable {
    /// The layer's path, such as `layer1.0.conv1`.
    package let path: String
    /// The operation, such as `convolution`.
    package let operation: String
    /// Of the first result, with a batch of 1: `[1, H, W, C]` or `[1, C]`.
    package let outputShape: Shape
    /// Trained numbers, without running statistics.
    package let parameters: Int
    /// Of one image; 0 for all but convolutions and matrix products.
    package let multiplyAdds: Int
  }

  /// The operations in the order in which they run.
  package let rows: [Row]
  /// Trained numbers in all.
  package var parameters: Int { rows.reduce(0) { $0 + $1.parameters } }
  /// Multiply-adds of one image; the paper calls them FLOPs.
  package var multiplyAdds: Int { rows.reduce(0) { $0 + $1.multiplyAdds } }

  /// Describes a network on one image.
  ///
  /// - Throws: ``ShapeError`` if the network does not fit images of its input side.
  package init(_ network: Network) throws(ShapeError) {
    let graph = network.graph(.inference)
    let shapes = try graph.shapes(inputs: [Network.imagesInput: network.imagesShape(batch: 1)])
    let slots = Dictionary(uniqueKeysWithValues: graph.slots.map { ($0.name, $0) })
    var rows: [Row] = []
    for (node, results) in zip(graph.nodes, shapes) {
      switch node.operation {
      case .input, .state, .constant: continue
      default: break
      }
      let parameters = node.operands.reduce(0) { sum, operand in
        guard let slot = graph.slot(of: operand).flatMap({ slots[$0] }), slot.role == .parameter
        else { return sum }
        return sum + slot.shape.count
      }
      let operands = node.operands.map { shapes[$0.node][$0.result] }
      rows.append(
        Row(
          path: node.path, operation: node.operation.name, outputShape: results[0],
          parameters: parameters,
          multiplyAdds: node.operation.multiplyAdds(operands: operands, results: results)))
    }
    self.rows = rows
  }
}
