import ResidualExecution
import ResidualPlatform

/// `yᵢ = exp xᵢ / Σⱼ exp xⱼ` along an axis.
struct ComputeSoftmax: Work {
  let input: BufferID, output: BufferID
  let rows: AxisView

  var parts: Int { rows.partition.parts }

  func run(part: Int, in context: StepContext) {
    rows.forEachRow(part) { start, step in
      _ = softmax(
        context.input(input) + start, into: context.output(output) + start, count: rows.extent,
        step: step)
    }
  }
}

/// Writes `yᵢ = exp xᵢ / Σⱼ exp xⱼ`.
///
/// - Parameter step: the distance of neighbours.
/// - Returns: the largest x, and the sum of exp(x − largest).
func softmax(
  _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, count: Int, step: Int = 1
) -> (largest: Float, sum: Double) {
  var largest = -Float.infinity
  for i in 0..<count { largest = max(largest, x[i * step]) }
  var sum = 0.0
  for i in 0..<count {
    let exponential = exp(x[i * step] - largest)
    y[i * step] = exponential
    sum += Double(exponential)
  }
  let inverse = Float(1 / sum)
  for i in 0..<count { y[i * step] *= inverse }
  return (largest, sum)
}

/// `yᵢ · (gᵢ − Σⱼ gⱼ · yⱼ)` along an axis.
struct ComputeSoftmaxGradient: Work {
  let gradient: BufferID, probabilities: BufferID, output: BufferID
  let rows: AxisView

  var parts: Int { rows.partition.parts }

  func run(part: Int, in context: StepContext) {
    rows.forEachRow(part) { start, step in
      let g = context.input(gradient) + start
      let y = context.input(probabilities) + start
      let result = context.output(output) + start
      var product = 0.0
      for i in 0..<rows.extent { product += Double(g[i * step]) * Double(y[i * step]) }
      for i in 0..<rows.extent { result[i * step] = y[i * step] * (g[i * step] - Float(product)) }
    }
  }
}

extension AxisView {
  /// Calls `body` for each row along the axis: its first place, and the distance between neighbours.
  fileprivate func forEachRow(_ part: Int, _ body: (_ start: Int, _ step: Int) -> Void) {
    for outer in partition.range(part) {
      for place in 0..<inner { body(outer * extent * inner + place, inner) }
    }
  }
}
