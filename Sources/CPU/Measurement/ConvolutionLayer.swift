import ResidualExecution
import ResidualKernelInterface

/// What a convolution computes; a fully-connected layer is a 1×1 convolution.
package enum ConvolutionDirection: String, CaseIterable, Sendable {
  case output
  case inputGradient
  case filterGradient
}

/// One direction of one convolution or fully-connected layer of a graph.
package struct ConvolutionLayer: Sendable {
  /// The layer's path, such as `layer1.0.conv1`.
  package let path: String
  package let direction: ConvolutionDirection
  /// The extents of the forward convolution, whatever the direction.
  package let extents: ConvolutionExtents
}

extension Graph {
  /// The convolutions and matrix products of a graph, in the order of the nodes.
  ///
  /// - Throws: ``ShapeError`` if the shapes do not fit.
  package func convolutionLayers(inputs: [String: Shape]) throws(ShapeError) -> [ConvolutionLayer] {
    let shapes = try shapes(inputs: inputs)
    return zip(nodes, shapes).compactMap { node, results in
      let operands = node.operands.map { shapes[$0.node][$0.result] }
      guard let (direction, extents) = node.operation.convolution(operands, results[0]) else {
        return nil
      }
      return ConvolutionLayer(path: node.layer, direction: direction, extents: extents)
    }
  }
}

extension Operation {
  fileprivate func convolution(_ operands: [Shape], _ result: Shape)
    -> (ConvolutionDirection, ConvolutionExtents)?
  {
    switch self {
    case .convolution(let convolution):
      (.output, .init(convolution, input: operands[0], filter: operands[1], output: result))
    case .convolutionInputGradient(let gradient):
      (
        .inputGradient,
        .init(gradient.convolution, input: result, filter: operands[1], output: operands[0])
      )
    case .convolutionFilterGradient(let gradient):
      (
        .filterGradient,
        .init(gradient.convolution, input: operands[1], filter: result, output: operands[0])
      )
    case .matrixProduct(let product):
      switch (product.transposesLeft, product.transposesRight) {
      case (false, false):
        (
          .inputGradient,
          .init(rows: result[0], inputs: result[1], outputs: operands[0][1])
        )
      case (true, false):
        (
          .filterGradient,
          .init(rows: operands[0][0], inputs: result[1], outputs: result[0])
        )
      case (let transposesLeft, true):
        (
          .output,
          .init(
            rows: result[0], inputs: operands[0][transposesLeft ? 0 : 1], outputs: result[1])
        )
      }
    default: nil
    }
  }
}

/// The layers of one extents.
package struct ConvolutionGroup: Sendable {
  /// The extents of the forward convolution.
  package let extents: ConvolutionExtents
  /// The first layer's path.
  package let path: String
  /// How many layers there are in each direction; a direction without any is missing.
  package private(set) var counts: [ConvolutionDirection: Int] = [:]

  /// Groups in the order of their first layers.
  package static func groups(of layers: [ConvolutionLayer]) -> [ConvolutionGroup] {
    var groups: [ConvolutionGroup] = []
    var places: [ConvolutionExtents: Int] = [:]
    for layer in layers {
      let place = places[layer.extents] ?? groups.count
      if place == groups.count {
        groups.append(ConvolutionGroup(extents: layer.extents, path: layer.path))
        places[layer.extents] = place
      }
      groups[place].counts[layer.direction, default: 0] += 1
    }
    return groups
  }
}

extension ConvolutionExtents {
  /// Input size, channels, filter and stride: `32×32 16→32 3×3/2`.
  package var text: String {
    "\(inputHeight)×\(inputWidth) \(inputChannels)→\(outputChannels) \(filterHeight)×\(filterWidth)"
      + (strideHeight > 1 ? "/\(strideHeight)" : "")
  }
}
