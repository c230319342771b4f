import ResidualExecution

/// Many products of small matrices, which no network of images has: plain loops.
struct MultiplyMatrices: Work {
  let left: BufferID, right: BufferID, output: BufferID
  /// The extents M, K and N of one product.
  let rows: Int, inner: Int, columns: Int
  let product: Operation.MatrixProduct
  let matrices: Partition

  var parts: Int { matrices.parts }

  func run(part: Int, in context: StepContext) {
    let (leftRow, leftColumn) = product.transposesLeft ? (1, rows) : (inner, 1)
    let (rightRow, rightColumn) = product.transposesRight ? (1, inner) : (columns, 1)
    for matrix in matrices.range(part) {
      let a = context.input(left) + matrix * rows * inner
      let b = context.input(right) + matrix * inner * columns
      let c = context.output(output) + matrix * rows * columns
      for m in 0..<rows {
        for n in 0..<columns {
          var sum: Float = 0
          for k in 0..<inner {
            sum += a[m * leftRow + k * leftColumn] * b[k * rightRow + n * rightColumn]
          }
          c[m * columns + n] = sum
        }
      }
    }
  }
}
