#if ONNX
  import ResidualGraphs

  // Convolutions, normalisations, products and poolings.

  extension ONNXImport {
    mutating func convolution(_ node: Node) throws(ONNXProblem) -> Activation {
      let input = try images(activation(0, of: node), node)
      let filter = try plain(activation(1, of: node), node.name + ".filter")
      guard filter.rank == 4 else {
        throw node.unsupported("a filter of \(filter.rank) axes")
      }
      let windows = try ONNXWindows(
        node, size: Array(filter.shape.extents[2...]),
        image: [input.shape[2], input.shape[3]])
      guard windows.dilation == (1, 1) else { throw node.unsupported("a dilated filter") }
      let operation = Operation.convolution(
        .init(
          strideHeight: windows.stride.height, strideWidth: windows.stride.width,
          padding: windows.padding))
      let hasBias = node.has(2)
      let products = try grouped(
        operation, input, filter, node, hasBias ? node.name + ".products" : node.name)
      guard hasBias else { return viewed(products, Self.channelsLast(4)) }
      let sum = try append(
        .addBias(.init()), [products, activation(2, of: node)], node.name)
      return viewed(sum, Self.channelsLast(4))
    }

    /// Each group of channels by a convolution of its own; the results lie one after another.
    private mutating func grouped(
      _ operation: Operation, _ input: Activation, _ filter: Activation, _ node: Node,
      _ path: String
    ) throws(ONNXProblem) -> Activation {
      let groups = try node.integer("group", default: 1)
      guard groups != 1 else { return try append(operation, [input, filter], path) }
      let (channels, filters) = (input.shape[1], filter.shape[0])
      guard groups > 1, channels % groups == 0, filters % groups == 0 else {
        throw node.wrong("group")
      }
      try count(groups: groups, by: node)
      func part(_ group: Int, of extent: Int, _ axis: Int) -> Operation {
        let size = extent / groups
        return .slice(.init(axis: axis, start: group * size, end: extent - (group + 1) * size))
      }
      var results: [Activation] = []
      for group in 0..<groups {
        let name = "\(path).\(group)"
        let x = try append(part(group, of: channels, 3), [input], name + ".input")
        let w = try append(part(group, of: filters, 0), [filter], name + ".filter")
        results.append(try append(operation, [x, w], name))
      }
      return try append(.concatenate(.init(axis: 3)), results, path)
    }

    mutating func batchNormalization(_ node: Node) throws(ONNXProblem) -> Activation {
      guard try node.integer("training_mode", default: 0) == 0 else {
        throw node.unsupported("training_mode")
      }
      guard try node.integer("spatial", default: 1) == 1 else {
        throw node.unsupported("a statistic for each pixel")
      }
      let input = try activation(0, of: node)
      guard input.rank >= 2 else { throw node.unsupported("an input without channels") }
      let places = Self.channelsLast(input.rank)
      let x = try arranged(input, places, node.name)
      let scale = try activation(1, of: node)
      let shift = try activation(2, of: node)
      let mean = try activation(3, of: node, as: .statistic)
      let variance = try activation(4, of: node, as: .statistic)
      let result = try append(
        .batchNormalization(
          .init(epsilon: try node.real("epsilon", default: 1e-5), statistics: .fixed)),
        [x, mean, variance, scale, shift], node.name)
      return viewed(result, places)
    }

    /// `α · A · B + β · C`, either matrix perhaps transposed.
    mutating func generalProduct(_ node: Node) throws(ONNXProblem) -> Activation {
      let left = try plain(activation(0, of: node), node.name + ".left")
      let right = try plain(activation(1, of: node), node.name + ".right")
      guard left.rank == 2, right.rank == 2 else {
        throw node.unsupported("operands that are no matrices")
      }
      let transposesLeft = try node.integer("transA", default: 0) != 0
      let transposesRight = try node.integer("transB", default: 0) != 0
      let (alpha, beta) = (try node.real("alpha", default: 1), try node.real("beta", default: 1))
      let hasBias = node.has(2) && beta != 0
      let isLast = !hasBias && alpha == 1
      var product = try append(
        .matrixProduct(
          .init(transposesLeft: transposesLeft, transposesRight: transposesRight)),
        [left, right], isLast ? node.name : node.name + ".product",
        carriesBatch: left.carriesBatch && !transposesLeft)
      if alpha != 1 {
        product = try append(
          .scale(.init(alpha)), [product], hasBias ? node.name + ".scaled" : node.name)
      }
      guard hasBias else { return product }
      var bias = try activation(2, of: node)
      if beta != 1 {
        bias = try append(.scale(.init(beta)), [plain(bias, node.name)], node.name + ".bias")
      }
      return try added(product, bias, node)
    }

    /// The product of matrices that lie in the last two axes; a row or a column counts as a matrix.
    mutating func matrixProduct(_ node: Node) throws(ONNXProblem) -> Activation {
      var left = try plain(activation(0, of: node), node.name + ".left")
      var right = try plain(activation(1, of: node), node.name + ".right")
      guard left.rank > 0, right.rank > 0 else { throw node.unsupported("a scalar") }
      let (isRow, isColumn) = (left.rank == 1, right.rank == 1)
      if isRow { left = try reshaped(left, [.fixed(1), .rest], node.name + ".row") }
      if isColumn { right = try reshaped(right, [.rest, .fixed(1)], node.name + ".column") }
      if left.rank > 2 || right.rank > 2 {
        let outer = (left, right)
        left = try broadcast(left, to: outer.1, leaving: 2, node)
        right = try broadcast(right, to: outer.0, leaving: 2, node)
      }
      let product = try append(
        .matrixProduct(.init()), [left, right], node.name, carriesBatch: left.carriesBatch)
      guard isRow || isColumn else { return product }
      var extents = extents(of: product)
      if isColumn { extents.removeLast() }
      if isRow { extents.remove(at: extents.count - (isColumn ? 1 : 2)) }
      return try reshaped(product, extents, node.name + ".flat")
    }

    // MARK: Pooling

    private func pooling(_ node: Node, _ input: Activation) throws(ONNXProblem)
      -> Operation.MaxPooling
    {
      let windows = try ONNXWindows(
        node, size: nil, image: [input.shape[2], input.shape[3]])
      let (size, padding) = (windows.size, windows.padding)
      guard max(padding.top, padding.bottom) < size.height,
        max(padding.left, padding.right) < size.width
      else { throw node.unsupported("as much padding as a window has pixels") }
      return .init(
        windowHeight: size.height, windowWidth: size.width,
        strideHeight: windows.stride.height, strideWidth: windows.stride.width,
        padding: padding, roundsUp: try node.integer("ceil_mode", default: 0) != 0,
        dilationHeight: windows.dilation.height, dilationWidth: windows.dilation.width)
    }

    mutating func maxPooling(_ node: Node) throws(ONNXProblem) -> Activation {
      let input = try images(activation(0, of: node), node)
      return try applied(.maxPooling(pooling(node, input)), to: input, node.name)
    }

    mutating func averagePooling(_ node: Node) throws(ONNXProblem) -> Activation {
      let input = try images(activation(0, of: node), node)
      let pooling = try pooling(node, input)
      let countsPadding = try node.integer("count_include_pad", default: 0) != 0
      return try applied(
        .averagePooling(.init(countsPadding ? .counting(pooling) : .notCounting(pooling))),
        to: input, node.name)
    }

    mutating func globalAveragePooling(_ node: Node) throws(ONNXProblem) -> Activation {
      try pooledWhole(images(activation(0, of: node), node), node)
    }

    private mutating func pooledWhole(_ input: Activation, _ node: Node) throws(ONNXProblem)
      -> Activation
    {
      try applied(.averagePooling(.init(.adaptive(rows: 1, columns: 1))), to: input, node.name)
    }

    /// A mean over all pixels, the only one that is understood.
    mutating func mean(_ node: Node) throws(ONNXProblem) -> Activation {
      let input = try images(activation(0, of: node), node)
      let given =
        try node.has(1) ? integers(1, of: node) : node.integers("axes") ?? []
      var axes: [Int] = []
      for axis in given { axes.append(try node.axis(axis, rank: 4, attribute: "axes")) }
      guard axes.sorted() == [2, 3] else { throw node.unsupported("a mean over other axes") }
      let pooled = try pooledWhole(input, node)
      guard try node.integer("keepdims", default: 1) == 0 else { return pooled }
      return try flattened(pooled, node.name + ".flat")
    }
  }
#endif
