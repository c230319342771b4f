#if ONNX
  import ResidualGraphs

  extension ONNXImport {
    /// What an operand stands for.
    func meaning(_ index: Int, of node: Node) throws(ONNXProblem) -> Meaning {
      guard node.has(index) else {
        throw .wrongOperands(
          count: node.operands.count, operator: node.kind, node: node.name)
      }
      guard let meaning = meanings[node.operands[index]] else {
        throw .undefinedValue(node.operands[index], node: node.name)
      }
      return meaning
    }

    /// What a name stands for after all nodes, `nil` if nothing has made it.
    package func meaning(of name: String) -> Meaning? { meanings[name] }

    /// An operand as a value of the graph; a constant becomes a slot.
    mutating func activation(
      _ index: Int, of node: Node, as role: StateSlot.Role = .parameter, isTrained: Bool = true
    ) throws(ONNXProblem) -> Activation {
      switch try meaning(index, of: node) {
      case .activation(let activation): return activation
      case .constant(let tensor):
        guard tensor.kind == .reals else { throw node.wrongKind(index) }
        return try slot(node.operands[index], tensor, role, isTrained: isTrained)
      case .extents: throw node.wrongKind(index)
      }
    }

    mutating func slot(
      _ name: String, _ tensor: ONNXTensor, _ role: StateSlot.Role, isTrained: Bool
    ) throws(ONNXProblem) -> Activation {
      if let known = slots[name] { return known }
      guard !Self.isReserved(name) else { throw .reservedName(name) }
      // New numbers are drawn only for a classifier of other classes.
      let value = graph.state(
        StateSlot(
          name: name, shape: tensor.shape, role: role,
          initialValue: tensor.shape.rank > 1
            ? .normal(standardDeviation: 0.01) : .constant(0),
          trainable: role == .parameter && isTrained, decayed: role == .parameter && isTrained))
      constants[name] = tensor
      let activation = Activation(
        value: value, shape: tensor.shape, places: Array(0..<tensor.shape.rank),
        carriesBatch: false)
      slots[name] = activation
      return activation
    }

    /// Compared byte by byte: a mark after a prefix would hide it from a comparison of characters.
    private static func isReserved(_ name: String) -> Bool {
      name.isEmpty
        || ["momentum/", "preprocessing.", "trainer.", "__"].contains {
          name.utf8.starts(with: $0.utf8)
        }
        || [LossScaling.scaleSlot, LossScaling.stepsSlot].contains(name)
    }

    /// An operand of integers that are all known.
    func integers(_ index: Int, of node: Node) throws(ONNXProblem) -> [Int] {
      guard case .extents(let extents, _) = try meaning(index, of: node) else {
        throw node.wrongKind(index)
      }
      var result: [Int] = []
      for extent in extents {
        guard case .known(let number) = extent else { throw node.wrongKind(index) }
        result.append(number)
      }
      return result
    }

    /// The number of an operand that is a constant of one real, `nil` if it is something else.
    func number(_ index: Int, of node: Node) throws(ONNXProblem) -> Float? {
      guard case .constant(let tensor) = try meaning(index, of: node), tensor.kind == .reals,
        Shape.checkedCount(tensor.shape.extents) == 1
      else { return nil }
      return tensor.reals.first
    }
  }
#endif
