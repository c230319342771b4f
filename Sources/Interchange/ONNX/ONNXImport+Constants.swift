#if ONNX
  import ResidualGraphs

  // What a file computes of shapes alone, as exporters write it for `x.view(x.size(0), -1)`.

  extension ONNXImport {
    /// Nodes whose results are constants, or extents.
    mutating func constant(_ node: Node) throws(ONNXProblem) -> Meaning {
      switch node.kind {
      case "Constant": return try literal(node)
      case "ConstantOfShape": return try filled(node)
      case "Shape": return try shape(node)
      case "Gather": return try gathered(node)
      default:
        // A cast between integers, or to the reals that everything is computed in.
        let meaning = try meaning(0, of: node)
        let (float, int32, int64) = (1, 6, 7)
        let type = try node.integer("to", default: 0)
        switch meaning {
        case .extents where type == int32 || type == int64: return meaning
        case .activation where type == float: return meaning
        case .constant(let tensor) where type == float && tensor.kind == .reals:
          return try renamed(meaning, by: node)
        default: throw node.unsupported("this change of type")
        }
      }
    }

    private func literal(_ node: Node) throws(ONNXProblem) -> Meaning {
      if let tensor = try node.tensor("value", hasData: hasData) {
        return meaning(of: tensor)
      }
      if node.gives("value_int") {
        return .extents([.known(try node.integer("value_int", default: 0))], isScalar: true)
      }
      if let numbers = try node.integers("value_ints") {
        guard numbers.count <= Self.maximumExtents else {
          throw node.unsupported("integers that are no shape")
        }
        return .extents(numbers.map { .known($0) }, isScalar: false)
      }
      if node.gives("value_float") {
        return .constant(
          ONNXTensor(filled: try node.real("value_float", default: 0), .scalar))
      }
      throw node.unsupported("a value that is no tensor of numbers")
    }

    private mutating func filled(_ node: Node) throws(ONNXProblem) -> Meaning {
      let extents = try integers(0, of: node)
      guard let count = Shape.checkedCount(extents), Shape(extents).isComputable else {
        throw .wrongShape(tensor: node.name, extents: extents.map { Int64($0) })
      }
      let shape = Shape(extents)
      try self.count(generated: shape, by: node)
      guard let value = try node.tensor("value") else {
        return .constant(ONNXTensor(filled: Float(0), shape))
      }
      guard value.shape.count == 1 else { throw node.wrong("value") }
      switch value.kind {
      case .reals: return .constant(ONNXTensor(filled: value.reals[0], shape))
      case .integers:
        guard shape.rank <= 1, count <= Self.maximumExtents else {
          throw node.unsupported("integers that are no shape")
        }
        let number = Extent.known(Int(value.integers[0]))
        return .extents(
          [Extent](repeating: number, count: count), isScalar: shape.rank == 0)
      }
    }

    private func shape(_ node: Node) throws(ONNXProblem) -> Meaning {
      var extents: [Extent]
      switch try meaning(0, of: node) {
      case .activation(let x):
        extents = x.shape.extents.map { .known($0) }
        if x.carriesBatch { extents[0] = .batch }
      case .constant(let tensor): extents = tensor.shape.extents.map { .known($0) }
      case .extents(let numbers, let isScalar):
        extents = isScalar ? [] : [.known(numbers.count)]
      }
      let part = Self.part(
        from: try node.integer("start", default: 0),
        to: try node.integer("end", default: extents.count), of: extents.count)
      return .extents(Array(extents[part]), isScalar: false)
    }

    private mutating func gathered(_ node: Node) throws(ONNXProblem) -> Meaning {
      if case .activation(let x) = try meaning(0, of: node) {
        return .activation(try gathered(x, node))
      }
      guard case .extents(let numbers, false) = try meaning(0, of: node),
        case .extents(_, let isScalar) = try meaning(1, of: node),
        try node.integer("axis", default: 0) == 0
      else { throw node.unsupported("operands that are no shapes") }
      var result: [Extent] = []
      for index in try integers(1, of: node) {
        guard -numbers.count..<numbers.count ~= index else { throw node.wrongKind(1) }
        result.append(numbers[index < 0 ? index + numbers.count : index])
      }
      return .extents(result, isScalar: isScalar)
    }

    /// The result of an operation of shapes; `nil` if the operands are not of shapes.
    func extents(_ node: Node) throws(ONNXProblem) -> Meaning? {
      guard node.has(0), case .extents(let numbers, let isScalar) = try meaning(0, of: node)
      else { return nil }
      switch node.kind {
      case "Concat":
        var result: [Extent] = []
        for index in node.operands.indices {
          guard case .extents(let part, false) = try meaning(index, of: node) else {
            throw node.wrongKind(index)
          }
          result += part
          guard result.count <= Self.maximumExtents else {
            throw node.unsupported("a shape of \(result.count) axes")
          }
        }
        return .extents(result, isScalar: false)
      case "Unsqueeze" where isScalar: return .extents(numbers, isScalar: false)
      case "Squeeze" where numbers.count == 1: return .extents(numbers, isScalar: true)
      case "Slice" where !isScalar: return try sliced(numbers, node)
      default: throw node.unsupported("integers as operands")
      }
    }

    private func sliced(_ numbers: [Extent], _ node: Node) throws(ONNXProblem) -> Meaning {
      let (starts, ends): ([Int], [Int])
      if operatorSet < 10 {
        starts = try node.integers("starts") ?? []
        ends = try node.integers("ends") ?? []
      } else {
        (starts, ends) = (try integers(1, of: node), try integers(2, of: node))
      }
      let steps = try node.has(4) ? integers(4, of: node) : [1]
      guard starts.count == 1, ends.count == 1, steps == [1] else {
        throw node.unsupported("more than one part")
      }
      let part = Self.part(from: starts[0], to: ends[0], of: numbers.count)
      return .extents(Array(numbers[part]), isScalar: false)
    }
  }
#endif
