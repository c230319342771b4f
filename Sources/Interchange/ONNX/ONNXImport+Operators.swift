#if ONNX
  import ResidualGraphs

  extension ONNXImport {
    /// What a node's result is.
    ///
    /// - Throws: ``ONNXProblem``.
    mutating func meaning(of node: Node) throws(ONNXProblem) -> Meaning {
      switch node.kind {
      case "Constant", "ConstantOfShape", "Shape", "Gather", "Cast": return try constant(node)
      case "Identity", "Dropout":
        // Dropout does nothing in inference, which its third operand may say.
        if node.kind == "Dropout", node.has(2) {
          guard case .extents([.known(0)], _) = try meaning(2, of: node) else {
            throw node.unsupported("training_mode")
          }
        }
        return try renamed(meaning(0, of: node), by: node)
      default: break
      }
      if let extents = try extents(node) { return extents }
      return .activation(try result(of: node))
    }

    /// A meaning under another name. A constant becomes another slot with its own numbers.
    mutating func renamed(_ meaning: Meaning, by node: Node) throws(ONNXProblem) -> Meaning {
      if case .constant(let tensor) = meaning { try count(generated: tensor.shape, by: node) }
      return meaning
    }

    private mutating func result(of node: Node) throws(ONNXProblem) -> Activation {
      switch node.kind {
      case "Conv": try convolution(node)
      case "BatchNormalization": try batchNormalization(node)
      case "Gemm": try generalProduct(node)
      case "MatMul": try matrixProduct(node)
      case "MaxPool": try maxPooling(node)
      case "AveragePool": try averagePooling(node)
      case "GlobalAveragePool": try globalAveragePooling(node)
      case "ReduceMean": try mean(node)
      case "Relu": try pointwise(.relu(.init()), node)
      case "Sigmoid": try pointwise(.sigmoid(.init()), node)
      case "Clip": try clip(node)
      case "Add", "Sum": try sum(node)
      case "Sub": try difference(node)
      case "Mul": try product(node)
      case "Div": try quotient(node)
      case "Softmax": try softmax(node)
      case "Flatten": try flatten(node)
      case "Reshape": try reshape(node)
      case "Squeeze": try squeeze(node)
      case "Unsqueeze": try unsqueeze(node)
      case "Transpose": try transpose(node)
      case "Concat": try concatenation(node)
      case "Slice": try slice(node)
      case "Pad": try pad(node)
      default: throw .unsupportedOperator(node.kind, node: node.name)
      }
    }
  }
#endif
