#if ONNX
  import ResidualGraphs

  // Other shapes, other orders, parts and margins.

  extension ONNXImport {
    /// The extents of a value in ONNX's order, the batch's as what the others leave.
    func extents(of x: Activation) -> [Operation.Reshape.Extent] {
      x.shape.extents.enumerated().map { axis, extent in
        axis == 0 && x.carriesBatch ? .rest : .fixed(extent)
      }
    }

    /// The numbers of a value, in ONNX's order, in other axes.
    mutating func reshaped(
      _ x: Activation, _ extents: [Operation.Reshape.Extent], _ path: String
    ) throws(ONNXProblem) -> Activation {
      let operation = Operation.reshape(.init(extents))
      let shape: Shape
      do { shape = try operation.resultShapes(of: [x.shape])[0] } catch {
        throw .shapes(error.reason, node: path)
      }
      let carriesBatch =
        x.carriesBatch && x.rank > 0 && shape.rank > 0 && shape[0] == x.shape[0]
        && (extents[0] == .rest || extents[0] == .copied(axis: 0))
      if x.places == Self.channelsLast(4), shape.rank == 2, shape[0] == x.shape[0],
        carriesBatch
      {
        return try flattened(x, path)
      }
      let plain = try plain(x, path)
      return try append(operation, [plain], path, carriesBatch: carriesBatch)
    }

    /// The pixels of images in a row, channel by channel; of a mean over all pixels, the one operation
    /// that stands for both.
    mutating func flattened(_ images: Activation, _ path: String) throws(ONNXProblem)
      -> Activation
    {
      let node = graph.nodes[images.value.node]
      guard case .averagePooling(let pooling) = node.operation,
        pooling.windows == .adaptive(rows: 1, columns: 1)
      else { return try append(.flatten(.init()), [images], path) }
      return Activation(
        value: graph.append(.globalAveragePooling(.init()), node.operands, path: path),
        shape: [images.shape[0], images.shape[1]], places: [0, 1],
        carriesBatch: images.carriesBatch)
    }

    /// The axes before one as the rows of a matrix, the others as its columns.
    mutating func matrix(_ x: Activation, _ axis: Int, _ path: String) throws(ONNXProblem)
      -> Activation
    {
      let columns = x.shape.extents[axis...].reduce(1, *)
      let extents: [Operation.Reshape.Extent] =
        axis == 0 ? [.fixed(1), .rest] : [.rest, .fixed(columns)]
      return try reshaped(x, extents, path)
    }

    mutating func flatten(_ node: Node) throws(ONNXProblem) -> Activation {
      let x = try activation(0, of: node)
      let axis = try node.integer("axis", default: 1)
      guard -x.rank...x.rank ~= axis else { throw node.wrong("axis") }
      return try matrix(x, axis < 0 ? axis + x.rank : axis, node.name)
    }

    mutating func reshape(_ node: Node) throws(ONNXProblem) -> Activation {
      let x = try activation(0, of: node)
      guard case .extents(let target, false) = try meaning(1, of: node) else {
        throw node.wrongKind(1)
      }
      let keepsZeros = try node.integer("allowzero", default: 0) != 0
      var extents: [Operation.Reshape.Extent] = []
      for (axis, extent) in target.enumerated() {
        switch extent {
        case .batch: extents.append(x.carriesBatch ? .copied(axis: 0) : .fixed(batch))
        case .known(-1) where !extents.contains(.rest): extents.append(.rest)
        case .known(0) where !keepsZeros: extents.append(.copied(axis: axis))
        case .known(let number) where number >= 0:
          // A file for one size of batch names it here.
          let isBatch = axis == 0 && x.carriesBatch && number == x.shape[0]
          extents.append(isBatch ? .copied(axis: 0) : .fixed(number))
        case .known: throw node.wrongKind(1)
        }
      }
      return try reshaped(x, extents, node.name)
    }

    /// The axes that an operand or, in older files, an attribute names.
    func axes(_ node: Node, rank: Int) throws(ONNXProblem) -> [Int]? {
      let given = try node.has(1) ? integers(1, of: node) : node.integers("axes")
      guard let given else { return nil }
      var axes: [Int] = []
      for axis in given { axes.append(try node.axis(axis, rank: rank, attribute: "axes")) }
      guard axes.count <= Self.maximumExtents, Set(axes).count == axes.count else {
        throw node.wrong("axes")
      }
      return axes
    }

    mutating func squeeze(_ node: Node) throws(ONNXProblem) -> Activation {
      let x = try activation(0, of: node)
      let axes =
        try axes(node, rank: x.rank)
        ?? (0..<x.rank).filter { x.shape[$0] == 1 && !($0 == 0 && x.carriesBatch) }
      guard axes.allSatisfy({ x.shape[$0] == 1 && !($0 == 0 && x.carriesBatch) }) else {
        throw node.wrong("axes")
      }
      let kept = extents(of: x).enumerated().filter { !axes.contains($0.offset) }
      return try reshaped(x, kept.map(\.element), node.name)
    }

    mutating func unsqueeze(_ node: Node) throws(ONNXProblem) -> Activation {
      let x = try activation(0, of: node)
      let count = try node.has(1) ? integers(1, of: node).count : node.integers("axes")?.count ?? 0
      guard count <= Self.maximumExtents, let axes = try axes(node, rank: x.rank + count) else {
        throw node.wrong("axes")
      }
      var extents = extents(of: x)
      for axis in axes.sorted() { extents.insert(.fixed(1), at: axis) }
      return try reshaped(x, extents, node.name)
    }

    /// Another order of axes is only noted.
    mutating func transpose(_ node: Node) throws(ONNXProblem) -> Activation {
      let x = try activation(0, of: node)
      let permutation = try node.integers("perm") ?? Array((0..<x.rank).reversed())
      guard permutation.sorted() == Array(0..<x.rank) else { throw node.wrong("perm") }
      return Activation(
        value: x.value, shape: Shape(permutation.map { x.shape[$0] }),
        places: permutation.map { x.places[$0] },
        carriesBatch: x.carriesBatch && permutation.first == 0)
    }

    mutating func concatenation(_ node: Node) throws(ONNXProblem) -> Activation {
      var operands = [try activation(0, of: node)]
      let places = operands[0].places
      for index in node.operands.indices.dropFirst() {
        let operand = try activation(index, of: node)
        guard operand.rank == places.count else {
          throw node.unsupported("operands of different ranks")
        }
        operands.append(try arranged(operand, places, node.name + ".\(index)"))
      }
      guard node.gives("axis") else { throw node.wrong("axis") }
      let axis = try node.axis(node.integer("axis", default: 0), rank: places.count)
      let isBatch = axis == 0 && operands.contains { $0.carriesBatch }
      guard !isBatch else { throw node.unsupported("the batch as its axis") }
      let result = try append(.concatenate(.init(axis: places[axis])), operands, node.name)
      return viewed(result, places)
    }

    /// The places from one to before another, which count from the end if they are negative.
    static func part(from start: Int, to end: Int, of count: Int) -> Range<Int> {
      func place(_ number: Int) -> Int {
        min(max(0, number < 0 ? max(number, -count) + count : number), count)
      }
      return place(start)..<max(place(start), place(end))
    }

    /// Places that one node names: channels.
    private static let maximumPlaces = 4096

    /// Places along an axis at equal distances; of a single one, the axis may go.
    mutating func gathered(_ x: Activation, _ node: Node) throws(ONNXProblem) -> Activation {
      let axis = try node.axis(node.integer("axis", default: 0), rank: x.rank)
      let (indices, isScalar): ([Int], Bool)
      switch try meaning(1, of: node) {
      case .extents(_, let scalar): (indices, isScalar) = (try integers(1, of: node), scalar)
      case .constant(let tensor) where tensor.kind == .integers && tensor.shape.rank == 1:
        guard tensor.shape.count <= Self.maximumPlaces else {
          throw node.unsupported("\(tensor.shape.count) places")
        }
        (indices, isScalar) = (tensor.integers.map { Int($0) }, false)
      default: throw node.wrongKind(1)
      }
      let extent = x.shape[axis]
      guard let first = indices.first, let last = indices.last,
        indices.allSatisfy({ 0..<extent ~= $0 }), !(axis == 0 && x.carriesBatch)
      else { throw node.unsupported("such places") }
      let stride = indices.count > 1 ? indices[1] - first : 1
      guard stride > 0,
        zip(indices, indices.dropFirst()).allSatisfy({ $1 - $0 == stride })
      else { throw node.unsupported("places at unequal distances") }
      let slice = Operation.Slice(
        axis: x.places[axis], start: first, end: extent - last - 1, stride: stride)
      let part = try applied(
        .slice(slice), to: x, isScalar ? node.name + ".part" : node.name)
      guard isScalar else { return part }
      var extents = extents(of: part)
      extents.remove(at: axis)
      return try reshaped(part, extents, node.name)
    }

    mutating func slice(_ node: Node) throws(ONNXProblem) -> Activation {
      var x = try activation(0, of: node)
      let isOld = operatorSet < 10
      func given(_ index: Int, _ attribute: String) throws(ONNXProblem) -> [Int]? {
        if isOld { return try node.integers(attribute) }
        return try node.has(index) ? integers(index, of: node) : nil
      }
      guard let starts = try given(1, "starts"), let ends = try given(2, "ends"),
        starts.count == ends.count
      else { throw node.wrong("starts") }
      let axes = try given(3, "axes") ?? Array(starts.indices)
      let steps = try given(4, "steps") ?? [Int](repeating: 1, count: starts.count)
      guard axes.count == starts.count, steps.count == starts.count, axes.count <= x.rank else {
        throw node.wrong("axes")
      }
      for (index, given) in axes.enumerated() {
        let axis = try node.axis(given, rank: x.rank, attribute: "axes")
        guard steps[index] > 0 else { throw node.unsupported("steps backwards") }
        let extent = x.shape[axis]
        let part = Self.part(from: starts[index], to: ends[index], of: extent)
        if part == 0..<extent, steps[index] == 1 { continue }
        guard !(axis == 0 && x.carriesBatch) else {
          throw node.unsupported("the batch as an axis")
        }
        let slice = Operation.Slice(
          axis: x.places[axis], start: part.lowerBound, end: extent - part.upperBound,
          stride: steps[index])
        x = try applied(.slice(slice), to: x, node.name)
      }
      return x
    }

    mutating func pad(_ node: Node) throws(ONNXProblem) -> Activation {
      var x = try activation(0, of: node)
      guard try node.text("mode", default: "constant") == "constant" else {
        throw node.unsupported("a mode of its own")
      }
      let isOld = operatorSet < 11
      let pads = try isOld ? node.integers("pads") ?? [] : integers(1, of: node)
      var value: Float = 0
      if isOld {
        value = try node.real("value", default: 0)
      } else if node.has(2) {
        guard let number = try number(2, of: node) else { throw node.wrongKind(2) }
        value = number
      }
      let axes = try node.has(3) ? integers(3, of: node) : Array(0..<x.rank)
      guard pads.count == 2 * axes.count, axes.count <= x.rank else { throw node.wrong("pads") }
      for (index, given) in axes.enumerated() {
        let axis = try node.axis(given, rank: x.rank, attribute: "axes")
        let (before, after) = (pads[index], pads[index + axes.count])
        if before == 0, after == 0 { continue }
        let limits = -ONNXWindows.maximum...ONNXWindows.maximum
        guard limits ~= before, limits ~= after else { throw node.wrong("pads") }
        guard !(axis == 0 && x.carriesBatch) else {
          throw node.unsupported("the batch as an axis")
        }
        if before < 0 || after < 0 {
          let slice = Operation.Slice(
            axis: x.places[axis], start: max(0, -before), end: max(0, -after))
          x = try applied(.slice(slice), to: x, node.name + ".cut")
        }
        if before > 0 || after > 0 {
          let pad = Operation.Pad(
            axis: x.places[axis], before: max(0, before), after: max(0, after), value: value)
          x = try applied(.pad(pad), to: x, node.name)
        }
      }
      return x
    }
  }
#endif
