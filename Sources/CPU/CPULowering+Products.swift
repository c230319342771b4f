import ResidualExecution
import ResidualKernelInterface

extension CPULowering {
  mutating func lower(
    _ product: Operation.MatrixProduct, _ node: Node, _ value: Value
  ) {
    let output = result(value)
    let (left, right) = (buffer(node.operands[0]), buffer(node.operands[1]))
    let extents = shape(value)
    let inner = product.depth(shape(node.operands[0]))
    guard extents.rank == 2 else {
      return append(
        MultiplyMatrices(
          left: left, right: right, output: output, rows: extents[extents.rank - 2],
          inner: inner, columns: extents.channels, product: product,
          matrices: Partition(extents.extents.dropLast(2).reduce(1, *), grain: 1)),
        node, touching: [left, right, output])
    }
    let (rows, columns) = (extents[0], extents[1])
    switch (product.transposesLeft, product.transposesRight) {
    case (false, let transposed):
      lowerConvolution(
        input: left, filter: right, output: output,
        .init(rows: rows, inputs: inner, outputs: columns), transposed ? .forward : .rotated, node)
    case (true, false):
      // Both matrices have the inner index outermost, as pixels: a filter gradient.
      lowerFilterGradient(
        input: right, outputGradient: left, output: output,
        .init(rows: inner, inputs: columns, outputs: rows), node)
    case (true, true):
      let transposed = temporary(node.path + ".transposed", floats: rows * inner)
      append(
        CopyByStrides(
          input: left, output: transposed, view: .init([inner, rows], permutation: [1, 0])),
        node, touching: [left, transposed])
      lowerConvolution(
        input: transposed, filter: right, output: output,
        .init(rows: rows, inputs: inner, outputs: columns), .forward, node)
    }
  }
}
