import ResidualExecution
import ResidualKernelInterface

/// The largest pixel of each window, in parts of output rows.
struct PoolMaximum: Work {
  let input: BufferID, output: BufferID
  let extents: PoolingExtents
  private let rows: Partition

  init(input: BufferID, output: BufferID, extents: PoolingExtents) {
    self.input = input
    self.output = output
    self.extents = extents
    rows = Partition(
      extents.outputRows, grain: 16_384 / max(1, extents.inputRowCount * extents.strideHeight))
  }

  var parts: Int { rows.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.maxPool(
      context.input(input), output: context.output(output), extents: extents,
      rows: rows.range(part))
  }
}

/// The gradient with respect to the input, in parts of input rows.
struct PoolMaximumGradient: Work {
  let gradient: BufferID, input: BufferID, output: BufferID
  let extents: PoolingExtents
  private let rows: Partition

  init(gradient: BufferID, input: BufferID, output: BufferID, extents: PoolingExtents) {
    self.gradient = gradient
    self.input = input
    self.output = output
    self.extents = extents
    // Windows at the border of two parts are searched in both; so parts are several windows high.
    rows = Partition(
      extents.inputRows,
      grain: max(8 * extents.windowHeight, 16_384 / max(1, extents.inputRowCount)))
  }

  var parts: Int { rows.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.maxPoolGradient(
      context.input(gradient), input: context.input(input), inputGradient: context.output(output),
      extents: extents, rows: rows.range(part))
  }
}

extension PoolingExtents {
  fileprivate var inputRowCount: Int { inputWidth * channels }

  init(_ pooling: Operation.MaxPooling, input: Shape, output: Shape) {
    self.init(
      batch: input[0], channels: input[3], input: (input[1], input[2]),
      output: (output[1], output[2]), window: (pooling.windowHeight, pooling.windowWidth),
      stride: (pooling.strideHeight, pooling.strideWidth),
      padding: (pooling.padding.top, pooling.padding.left))
  }
}
