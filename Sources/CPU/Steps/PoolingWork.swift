import ResidualExecution
import ResidualKernelInterface

/// The largest pixel of each window, in parts of output rows.
struct PoolMaximum: Work {
  let input: BufferID, output: BufferID
  let extents: PoolingExtents

  private var rows: Partition {
    Partition(
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

  // Windows at the border of two parts are searched in both; so parts are several windows high.
  private var rows: Partition {
    Partition(
      extents.inputRows,
      grain: max(
        8 * extents.windowHeight * extents.dilationHeight,
        16_384 / max(1, extents.inputRowCount)))
  }

  var parts: Int { rows.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.maxPoolGradient(
      context.input(gradient), input: context.input(input), inputGradient: context.output(output),
      extents: extents, rows: rows.range(part))
  }
}

/// The mean of each window, in parts of output rows.
struct PoolAverage: Work {
  let input: BufferID, output: BufferID
  let windows: AverageWindows

  private var rowParts: Partition {
    Partition(
      windows.batch * windows.rows.count,
      grain: 16_384 / max(1, windows.inputWidth * windows.channels))
  }

  var parts: Int { rowParts.parts }

  func run(part: Int, in context: StepContext) {
    let w = windows
    for row in rowParts.range(part) {
      let image = row / w.rows.count
      let (rows, height) = w.rows[row % w.rows.count]
      for (q, (columns, width)) in w.columns.enumerated() {
        let target = context.output(output) + (row * w.columns.count + q) * w.channels
        target.update(repeating: 0, count: w.channels)
        for h in rows {
          for column in columns {
            context.kernels.scale(
              context.input(input)
                + ((image * w.inputHeight + h) * w.inputWidth + column) * w.channels,
              by: 1 / Float(height * width), addend: UnsafePointer(target), output: target,
              elements: 0..<w.channels)
          }
        }
      }
    }
  }
}

/// The gradient with respect to the input, in parts of images.
struct PoolAverageGradient: Work {
  let gradient: BufferID, output: BufferID
  let windows: AverageWindows

  private var images: Partition { Partition(windows.batch, grain: 1) }

  var parts: Int { images.parts }

  func run(part: Int, in context: StepContext) {
    let w = windows
    let imageCount = w.inputHeight * w.inputWidth * w.channels
    for image in images.range(part) {
      let target = context.output(output) + image * imageCount
      target.update(repeating: 0, count: imageCount)
      for (p, (rows, height)) in w.rows.enumerated() {
        for (q, (columns, width)) in w.columns.enumerated() {
          let source =
            context.input(gradient)
            + ((image * w.rows.count + p) * w.columns.count + q) * w.channels
          for h in rows {
            for column in columns {
              let place = target + (h * w.inputWidth + column) * w.channels
              context.kernels.scale(
                source, by: 1 / Float(height * width), addend: UnsafePointer(place), output: place,
                elements: 0..<w.channels)
            }
          }
        }
      }
    }
  }
}

/// The windows of an average pooling over images of known size.
struct AverageWindows: Sendable {
  let batch: Int, channels: Int
  let inputHeight: Int, inputWidth: Int
  let rows: [Operation.AveragePooling.Window], columns: [Operation.AveragePooling.Window]

  init(_ pooling: Operation.AveragePooling, input: Shape, output: Shape) {
    (batch, inputHeight, inputWidth, channels) = (input[0], input[1], input[2], input[3])
    rows = pooling.windows(axis: 1, extent: input[1], count: output[1])
    columns = pooling.windows(axis: 2, extent: input[2], count: output[2])
  }
}

extension PoolingExtents {
  fileprivate var inputRowCount: Int { inputWidth * channels }

  init(_ pooling: Operation.MaxPooling, input: Shape, output: Shape) {
    self.init(
      batch: input[0], channels: input[3], input: (input[1], input[2]),
      output: (output[1], output[2]), window: (pooling.windowHeight, pooling.windowWidth),
      stride: (pooling.strideHeight, pooling.strideWidth),
      padding: (pooling.padding.top, pooling.padding.left),
      dilation: (pooling.dilationHeight, pooling.dilationWidth))
  }
}
