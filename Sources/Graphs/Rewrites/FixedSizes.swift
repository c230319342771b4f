extension Graph {
  /// The same computation for inputs of one size, where windows that depend on it are written out: two
  /// graphs that say the same in different words become alike.
  ///
  /// Maximum pooling that rounds up gets the padding that its last window reaches to, and adaptive
  /// pooling to the size that is there gives way to its operand.
  /// - Throws: ``ShapeError``.
  /// - Complexity: O(nodes).
  package func fixed(inputs: [String: Shape]) throws(ShapeError) -> Graph {
    let shapes = try shapes(inputs: inputs)
    var copy = GraphCopy(of: self)
    for (index, node) in nodes.enumerated() {
      guard let operand = node.operands.first, operand.result == 0 else {
        copy.append(index)
        continue
      }
      let (input, output) = (shapes[operand.node][0], shapes[index][0])
      switch node.operation {
      case .maxPooling(let pooling) where pooling.roundsUp:
        let value = copy.value(operand)
        let fixed = pooling.fixed(input: input, output: output)
        copy.replace(index) { $0.append(.maxPooling(fixed), [value], path: node.path) }
      case .averagePooling(let pooling) where pooling.isAdaptive && input == output:
        let value = copy.value(operand)
        copy.replace(index) { _ in value }
      default: copy.append(index)
      }
    }
    return copy.finish()
  }
}

extension Operation.AveragePooling {
  fileprivate var isAdaptive: Bool {
    if case .adaptive = windows { true } else { false }
  }
}

extension Operation.MaxPooling {
  /// The same windows as rounding up gives, by padding; this pooling where the padding would be as
  /// large as a window.
  fileprivate func fixed(input: Shape, output: Shape) -> Self {
    func after(_ axis: Int) -> Int {
      let (size, stride, dilation, before, after) = windows(along: axis)
      let reach = (output[axis] - 1) * stride + (size - 1) * dilation + 1
      return max(after, reach - input[axis] - before)
    }
    let (bottom, right) = (after(1), after(2))
    guard bottom < windowHeight, right < windowWidth else { return self }
    return Self(
      windowHeight: windowHeight, windowWidth: windowWidth, strideHeight: strideHeight,
      strideWidth: strideWidth,
      padding: .init(top: padding.top, left: padding.left, bottom: bottom, right: right),
      dilationHeight: dilationHeight, dilationWidth: dilationWidth)
  }
}
