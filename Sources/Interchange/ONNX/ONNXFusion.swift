#if ONNX
  import ResidualGraphs

  /// A convolution, or a product of two matrices, with the nodes after it that ONNX has as parts of
  /// it: each is the only reader of the one before.
  struct ONNXFusion {
    /// The convolution or product.
    let product: Int
    /// The node that adds a bias.
    private(set) var bias: Int?
    /// The batch normalisation that is folded into filter and bias.
    private(set) var normalization: Int?

    /// The nodes that are not written on their own: all but the last.
    var absorbed: [Int] {
      [product] + (normalization == nil ? [] : bias.map { [$0] } ?? [])
    }

    /// The fusions of a graph by their last nodes.
    ///
    /// - Complexity: O(nodes).
    static func all(
      in graph: Graph, _ uses: [[(node: Int, operand: Int)]], _ shapes: [[Shape]],
      foldsNormalization: Bool
    ) -> [Int: ONNXFusion] {
      let outputs = Set(graph.outputs.map(\.value.node))
      func onlyReader(_ node: Int) -> Int? {
        guard !outputs.contains(node), uses[node].count == 1, uses[node][0].operand == 0 else {
          return nil
        }
        return uses[node][0].node
      }
      func areSlots(_ values: some Sequence<Value>) -> Bool {
        values.allSatisfy { graph.slot(of: $0) != nil }
      }
      var fusions: [Int: ONNXFusion] = [:]
      for (index, node) in graph.nodes.enumerated() {
        var fusion = ONNXFusion(product: index)
        var last = index
        switch node.operation {
        case .convolution: break
        case .matrixProduct where shapes[index][0].rank == 2: break
        default: continue
        }
        if let next = onlyReader(last), case .addBias = graph.nodes[next].operation {
          (fusion.bias, last) = (next, next)
        }
        if foldsNormalization, case .convolution = node.operation, let next = onlyReader(last),
          case .batchNormalization = graph.nodes[next].operation,
          areSlots(graph.nodes[next].operands.dropFirst()), areSlots([node.operands[1]]),
          areSlots(fusion.bias.map { [graph.nodes[$0].operands[1]] } ?? [])
        {
          (fusion.normalization, last) = (next, next)
        }
        if last != index { fusions[last] = fusion }
      }
      return fusions
    }
  }

  extension ONNXExport {
    /// A product with its bias and normalisation.
    mutating func append(_ fusion: ONNXFusion, as result: Value) throws(ONNXExportError) {
      let product = graph.nodes[fusion.product]
      let bias = fusion.bias.map { graph.nodes[$0] }
      let path = (bias ?? product).path
      switch product.operation {
      case .convolution(let convolution):
        var inputs = [try name(product.operands[0], .channelsFirst)]
        if let normalization = fusion.normalization {
          inputs += try folded(product, bias, graph.nodes[normalization])
        } else {
          inputs.append(try name(product.operands[1]))
          if let bias { inputs.append(try name(bias.operands[1])) }
        }
        append(convolution, inputs, filter: shape(product.operands[1]), path: path, as: result)
      case .matrixProduct(let matrices):
        guard let bias else { preconditionFailure("\(path) has no bias") }
        let inputs = [
          try name(product.operands[0]), try name(product.operands[1]), try name(bias.operands[1]),
        ]
        set(
          result,
          add(
            "Gemm", inputs, path: path,
            [
              .integer("transA", matrices.transposesLeft ? 1 : 0),
              .integer("transB", matrices.transposesRight ? 1 : 0),
            ]))
      default: preconditionFailure("\(path) is no product")
      }
    }

    /// A convolution of an input, a filter and perhaps a bias.
    mutating func append(
      _ convolution: Operation.Convolution, _ inputs: [String], filter: Shape, path: String,
      as result: Value
    ) {
      let padding = convolution.padding
      let name = add(
        "Conv", inputs, path: path,
        [
          .integers("kernel_shape", [filter[2], filter[3]]),
          .integers("strides", [convolution.strideHeight, convolution.strideWidth]),
          .integers("pads", [padding.top, padding.left, padding.bottom, padding.right]),
        ])
      set(result, name, .channelsFirst)
    }

    /// Filter and bias of a convolution and the normalisation after it, in one:
    ///
    ///     s = scale / √(variance + ε),  filter′ = s · filter,  bias′ = s · (bias − mean) + shift
    ///
    /// computed in double precision.
    private mutating func folded(
      _ convolution: Node, _ addition: Node?, _ normalization: Node
    ) throws(ONNXExportError) -> [String] {
      guard case .batchNormalization(let rule) = normalization.operation,
        let filterSlot = graph.slot(of: convolution.operands[1])
      else { preconditionFailure("\(normalization.path) cannot be folded") }
      let (filter, biasSlot) = (
        tensor(filterSlot), addition.flatMap { graph.slot(of: $0.operands[1]) }
      )
      let bias = biasSlot.map { tensor($0).scalars }
      let parts = normalization.operands.dropFirst().map {
        graph.slot(of: $0).map { tensor($0).scalars } ?? []
      }
      let (mean, variance, scale, shift) = (parts[0], parts[1], parts[2], parts[3])
      let length = filter.shape.count / max(1, filter.shape[0])
      var (numbers, sums) = (filter.scalars, [Float]())
      for k in 0..<filter.shape[0] {
        let factor = Double(scale[k]) / (Double(variance[k]) + Double(rule.epsilon)).squareRoot()
        for index in k * length..<(k + 1) * length {
          numbers[index] = Float(Double(numbers[index]) * factor)
        }
        sums.append(Float((Double(bias?[k] ?? 0) - Double(mean[k])) * factor + Double(shift[k])))
      }
      let layer = filterSlot.hasSuffix(".weight") ? String(filterSlot.dropLast(7)) : filterSlot
      let weight = try write(slot: filterSlot, Tensor(filter.shape, numbers))
      guard let biasSlot else {
        return [weight, try floats(sums, [sums.count], path: layer + ".bias")]
      }
      return [weight, try write(slot: biasSlot, Tensor([sums.count], sums))]
    }
  }
#endif
