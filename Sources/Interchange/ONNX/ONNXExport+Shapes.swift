#if ONNX
  import ResidualGraphs
  import ResidualONNXSchema

  // Operations that move numbers.

  extension ONNXExport {
    /// Numbers around a tensor.
    ///
    /// - Parameters:
    ///   - before: how many for each axis, as in the file.
    mutating func pad(
      _ input: String, before: [Int], after: [Int], value: Float = 0, path: String
    ) throws(ONNXExportError) -> String {
      guard opset >= 11 else {
        return add(
          "Pad", [input], path: path,
          [.integers("pads", before + after), .float("value", value)])
      }
      let pads = try integers(before + after, path: path + ".pads")
      let number = value == 0 ? [] : [try floats([value], [], path: path + ".value")]
      return add("Pad", [input, pads] + number, path: path)
    }

    mutating func append(
      _ slice: Operation.Slice, _ node: Node, as result: Value
    ) throws(ONNXExportError) {
      let operand = node.operands[0]
      let layout = layout(node.operands)
      let (input, axis) = (try name(operand, layout), place(of: slice.axis, layout))
      guard slice.stride == 1 || opset >= 10 else {
        // A slice has no steps yet; the elements are gathered.
        guard isFixed(slice.axis, of: operand) else {
          throw .needsOpset(node: node.path, opset: 10)
        }
        let kept = stride(
          from: slice.start, to: shape(operand)[slice.axis] - slice.end, by: slice.stride)
        let indices = try integers(Array(kept), path: node.path + ".indices")
        let name = add("Gather", [input, indices], path: node.path, [.integer("axis", axis)])
        return set(result, name, layout)
      }
      set(
        result,
        try self.slice(
          input, axis: axis, from: slice.start, to: slice.end == 0 ? .max : -slice.end,
          step: slice.stride, path: node.path), layout)
    }

    /// A range of one axis; negative ends are counted from the axis's end.
    private mutating func slice(
      _ input: String, axis: Int, from start: Int, to end: Int, step: Int = 1, path: String
    ) throws(ONNXExportError) -> String {
      guard opset >= 10 else {
        return add(
          "Slice", [input], path: path,
          [.integers("axes", [axis]), .integers("starts", [start]), .integers("ends", [end])])
      }
      let inputs = [
        input, try integers([start], path: path + ".starts"),
        try integers([end], path: path + ".ends"), try integers([axis], path: path + ".axes"),
        try integers([step], path: path + ".steps"),
      ]
      return add("Slice", inputs, path: path)
    }

    /// In the graph's order of numbers. The extents are those that the graph infers; one that depends
    /// on the batch is left open, others must be copied from the same axis.
    mutating func append(
      _ reshape: Operation.Reshape, _ node: Node, as result: Value
    ) throws(ONNXExportError) {
      var open = shape(result).extents.indices.filter { !isFixed($0, of: result) }
      var extents = shape(result).extents
      if open.count > 1 {
        for axis in open where reshape.extents[axis] == .copied(axis: axis) { extents[axis] = 0 }
        open.removeAll { extents[$0] == 0 }
      }
      guard open.count <= 1 else { throw .dependsOnBatch(node: node.path) }
      for axis in open { extents[axis] = -1 }
      let shape = try integers(extents, path: node.path + ".shape")
      set(result, add("Reshape", [try name(node.operands[0]), shape], path: node.path))
    }

    /// ONNX's arithmetic broadcasts by itself, so a node is needed for other readers only.
    mutating func append(
      _ broadcast: Operation.Broadcast, _ node: Node, as result: Value
    ) throws(ONNXExportError) {
      let (operand, other) = (node.operands[0], node.operands[1])
      if isImplied(result) { return alias(result, of: operand) }
      let input = try name(operand)
      // If an extent depends on the batch and the operand does not have it, it is the other's.
      let isFixed = shape(result).extents.indices.allSatisfy { axis in
        let mine = axis - (shape(result).rank - shape(operand).rank)
        return self.isFixed(axis, of: result) || mine >= 0 && !self.isFixed(mine, of: operand)
      }
      let target: String
      if isFixed {
        target = try integers(
          shape(result).extents.indices.map {
            self.isFixed($0, of: result) ? shape(result)[$0] : 1
          }, path: node.path + ".shape")
      } else {
        var extents = add("Shape", [try name(other)], path: node.path + ".shape")
        if broadcast.leaving > 0 {
          extents = try slice(
            extents, axis: 0, from: 0, to: -broadcast.leaving, path: node.path + ".outer")
          let ones = try integers(
            [Int](repeating: 1, count: broadcast.leaving), path: node.path + ".inner")
          extents = add(
            "Concat", [extents, ones], path: node.path + ".target", [.integer("axis", 0)])
        }
        target = extents
      }
      set(result, add("Expand", [input, target], path: node.path))
    }

    /// Whether all readers of a broadcast are arithmetic whose other operand has the full shape.
    private func isImplied(_ value: Value) -> Bool {
      let node = graph.nodes[value.node]
      guard !graph.outputs.contains(where: { $0.value == value }),
        shape(node.operands[0]).rank == shape(value).rank
      else { return false }
      return uses[value.node].allSatisfy { use in
        let reader = graph.nodes[use.node]
        switch reader.operation {
        case .add, .subtract, .multiply:
          if case .broadcast = operation(reader.operands[1 - use.operand]) { return false }
          return true
        default: return false
        }
      }
    }
  }
#endif
