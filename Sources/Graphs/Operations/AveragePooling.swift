extension Operation {
  /// The mean of each window, for each channel.
  ///
  ///     output[n, p, q, c] = 1/m · Σ_{(h, w) in window (p, q)} input[n, h, w, c]
  ///
  /// over the pixels that lie inside the image. Operand: `[N, H, W, C]`. Result: `[N, P, Q, C]`.
  public struct AveragePooling: OperationRule {
    /// Which windows there are.
    public enum Windows: Hashable, Sendable {
      /// Of one size, at equal distances, as in ``MaxPooling``; padding counts as zeros: m is the
      /// number of pixels of the padded image that the window covers.
      case counting(MaxPooling)
      /// The same, but padding does not count: m is the number of the image's own pixels.
      case notCounting(MaxPooling)
      /// As many as the result is to have rows and columns, whatever the image's size: rows
      /// `⌊p·H/P⌋ ..< ⌈(p + 1)·H/P⌉`, columns likewise.
      case adaptive(rows: Int, columns: Int)
    }

    /// Which windows there are.
    public let windows: Windows
    /// - Precondition: adaptive pooling to at least one row and column.
    public init(_ windows: Windows) {
      if case .adaptive(let rows, let columns) = windows {
        precondition(rows > 0 && columns > 0, "pooling to \(rows) × \(columns)")
      }
      self.windows = windows
    }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      switch windows {
      case .counting(let pooling), .notCounting(let pooling):
        return try pooling.shapes(of: operands)
      case .adaptive(let rows, let columns):
        try expect(1, operands)
        try expect("the input", operands[0], rank: 4)
        guard operands[0][1] > 0, operands[0][2] > 0 else {
          throw ShapeError("the input \(operands[0]) has no pixels")
        }
        return [[operands[0][0], rows, columns, operands[0][3]]]
      }
    }

    var firstGradient: Operation? { .averagePoolingGradient(.init(pooling: self)) }

    /// The rows or columns of an image that a window looks at, and how many count.
    package typealias Window = (places: StrideTo<Int>, size: Int)

    /// The windows along the rows (axis 1) or the columns (axis 2) of images.
    ///
    /// - Parameters:
    ///   - extent: of the images along the axis.
    ///   - count: of windows.
    package func windows(axis: Int, extent: Int, count: Int) -> [Window] {
      func fixed(_ pooling: MaxPooling, countsPadding: Bool) -> [Window] {
        let (size, step, dilation, before, after) = pooling.windows(along: axis)
        return (0..<count).map { index in
          let start = index * step - before
          let places = (0..<size).lazy.map { start + $0 * dilation }
          let inside = places.filter { 0..<extent ~= $0 }
          let counting = countsPadding ? places.count { $0 < extent + after } : inside.count
          let first = inside.first ?? 0
          return (
            stride(from: first, to: first + inside.count * dilation, by: dilation), counting
          )
        }
      }
      switch windows {
      case .counting(let pooling): return fixed(pooling, countsPadding: true)
      case .notCounting(let pooling): return fixed(pooling, countsPadding: false)
      case .adaptive:
        return (0..<count).map { index in
          let (start, end) = (
            index * extent / count, ((index + 1) * extent + count - 1) / count
          )
          return (stride(from: start, to: end, by: 1), end - start)
        }
      }
    }
  }

  /// The gradient with respect to an average pooling's input: each window spreads its gradient
  /// evenly over its pixels.
  ///
  /// Operands: the output's gradient, and the input for its shape. Result: as the input.
  public struct AveragePoolingGradient: OperationRule {
    /// The pooling that is differentiated.
    public let pooling: AveragePooling
    /// - Parameter pooling: the one that is differentiated.
    public init(pooling: AveragePooling) { self.pooling = pooling }
    func readsOnlyShape(ofOperand index: Int) -> Bool { index == 1 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(2, operands)
      try expect("the output gradient", operands[0], toBe: pooling.shapes(of: [operands[1]])[0])
      return [operands[1]]
    }
  }
}
