extension Operation {
  /// A two-dimensional convolution (cross-correlation, as everywhere in this field).
  ///
  ///     output[n, p, q, k] = Σ_{r, s, c} input[n, p·stride + r − top, q·stride + s − left, c] · filter[k, c, r, s]
  ///
  /// with zeros outside the input. Operands: input `[N, H, W, C]`, filter `[K, C, R, S]`. Result:
  /// `[N, (H + top + bottom − R) / stride + 1, (W + left + right − S) / stride + 1, K]`.
  public struct Convolution: OperationRule {
    /// Pixels added around an image: zeros in a convolution, never the largest in a maximum
    /// pooling.
    public struct Padding: Hashable, Sendable {
      /// Pixels added on each side.
      public let top: Int, left: Int, bottom: Int, right: Int
      /// A padding that may differ from side to side.
      public init(top: Int, left: Int, bottom: Int, right: Int) {
        (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
      }
      /// The same padding on all four sides.
      public init(_ all: Int) { self.init(top: all, left: all, bottom: all, right: all) }
    }
    /// The step between output pixels in input pixels, vertically and horizontally.
    public let strideHeight: Int, strideWidth: Int
    /// The zeros around the input.
    public let padding: Padding

    /// A convolution whose stride or padding may differ between the axes.
    ///
    /// - Precondition: strides above 0.
    public init(strideHeight: Int, strideWidth: Int, padding: Padding) {
      precondition(
        strideHeight > 0 && strideWidth > 0, "a stride of \(strideHeight) × \(strideWidth)")
      self.strideHeight = strideHeight
      self.strideWidth = strideWidth
      self.padding = padding
    }
    /// A convolution with the same stride on both axes and the same padding on all sides.
    ///
    /// - Precondition: a stride above 0.
    public init(stride: Int = 1, padding: Int = 0) {
      self.init(strideHeight: stride, strideWidth: stride, padding: Padding(padding))
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      return [try outputShape(input: operands[0], filter: operands[1])]
    }

    func outputShape(input: Shape, filter: Shape) throws(ShapeError) -> Shape {
      try expect("the input", input, rank: 4)
      try expect("the filter", filter, rank: 4)
      guard input[3] == filter[1] else {
        throw ShapeError("the input \(input) has \(input[3]) channels, the filter \(filter[1])")
      }
      let height = input[1] + padding.top + padding.bottom - filter[2]
      let width = input[2] + padding.left + padding.right - filter[3]
      guard height >= 0, width >= 0 else {
        throw ShapeError("the input \(input) with its padding is smaller than the filter \(filter)")
      }
      return [input[0], height / strideHeight + 1, width / strideWidth + 1, filter[0]]
    }

    func multiplyAdds(operands: [Shape], results: [Shape]) -> Int {
      Self.multiplyAdds(output: results[0], filter: operands[1])
    }
    /// Those of the gradients are as many.
    fileprivate static func multiplyAdds(output: Shape, filter: Shape) -> Int {
      saturatingProduct(output.count, filter[1] * filter[2] * filter[3])
    }

    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      let (input, filter) = (graph.nodes[node.node].operands[0], graph.nodes[node.node].operands[1])
      return [
        graph.append(
          .convolutionInputGradient(.init(convolution: self)), [gradient, filter, input],
          gradientOf: node, "input"),
        graph.append(
          .convolutionFilterGradient(.init(convolution: self)), [gradient, input, filter],
          gradientOf: node, "filter"),
      ]
    }
  }

  /// The gradient with respect to a convolution's input.
  ///
  /// Operands: the output's gradient, the filter, and the input for its shape. Result: as the input.
  public struct ConvolutionInputGradient: OperationRule {
    /// The convolution that is differentiated.
    public let convolution: Convolution
    /// - Parameter convolution: the one that is differentiated.
    public init(convolution: Convolution) { self.convolution = convolution }
    func readsOnlyShape(ofOperand index: Int) -> Bool { index == 2 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(3, operands)
      try expect(
        "the output gradient", operands[0],
        toBe: convolution.outputShape(input: operands[2], filter: operands[1]))
      return [operands[2]]
    }
    func multiplyAdds(operands: [Shape], results: [Shape]) -> Int {
      Convolution.multiplyAdds(output: operands[0], filter: operands[1])
    }
  }

  /// The gradient with respect to a convolution's filter.
  ///
  /// Operands: the output's gradient, the input, and the filter for its shape. Result: as the filter.
  public struct ConvolutionFilterGradient: OperationRule {
    /// The convolution that is differentiated.
    public let convolution: Convolution
    /// - Parameter convolution: the one that is differentiated.
    public init(convolution: Convolution) { self.convolution = convolution }
    func readsOnlyShape(ofOperand index: Int) -> Bool { index == 2 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(3, operands)
      try expect(
        "the output gradient", operands[0],
        toBe: convolution.outputShape(input: operands[1], filter: operands[2]))
      return [operands[2]]
    }
    func multiplyAdds(operands: [Shape], results: [Shape]) -> Int {
      Convolution.multiplyAdds(output: operands[0], filter: operands[2])
    }
  }
}
