#if ONNX
  import ResidualGraphs

  // Arithmetic of numbers, with the rules of broadcasting, and softmax.

  extension ONNXImport {
    mutating func pointwise(_ operation: Operation, _ node: Node) throws(ONNXProblem)
      -> Activation
    {
      try applied(operation, to: activation(0, of: node), node.name)
    }

    /// Rectification is the only clipping that is understood.
    mutating func clip(_ node: Node) throws(ONNXProblem) -> Activation {
      let low =
        try node.has(1) ? number(1, of: node) : node.real("min", default: -.infinity)
      let high =
        try node.has(2) ? number(2, of: node) : node.real("max", default: .infinity)
      guard low == 0, let high, high >= .greatestFiniteMagnitude else {
        throw node.unsupported("other limits than 0 and infinity")
      }
      return try pointwise(.relu(.init()), node)
    }

    mutating func softmax(_ node: Node) throws(ONNXProblem) -> Activation {
      let input = try activation(0, of: node)
      guard input.rank > 0 else { throw node.unsupported("a scalar") }
      let isRowwise = operatorSet < 13
      let axis = try node.axis(
        try node.integer("axis", default: isRowwise ? 1 : -1), rank: input.rank)
      let isMatrix = isRowwise && input.shape.extents[(axis + 1)...].contains { $0 != 1 }
      guard isMatrix else {
        return try applied(.softmax(.init(axis: input.places[axis])), to: input, node.name)
      }
      // Once the softmax was that of a matrix: all axes from the one that is named are its columns.
      let rows = try matrix(plain(input, node.name), axis, node.name + ".rows")
      let result = try append(.softmax(.init(axis: 1)), [rows], node.name)
      return try reshaped(result, extents(of: input), node.name + ".shape")
    }

    // MARK: Pairs

    mutating func sum(_ node: Node) throws(ONNXProblem) -> Activation {
      guard !node.operands.isEmpty else {
        throw .wrongOperands(count: 0, operator: node.kind, node: node.name)
      }
      guard node.operands.count > 1 else { return try activation(0, of: node) }
      // What follows a product is its bias, and is trained with it.
      var sum = try activation(0, of: node, isTrained: try isProduct(1, of: node))
      for index in 1..<node.operands.count {
        let isBias = try isProduct(0, of: node)
        sum = try added(sum, activation(index, of: node, isTrained: isBias), node)
      }
      return sum
    }

    /// Whether an operand is the product of a matrix or a filter.
    private func isProduct(_ index: Int, of node: Node) throws(ONNXProblem) -> Bool {
      guard case .activation(let activation) = try meaning(index, of: node) else { return false }
      switch graph.nodes[activation.value.node].operation {
      case .convolution, .matrixProduct: return true
      default: return false
      }
    }

    mutating func difference(_ node: Node) throws(ONNXProblem) -> Activation {
      try together(
        activation(0, of: node, isTrained: false), activation(1, of: node, isTrained: false),
        .subtract(.init()), node)
    }

    mutating func product(_ node: Node) throws(ONNXProblem) -> Activation {
      for (index, other) in [(0, 1), (1, 0)] {
        if let factor = try number(index, of: node),
          case .activation(let x) = try meaning(other, of: node)
        {
          return try applied(.scale(.init(factor)), to: x, node.name)
        }
      }
      return try together(
        activation(0, of: node, isTrained: false), activation(1, of: node, isTrained: false),
        .multiply(.init()), node)
    }

    mutating func quotient(_ node: Node) throws(ONNXProblem) -> Activation {
      if try number(1, of: node) == nil, case .constant(let tensor) = try meaning(1, of: node),
        tensor.kind == .reals
      {
        let name = node.operands[1] + ".reciprocal"
        // Divided by before, it is a slot already.
        guard meaning(of: name) == nil,
          let reciprocal = slots[name] == nil ? tensor.reciprocal : tensor
        else { throw node.unsupported("such a divisor") }
        return try together(
          activation(0, of: node, isTrained: false),
          slot(name, reciprocal, .parameter, isTrained: false), .multiply(.init()), node)
      }
      guard let divisor = try number(1, of: node), divisor.isFinite, (1 / divisor).isFinite else {
        throw node.unsupported("a divisor that is not one number")
      }
      return try applied(
        .scale(.init(1 / divisor)), to: activation(0, of: node, isTrained: false), node.name)
    }

    /// The sum of two tensors; if one is a number for each channel, the sum with a bias.
    mutating func added(_ first: Activation, _ second: Activation, _ node: Node)
      throws(ONNXProblem) -> Activation
    {
      let (x, bias) = first.rank >= second.rank ? (first, second) : (second, first)
      if let channel = x.places.firstIndex(of: x.rank - 1), !bias.carriesBatch {
        let channels = x.shape[channel]
        // Of the bias's axes, counted from the last, only the channels' is longer than 1.
        let own = channel - (x.rank - bias.rank)
        let isBias = bias.shape.extents.enumerated().allSatisfy { axis, extent in
          extent == (axis == own ? channels : 1)
        }
        if own >= 0, isBias {
          let flat =
            bias.rank == 1 ? bias : try reshaped(bias, [.fixed(channels)], node.name + ".bias")
          return viewed(try append(.addBias(.init()), [x, flat], node.name), x.places)
        }
      }
      return try together(first, second, .add(.init()), node)
    }

    /// An operation of two tensors of one shape, on tensors that are repeated along axes of extent 1.
    private mutating func together(
      _ first: Activation, _ second: Activation, _ operation: Operation, _ node: Node
    ) throws(ONNXProblem) -> Activation {
      let places = first.rank >= second.rank ? first.places : second.places
      let a = try raised(first, to: places, node)
      let b = try raised(second, to: places, node)
      let operands = [try broadcast(a, to: b, node), try broadcast(b, to: a, node)]
      let result = try append(operation, operands, node.name)
      return viewed(result, places)
    }

    /// A tensor with axes of extent 1 before its own, in an order of axes.
    private mutating func raised(_ x: Activation, to places: [Int], _ node: Node)
      throws(ONNXProblem) -> Activation
    {
      var x = x
      if x.rank < places.count {
        let plain = try plain(x, node.name)
        let missing = places.count - x.rank
        x = try reshaped(
          plain,
          [Operation.Reshape.Extent](repeating: .fixed(1), count: missing) + extents(of: plain),
          node.name + ".raised")
      }
      return try arranged(x, places, node.name)
    }

    /// A tensor repeated along axes of extent 1, as far as another one calls for it. Both have the
    /// same order of axes.
    mutating func broadcast(
      _ x: Activation, to other: Activation, leaving: Int = 0, _ node: Node
    ) throws(ONNXProblem) -> Activation {
      let (mine, theirs) = (x.stored.extents, other.stored.extents)
      let needsNone =
        mine.count >= theirs.count
        && zip(mine.dropLast(leaving).reversed(), theirs.dropLast(leaving).reversed())
          .allSatisfy { $0 == $1 || $1 == 1 }
      guard !needsNone else { return x }
      let result = try append(
        .broadcast(.init(leaving: leaving)), [x, other], node.name + ".broadcast")
      return result.rank == x.rank ? viewed(result, x.places) : result
    }
  }
#endif
