extension Operation {
  /// The largest pixel of each window, for each channel.
  ///
  ///     output[n, p, q, c] = max_{r, s} input[n, p·stride + r·dilation − top, q·stride + s·dilation − left, c]
  ///
  /// over the pixels of the window that lie inside the input: padding never wins. A NaN in a window
  /// wins. Operand: `[N, H, W, C]`. Result: `[N, P, Q, C]` with
  ///
  ///     P = (H + top + bottom − (window height − 1) · dilation − 1) / stride + 1,  Q likewise,
  ///
  /// rounded down, or up with `roundsUp`; a last window that would begin beyond the input and its
  /// padding above is then left out, as in PyTorch and Caffe.
  public struct MaxPooling: OperationRule {
    /// The extents of a window in the pixels that it looks at.
    public let windowHeight: Int, windowWidth: Int
    /// The step between windows in pixels, vertically and horizontally.
    public let strideHeight: Int, strideWidth: Int
    /// The pixels around the input, none of which wins.
    public let padding: Convolution.Padding
    /// Ceiling mode.
    public let roundsUp: Bool
    /// The step between the pixels that a window looks at.
    public let dilationHeight: Int, dilationWidth: Int

    /// Windows whose extents, stride or padding may differ between the axes.
    ///
    /// - Precondition: strides and dilations above 0, and less padding than window on each side, so
    ///   that no window is empty.
    public init(
      windowHeight: Int, windowWidth: Int, strideHeight: Int, strideWidth: Int,
      padding: Convolution.Padding = .init(0), roundsUp: Bool = false, dilationHeight: Int = 1,
      dilationWidth: Int = 1
    ) {
      precondition(
        dilationHeight > 0 && dilationWidth > 0, "dilations \(dilationHeight), \(dilationWidth)")
      precondition(
        strideHeight > 0 && strideWidth > 0, "a stride of \(strideHeight) × \(strideWidth)")
      precondition(
        0..<windowHeight ~= padding.top && 0..<windowHeight ~= padding.bottom
          && 0..<windowWidth ~= padding.left && 0..<windowWidth ~= padding.right,
        "\(padding) with a window of \(windowHeight) × \(windowWidth)")
      (self.windowHeight, self.windowWidth) = (windowHeight, windowWidth)
      (self.strideHeight, self.strideWidth) = (strideHeight, strideWidth)
      self.padding = padding
      self.roundsUp = roundsUp
      (self.dilationHeight, self.dilationWidth) = (dilationHeight, dilationWidth)
    }
    /// Square windows with the same stride on both axes and the same padding on all sides.
    ///
    /// - Precondition: a stride above 0, and 0 ≤ padding < size.
    public init(size: Int, stride: Int, padding: Int = 0, roundsUp: Bool = false) {
      self.init(
        windowHeight: size, windowWidth: size, strideHeight: stride, strideWidth: stride,
        padding: .init(padding), roundsUp: roundsUp)
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(1, operands)
      let input = operands[0]
      try expect("the input", input, rank: 4)
      guard let height = outputExtent(input, axis: 1), let width = outputExtent(input, axis: 2)
      else {
        throw ShapeError(
          "the input \(input) with its padding is smaller than the window "
            + "\(windowHeight) × \(windowWidth)"
            + (dilationHeight * dilationWidth > 1 ? ", or a window sees padding alone" : ""))
      }
      return [[input[0], height, width, input[3]]]
    }

    /// The extents and distances of windows along the rows (axis 1) or the columns (axis 2) of images.
    package func windows(along axis: Int)
      -> (size: Int, stride: Int, dilation: Int, before: Int, after: Int)
    {
      axis == 1
        ? (windowHeight, strideHeight, dilationHeight, padding.top, padding.bottom)
        : (windowWidth, strideWidth, dilationWidth, padding.left, padding.right)
    }

    /// The windows along one axis; `nil` if not even one fits, or one sees padding alone.
    private func outputExtent(_ input: Shape, axis: Int) -> Int? {
      let (extent, (window, stride, dilation, before, after)) = (input[axis], windows(along: axis))
      let steps = extent + before + after - (window - 1) * dilation - 1
      guard extent > 0, steps >= 0 else { return nil }
      let last = (steps + (roundsUp ? stride - 1 : 0)) / stride
      let count = roundsUp && last * stride >= extent + before ? last : last + 1
      // Without dilation no window is empty, because there is less padding than window; with it, one
      // that begins before the image may step over it.
      let isAnyEmpty =
        dilation > 1
        && Swift.stride(from: -before, to: 0, by: stride).prefix(count).contains { start in
          let first = (dilation - 1 - start) / dilation
          return first >= window || start + first * dilation >= extent
        }
      return isAnyEmpty ? nil : count
    }

    var firstGradient: Operation? { .maxPoolingGradient(.init(pooling: self)) }
  }

  /// The gradient with respect to a maximum pooling's input: each window's gradient goes to its
  /// largest pixel, to the first in row-major order of several; gradients of overlapping windows
  /// add up. Of several NaNs the last counts as largest, as in PyTorch.
  ///
  /// Operands: the output's gradient and the input. Result: as the input.
  public struct MaxPoolingGradient: OperationRule {
    /// The pooling that is differentiated.
    public let pooling: MaxPooling
    /// - Parameter pooling: the one that is differentiated.
    public init(pooling: MaxPooling) { self.pooling = pooling }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      try expect("the output gradient", operands[0], toBe: pooling.shapes(of: [operands[1]])[0])
      return [operands[1]]
    }
  }
}
