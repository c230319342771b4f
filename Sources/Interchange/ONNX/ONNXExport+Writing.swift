#if ONNX
  import ResidualGraphs
  import ResidualONNXSchema

  extension ONNXExport {
    /// A name that nothing in the file has yet: the wish, or the wish with a number.
    mutating func unique(_ wish: String) -> String {
      var (name, number) = (wish, wishes[wish] ?? 1)
      while !taken.insert(name).inserted {
        number += 1
        name = "\(wish)_\(number)"
      }
      wishes[wish] = number
      return name
    }

    // MARK: Nodes

    /// Adds a node with one result, and returns the name that both have.
    @discardableResult
    mutating func add(
      _ type: String, _ inputs: [String], path: String, _ attributes: [Onnx_AttributeProto] = []
    ) -> String {
      let name = unique(path)
      write(type, inputs, name, attributes)
      return name
    }

    /// Adds a node under a name that is its own.
    mutating func write(
      _ type: String, _ inputs: [String], _ name: String, _ attributes: [Onnx_AttributeProto] = []
    ) {
      var node = Onnx_NodeProto()
      (node.opType, node.name, node.input, node.output) = (type, name, inputs, [name])
      node.attribute = attributes
      message.node.append(node)
    }

    /// Gives the result of a node another name; `false` if no node writes it, or if it is an
    /// output already.
    mutating func rename(_ old: String, to new: String) -> Bool {
      guard !message.output.contains(where: { $0.name == old }),
        let writer = message.node.lastIndex(where: { $0.output == [old] })
      else { return false }
      message.node[writer].output = [new]
      for reader in message.node.indices.dropFirst(writer + 1) {
        message.node[reader].input = message.node[reader].input.map { $0 == old ? new : $0 }
      }
      for (value, layouts) in names {
        names[value] = layouts.mapValues { $0 == old ? new : $0 }
      }
      return true
    }

    /// An input or output of the file; of its extents the batch has a name.
    func declaration(_ name: String, _ value: Value) -> Onnx_ValueInfoProto {
      let rank = shape(value).rank
      return Onnx_ValueInfoProto(
        name,
        axes(rank == 4 ? .channelsFirst : .graph, rank: rank).map { axis in
          if isFixed(axis, of: value) { return .dimValue(Int64(shape(value)[axis])) }
          return axis == 0 ? .dimParam("batch") : nil
        })
    }

    // MARK: Numbers

    /// Adds numbers, and returns their name.
    ///
    /// - Throws: ``ONNXExportError/tooLarge(byteCount:)``.
    mutating func floats(
      _ numbers: [Float], _ extents: [Int], path: String
    ) throws(ONNXExportError) -> String {
      let name = unique(path)
      try append(Onnx_TensorProto(name, .float, extents, numbers))
      return name
    }

    /// Adds whole numbers, which say how a node works.
    mutating func integers(_ numbers: [Int], path: String) throws(ONNXExportError) -> String {
      let name = unique(path)
      try append(Onnx_TensorProto(name, .int64, [numbers.count], numbers.map(Int64.init)))
      return name
    }

    /// Adds the numbers of a slot under its name or, if another form of the same slot has that
    /// name, under the name with a number.
    mutating func write(
      slot: String, _ tensor: Tensor<Float>
    ) throws(ONNXExportError) -> String {
      let name = writtenSlots.insert(slot).inserted ? slot : unique(slot)
      try append(Onnx_TensorProto(name, .float, tensor.shape.extents, tensor.scalars))
      return name
    }

    private mutating func append(_ tensor: Onnx_TensorProto) throws(ONNXExportError) {
      byteCount += tensor.rawData.count
      guard byteCount <= maximumByteCount else { throw .tooLarge(byteCount: byteCount) }
      message.initializer.append(tensor)
    }
  }

  extension Tensor {
    /// The tensor with its axes in another order: axis i of the result is `axes[i]`.
    func transposed(_ axes: [Int]) -> Tensor {
      var strides = [Int](repeating: 1, count: shape.rank)
      for axis in (0..<max(0, shape.rank - 1)).reversed() {
        strides[axis] = strides[axis + 1] * shape[axis + 1]
      }
      let places = axes.reduce([0]) { places, axis in
        places.flatMap { place in (0..<shape[axis]).map { place + $0 * strides[axis] } }
      }
      return Tensor(Shape(axes.map { shape[$0] }), places.map { scalars[$0] })
    }
  }
#endif
