import ResidualExecution

/// A tensor seen along one axis: `[outer, extent, inner]`, of which `inner` numbers are contiguous.
struct AxisView: Hashable, Sendable {
  let outer: Int, extent: Int, inner: Int

  init(_ shape: Shape, axis: Int) {
    outer = shape.extents[..<axis].reduce(1, *)
    extent = shape[axis]
    inner = shape.extents[(axis + 1)...].reduce(1, *)
  }

  /// Parts of the outer index, of at least 16,384 numbers.
  var partition: Partition { Partition(outer, grain: max(1, 16_384 / max(1, extent * inner))) }
}

/// Copies between a larger tensor and some of the places along one of its axes.
struct CopyAlongAxis: Work {
  enum Direction: Hashable, Sendable {
    /// Places of the larger tensor are read: a slice.
    case gather
    /// Places of the larger tensor are written, all others set to zero: padding, and the gradient
    /// of a slice.
    case scatter
    /// Places of the larger tensor are written, all others left alone: a concatenation's part.
    case place
  }

  let source: BufferID, target: BufferID
  let direction: Direction
  let large: AxisView, small: AxisView
  /// The place of the smaller tensor's first element, and the distance between places.
  let start: Int, stride: Int

  var parts: Int { large.partition.parts }

  func run(part: Int, in context: StepContext) {
    let (source, target) = (context.input(source), context.output(target))
    let inner = large.inner
    for outer in large.partition.range(part) {
      let largeOffset = outer * large.extent * inner
      let smallOffset = outer * small.extent * inner
      if direction == .scatter {
        (target + largeOffset).update(repeating: 0, count: large.extent * inner)
      }
      if stride == 1 {
        copy(source, target, largeOffset + start * inner, smallOffset, small.extent * inner)
      } else {
        for index in 0..<small.extent {
          copy(
            source, target, largeOffset + (start + index * stride) * inner,
            smallOffset + index * inner, inner)
        }
      }
    }
  }

  @inline(__always)
  private func copy(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ largeOffset: Int,
    _ smallOffset: Int, _ count: Int
  ) {
    switch direction {
    case .gather: (target + smallOffset).update(from: source + largeOffset, count: count)
    case .scatter, .place:
      (target + largeOffset).update(from: source + smallOffset, count: count)
    }
  }
}

/// `output[m, j, i] = input[m, i, j]`.
struct Transpose: Work {
  let input: BufferID, output: BufferID
  /// Of a matrix of the input.
  let rows: Int, columns: Int
  let matrices: Partition

  var parts: Int { matrices.parts }

  func run(part: Int, in context: StepContext) {
    for matrix in matrices.range(part) {
      let source = context.input(input) + matrix * rows * columns
      let target = context.output(output) + matrix * rows * columns
      for i in 0..<rows {
        for j in 0..<columns { target[j * rows + i] = source[i * columns + j] }
      }
    }
  }
}

struct AverageImages: Work {
  let input: BufferID, output: BufferID
  let pixels: Int, channels: Int
  let images: Partition

  var parts: Int { images.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.globalAverage(
      context.input(input), output: context.output(output), pixels: pixels, channels: channels,
      images: images.range(part))
  }
}

struct SpreadOverImages: Work {
  let gradient: BufferID, output: BufferID
  let pixels: Int, channels: Int
  let images: Partition

  var parts: Int { images.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.globalAverageGradient(
      context.input(gradient), inputGradient: context.output(output), pixels: pixels,
      channels: channels, images: images.range(part))
  }
}
