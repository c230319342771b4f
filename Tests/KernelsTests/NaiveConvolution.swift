import ResidualKernelInterface

/// The formulas of ``ConvolutionExtents`` in Double, written out.
enum NaiveConvolution {
  /// The input number that the window of an output pixel meets at a tap: nil in padding and
  /// between dilated pixels.
  private static func inputCoordinate(
    _ output: Int, tap: Int, stride: Int, padding: Int, dilation: Int, size: Int
  ) -> Int? {
    let dilated = output * stride + tap - padding
    guard dilated >= 0, dilated.isMultiple(of: dilation), dilated / dilation < size else {
      return nil
    }
    return dilated / dilation
  }

  /// Calls `body` with every (input pixel, tap, output pixel) that meet, as flat indices.
  private static func forEachMeeting(
    _ e: ConvolutionExtents, _ body: (_ input: Int, _ tap: Int, _ output: Int) -> Void
  ) {
    for n in 0..<e.batch {
      for p in 0..<e.outputHeight {
        for r in 0..<e.filterHeight {
          guard
            let h = inputCoordinate(
              p, tap: r, stride: e.strideHeight, padding: e.paddingTop,
              dilation: e.inputDilationHeight, size: e.inputHeight)
          else { continue }
          for q in 0..<e.outputWidth {
            for s in 0..<e.filterWidth {
              guard
                let w = inputCoordinate(
                  q, tap: s, stride: e.strideWidth, padding: e.paddingLeft,
                  dilation: e.inputDilationWidth, size: e.inputWidth)
              else { continue }
              body(
                (n * e.inputHeight + h) * e.inputWidth + w, r * e.filterWidth + s,
                (n * e.outputHeight + p) * e.outputWidth + q)
            }
          }
        }
      }
    }
  }

  /// Numbers [outer, inner, taps] in the order [taps, inner, outer].
  private static func reversedAxes(_ numbers: [Double], outer: Int, inner: Int, taps: Int)
    -> [Double]
  {
    var result = [Double](repeating: 0, count: numbers.count)
    for o in 0..<outer {
      for i in 0..<inner {
        for t in 0..<taps {
          result[(t * inner + i) * outer + o] = numbers[(o * inner + i) * taps + t]
        }
      }
    }
    return result
  }

  static func output(_ input: Buffer, filter: Buffer, _ e: ConvolutionExtents) -> [Double] {
    let (c, k, taps) = (e.inputChannels, e.outputChannels, e.filterHeight * e.filterWidth)
    let x = input.numbers.map(Double.init)
    let f = reversedAxes(filter.numbers.map(Double.init), outer: k, inner: c, taps: taps)
    var y = [Double](repeating: 0, count: e.outputRows * e.outputWidth * k)
    forEachMeeting(e) { pixel, tap, outputPixel in
      for i in 0..<c {
        let number = x[pixel * c + i]
        for o in 0..<k { y[outputPixel * k + o] += number * f[(tap * c + i) * k + o] }
      }
    }
    return y
  }

  /// The input gradient of a forward convolution: the output's formula, transposed.
  static func inputGradient(_ outputGradient: Buffer, filter: Buffer, _ e: ConvolutionExtents)
    -> [Double]
  {
    let (c, k, taps) = (e.inputChannels, e.outputChannels, e.filterHeight * e.filterWidth)
    let dy = outputGradient.numbers.map(Double.init)
    let f = reversedAxes(filter.numbers.map(Double.init), outer: k, inner: c, taps: taps)
    var dx = [Double](repeating: 0, count: e.batch * e.inputHeight * e.inputWidth * c)
    forEachMeeting(e) { pixel, tap, outputPixel in
      for i in 0..<c {
        var sum = 0.0
        for o in 0..<k { sum += dy[outputPixel * k + o] * f[(tap * c + i) * k + o] }
        dx[pixel * c + i] += sum
      }
    }
    return dx
  }

  static func filterGradient(_ input: Buffer, outputGradient: Buffer, _ e: ConvolutionExtents)
    -> [Double]
  {
    let (c, k, taps) = (e.inputChannels, e.outputChannels, e.filterHeight * e.filterWidth)
    let x = input.numbers.map(Double.init)
    let dy = outputGradient.numbers.map(Double.init)
    var df = [Double](repeating: 0, count: e.filterCount)
    forEachMeeting(e) { pixel, tap, outputPixel in
      for i in 0..<c {
        let number = x[pixel * c + i]
        for o in 0..<k { df[(tap * c + i) * k + o] += number * dy[outputPixel * k + o] }
      }
    }
    return reversedAxes(df, outer: taps, inner: c, taps: k)
  }
}
