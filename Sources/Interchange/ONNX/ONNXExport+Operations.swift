#if ONNX
  import ResidualGraphs
  import ResidualONNXSchema

  extension ONNXExport {
    /// Writes one node of the graph, and what has become part of it.
    ///
    /// - Throws: ``ONNXExportError``.
    mutating func append(_ index: Int) throws(ONNXExportError) {
      let node = graph.nodes[index]
      let (result, operands, path) = (Value(node: index), node.operands, node.path)
      if let fusion = fusions[index] { return try append(fusion, as: result) }
      switch node.operation {
      case .convolution(let convolution):
        let inputs = [try name(operands[0], .channelsFirst), try name(operands[1])]
        append(convolution, inputs, filter: shape(operands[1]), path: path, as: result)
      case .matrixProduct(let product): try append(product, node, as: result)
      case .batchNormalization(let normalization): try append(normalization, node, as: result)
      case .add: try append("Add", node, as: result)
      case .subtract: try append("Sub", node, as: result)
      case .multiply: try append("Mul", node, as: result)
      case .relu: try append("Relu", node, as: result)
      case .sigmoid: try append("Sigmoid", node, as: result)
      case .scale(let scale):
        let layout = layout(operands)
        let factor = try floats([scale.factor], [], path: path + ".factor")
        set(result, add("Mul", [try name(operands[0], layout), factor], path: path), layout)
      case .addBias: try appendBias(node, as: result)
      case .maxPooling(let pooling): try append(pooling, node, as: result)
      case .averagePooling(let pooling): try append(pooling, node, as: result)
      case .globalAveragePooling:
        let input = try name(operands[0], .channelsFirst)
        let pooled = add("GlobalAveragePool", [input], path: path)
        set(result, add("Flatten", [pooled], path: path + ".flatten", [.integer("axis", 1)]))
      case .flatten:
        let input = try name(operands[0], .channelsFirst)
        set(result, add("Flatten", [input], path: path, [.integer("axis", 1)]))
      case .concatenate(let concatenation):
        let layout = layout(operands)
        let axis = place(of: concatenation.axis, layout)
        var inputs: [String] = []
        for operand in operands { inputs.append(try name(operand, layout)) }
        set(result, add("Concat", inputs, path: path, [.integer("axis", axis)]), layout)
      case .slice(let slice): try append(slice, node, as: result)
      case .pad(let padding):
        let layout = layout(operands)
        var before = [Int](repeating: 0, count: shape(result).rank)
        var after = before
        before[place(of: padding.axis, layout)] = padding.before
        after[place(of: padding.axis, layout)] = padding.after
        let padded = try pad(
          try name(operands[0], layout), before: before, after: after, value: padding.value,
          path: path)
        set(result, padded, layout)
      case .softmax(let softmax): try append(softmax, node, as: result)
      case .reshape(let reshape): try append(reshape, node, as: result)
      case .transpose(let transposition):
        let layout = layout(operands)
        let permutation = axes(layout, rank: operands.isEmpty ? 0 : shape(result).rank).map {
          place(of: transposition.permutation[$0], layout)
        }
        let input = try name(operands[0], layout)
        set(
          result, add("Transpose", [input], path: path, [.integers("perm", permutation)]), layout)
      case .broadcast(let broadcast): try append(broadcast, node, as: result)
      case .input, .state, .constant, .assembleImages, .convolutionInputGradient,
        .convolutionFilterGradient, .channelStatistics, .variance, .movingAverage,
        .batchNormalizationSums, .batchNormalizationScaleGradient,
        .batchNormalizationInputGradient, .channelSum, .reluGradient, .sigmoidGradient,
        .maxPoolingGradient, .averagePoolingGradient, .globalAveragePoolingGradient,
        .sliceGradient, .concatenateGradient, .flattenGradient, .reshapeGradient,
        .broadcastGradient, .softmaxGradient, .dropout, .softmaxCrossEntropy,
        .softmaxCrossEntropyGradient, .correctCount, .select, .gradientNorm, .lossScaleUpdate,
        .momentumUpdate:
        throw .notForInference(node: path, operation: node.operation.name)
      }
    }

    /// A node whose operands and result have one shape, and no attributes.
    private mutating func append(
      _ type: String, _ node: Node, as result: Value
    ) throws(ONNXExportError) {
      let layout = layout(node.operands)
      var inputs: [String] = []
      for operand in node.operands { inputs.append(try name(operand, layout)) }
      set(result, add(type, inputs, path: node.path), layout)
    }

    /// A bias `[C]` stands at the end of a shape, or as `[C, 1, 1]` if channels come first.
    private mutating func appendBias(
      _ node: Node, as result: Value
    ) throws(ONNXExportError) {
      let layout = layout([node.operands[0]])
      let bias: String
      let channels = shape(result).channels
      if layout == .graph {
        bias = try name(node.operands[1])
      } else if let slot = graph.slot(of: node.operands[1]) {
        bias = try write(slot: slot, Tensor([channels, 1, 1], tensor(slot).scalars))
      } else {
        let extents = try integers([channels, 1, 1], path: node.path + ".shape")
        bias = add(
          "Reshape", [try name(node.operands[1]), extents], path: node.path + ".reshape")
      }
      let input = try name(node.operands[0], layout)
      set(result, add("Add", [input, bias], path: node.path), layout)
    }

    /// ONNX normalises axis 1, which is that of the channels in images and in `[N, C]`. Elsewhere the
    /// formula stands node by node.
    private mutating func append(
      _ normalization: Operation.BatchNormalization, _ node: Node, as result: Value
    ) throws(ONNXExportError) {
      let path = node.path
      var parts: [String] = []
      for operand in node.operands.dropFirst() { parts.append(try name(operand)) }
      let (mean, variance, scale, shift) = (parts[0], parts[1], parts[2], parts[3])
      let epsilon = normalization.epsilon
      if [2, 4].contains(shape(result).rank) {
        let layout: Layout = shape(result).rank == 4 ? .channelsFirst : .graph
        let input = try name(node.operands[0], layout)
        return set(
          result,
          add(
            "BatchNormalization", [input, scale, shift, mean, variance], path: path,
            [.float("epsilon", epsilon)]), layout)
      }
      let small = try floats([epsilon], [], path: path + ".epsilon")
      let root = add(
        "Sqrt", [add("Add", [variance, small], path: path + ".variance")],
        path: path + ".deviation")
      let factor = add("Div", [scale, root], path: path + ".scale")
      let centred = add("Sub", [try name(node.operands[0]), mean], path: path + ".centred")
      let scaled = add("Mul", [centred, factor], path: path + ".product")
      set(result, add("Add", [scaled, shift], path: path))
    }

    private mutating func append(
      _ product: Operation.MatrixProduct, _ node: Node, as result: Value
    ) throws(ONNXExportError) {
      var inputs: [String] = []
      for (operand, isTransposed) in zip(
        node.operands, [product.transposesLeft, product.transposesRight])
      {
        let input = try name(operand)
        var axes = Array(0..<shape(operand).rank)
        axes.swapAt(axes.count - 1, axes.count - 2)
        inputs.append(
          isTransposed
            ? add(
              "Transpose", [input], path: "\(node.path).operand\(inputs.count)",
              [.integers("perm", axes)]) : input)
      }
      set(result, add("MatMul", inputs, path: node.path))
    }

    /// Before version 13 ONNX normalises over an axis and all after it, so the axis is put last.
    private mutating func append(
      _ softmax: Operation.Softmax, _ node: Node, as result: Value
    ) throws(ONNXExportError) {
      let layout = layout(node.operands)
      let (axis, last) = (place(of: softmax.axis, layout), shape(result).rank - 1)
      var input = try name(node.operands[0], layout)
      guard opset < 13, axis != last else {
        return set(
          result, add("Softmax", [input], path: node.path, [.integer("axis", axis)]), layout)
      }
      var axes = Array(0...last)
      axes.swapAt(axis, last)
      let swap = [Onnx_AttributeProto.integers("perm", axes)]
      input = add("Transpose", [input], path: node.path + ".last", swap)
      input = add("Softmax", [input], path: node.path + ".softmax", [.integer("axis", last)])
      set(result, add("Transpose", [input], path: node.path, swap), layout)
    }
  }
#endif
