#if ONNX
  import ResidualGraphs
  import ResidualONNXSchema

  /// Windows along one axis of images.
  private struct Windows {
    var extent: Int
    let count: Int, size: Int, stride: Int, dilation: Int
    var before: Int, after: Int

    init(_ pooling: Operation.MaxPooling, axis: Int, extent: Int, count: Int) {
      (self.extent, self.count) = (extent, count)
      (size, stride, dilation, before, after) = pooling.windows(along: axis)
    }

    /// Windows of one size at equal distances, without padding; `nil` if they are others.
    init?(_ windows: [Operation.AveragePooling.Window], extent: Int) {
      let starts = windows.map { $0.places.first { _ in true } ?? 0 }
      let step = starts.count > 1 ? starts[1] - starts[0] : 1
      guard let size = windows.first?.size, step > 0,
        windows.indices.allSatisfy({ windows[$0].size == size && starts[$0] == $0 * step })
      else { return nil }
      (self.extent, count, self.size, stride, dilation) = (extent, windows.count, size, step, 1)
      (before, after) = (0, 0)
    }

    /// Padding at the end that reaches as far as the last window.
    var last: Int { after + overhang }

    /// The pixels by which the last window of ceiling mode reaches beyond the padding.
    var overhang: Int {
      max(0, (count - 1) * stride + (size - 1) * dilation + 1 - extent - before - after)
    }
  }

  extension ONNXExport {
    /// Windows that reach beyond the padding are given as more padding, which never wins, and not as
    /// ceiling mode, whose meaning has changed between versions of ONNX.
    mutating func append(
      _ pooling: Operation.MaxPooling, _ node: Node, as result: Value
    ) throws(ONNXExportError) {
      var axes = windows(pooling, node.operands[0], result)
      let isDilated = axes.contains { $0.dilation > 1 }
      guard !isDilated || opset >= 10 else { throw .needsOpset(node: node.path, opset: 10) }
      var input = try name(node.operands[0], .channelsFirst)
      if axes.contains(where: { max($0.before, $0.last) >= $0.size }) {
        // More padding than window is refused by ONNX Runtime.
        input = try pad(input, &axes, with: -.infinity, after: \.last, path: node.path)
      }
      var attributes = attributes(axes)
      if isDilated { attributes.append(.integers("dilations", axes.map(\.dilation))) }
      set(result, add("MaxPool", [input], path: node.path, attributes), .channelsFirst)
    }

    mutating func append(
      _ pooling: Operation.AveragePooling, _ node: Node, as result: Value
    ) throws(ONNXExportError) {
      let operand = node.operands[0]
      let averaged = [1, 2].map { axis in
        pooling.windows(axis: axis, extent: shape(operand)[axis], count: shape(result)[axis])
      }
      var axes: [Windows]
      var countsPadding = false
      switch pooling.windows {
      case .counting(let fixed):
        axes = windows(fixed, operand, result)
        countsPadding = true
      case .notCounting(let fixed): axes = windows(fixed, operand, result)
      case .adaptive:
        if shape(operand) == shape(result) { return alias(result, of: operand) }
        axes = [1, 2].compactMap { Windows(averaged[$0 - 1], extent: shape(operand)[$0]) }
      }
      var input = try name(operand, .channelsFirst)
      guard axes.count == 2, axes.allSatisfy({ $0.dilation == 1 }) else {
        return try multiply(input, averaged, node, as: result)
      }
      if axes.allSatisfy({ $0.count == 1 && $0.size == $0.extent && $0.before == 0 }) {
        return set(result, add("GlobalAveragePool", [input], path: node.path), .channelsFirst)
      }
      if countsPadding, axes.contains(where: { $0.overhang > 0 }) {
        // Padding counts, and what lies beyond does not: so the padding becomes pixels.
        input = try pad(input, &axes, with: 0, after: \.after, path: node.path)
        countsPadding = false
      }
      let counting = Onnx_AttributeProto.integer("count_include_pad", countsPadding ? 1 : 0)
      set(
        result, add("AveragePool", [input], path: node.path, attributes(axes) + [counting]),
        .channelsFirst)
    }

    /// Makes padding a part of the images.
    private mutating func pad(
      _ input: String, _ axes: inout [Windows], with value: Float, after: KeyPath<Windows, Int>,
      path: String
    ) throws(ONNXExportError) -> String {
      let ends = axes.map { $0[keyPath: after] }
      let padded = try pad(
        input, before: [0, 0] + axes.map(\.before), after: [0, 0] + ends, value: value,
        path: path + ".padding")
      for (index, end) in ends.enumerated() {
        axes[index].extent += axes[index].before + end
        (axes[index].before, axes[index].after) = (0, 0)
      }
      return padded
    }

    private func windows(
      _ pooling: Operation.MaxPooling, _ operand: Value, _ result: Value
    ) -> [Windows] {
      [1, 2].map {
        Windows(pooling, axis: $0, extent: shape(operand)[$0], count: shape(result)[$0])
      }
    }

    private func attributes(_ axes: [Windows]) -> [Onnx_AttributeProto] {
      [
        .integers("kernel_shape", axes.map(\.size)), .integers("strides", axes.map(\.stride)),
        .integers("pads", axes.map(\.before) + axes.map(\.last)),
      ]
    }

    /// Averages over windows of different sizes or at different distances, as products with
    /// constant matrices: `rows [P, H] · x [N, C, H, W] · columns [W, Q]`.
    private mutating func multiply(
      _ input: String, _ windows: [[Operation.AveragePooling.Window]], _ node: Node,
      as result: Value
    ) throws(ONNXExportError) {
      let images = shape(node.operands[0])
      func averages(_ windows: [Operation.AveragePooling.Window], of extent: Int) -> Tensor<Float> {
        var matrix = Tensor<Float>([windows.count, extent], repeating: 0)
        for (row, window) in windows.enumerated() {
          for place in window.places {
            matrix.scalars[row * extent + place] = 1 / Float(window.size)
          }
        }
        return matrix
      }
      let rows = averages(windows[0], of: images[1])
      let columns = averages(windows[1], of: images[2]).transposed([1, 0])
      let left = try floats(rows.scalars, rows.shape.extents, path: node.path + ".rows")
      let right = try floats(columns.scalars, columns.shape.extents, path: node.path + ".columns")
      let averaged = add("MatMul", [left, input], path: node.path + ".vertical")
      set(result, add("MatMul", [averaged, right], path: node.path), .channelsFirst)
    }
  }
#endif
