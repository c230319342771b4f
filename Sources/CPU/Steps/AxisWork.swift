import ResidualExecution

extension AxisView {
  /// Parts of the outer index, of at least 16,384 numbers.
  var partition: Partition { Partition(outer, grain: max(1, 16_384 / max(1, extent * inner))) }
}

/// Copies between a larger tensor and some of the places along one of its axes.
struct CopyAlongAxis: Work {
  enum Direction: Hashable, Sendable {
    /// Places of the larger tensor are read: a slice.
    case gather
    /// Places of the larger tensor are written, all others set to one number: padding, and the
    /// gradient of a slice.
    case scatter(Float)
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
      if case .scatter(let value) = direction {
        (target + largeOffset).update(repeating: value, count: large.extent * inner)
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

/// The offsets of a tensor's numbers by an index of other axes: `offset = Σ index[i] · strides[i]`.
struct StridedView: Hashable, Sendable {
  let extents: [Int], strides: [Int]

  /// The numbers of the index.
  var count: Int { extents.reduce(1, *) }

  /// The offset of a row-major index.
  func offset(_ index: Int) -> Int {
    var (rest, offset) = (index, 0)
    for axis in extents.indices.reversed() {
      offset += rest % extents[axis] * strides[axis]
      rest /= extents[axis]
    }
    return offset
  }

  /// All axes but the last.
  var outer: StridedView {
    StridedView(extents: extents.dropLast(), strides: strides.dropLast())
  }

  /// A tensor's axes in another order.
  init(_ shape: Shape, permutation: [Int]) {
    var distances = [Int](repeating: 1, count: shape.rank)
    for axis in (0..<max(0, shape.rank - 1)).reversed() {
      distances[axis] = distances[axis + 1] * shape[axis + 1]
    }
    self.init(
      extents: permutation.map { shape[$0] }, strides: permutation.map { distances[$0] })
  }

  /// A tensor as if it had the shape that it was broadcast to.
  init(_ shape: Shape, broadcastTo large: Shape) {
    let own = StridedView(shape, permutation: Array(0..<shape.rank))
    let missing = [Int](repeating: 0, count: large.rank - shape.rank)
    self.init(
      extents: large.extents,
      strides: missing + zip(shape.extents, own.strides).map { $0 == 1 ? 0 : $1 })
  }

  init(extents: [Int], strides: [Int]) { (self.extents, self.strides) = (extents, strides) }
}

/// `output[i, j, …] = input[offset(i, j, …)]`: a transposition or a broadcast.
struct CopyByStrides: Work {
  let input: BufferID, output: BufferID
  let view: StridedView

  private var rows: Partition {
    Partition(
      view.extents.dropLast().reduce(1, *),
      grain: max(1, 16_384 / max(1, view.extents.last ?? 1)))
  }

  var parts: Int { rows.parts }

  func run(part: Int, in context: StepContext) {
    let outer = view.outer
    let (count, stride) = (view.extents.last ?? 1, view.strides.last ?? 1)
    for row in rows.range(part) {
      let source = context.input(input) + outer.offset(row)
      let target = context.output(output) + row * count
      for index in 0..<count { target[index] = source[index * stride] }
    }
  }
}

/// Sums over the axes along which a broadcast repeated, in row-major order.
struct SumOverBroadcast: Work {
  let gradient: BufferID, output: BufferID
  /// The gradient's numbers by the indices of the output, and by those that are summed over.
  let kept: StridedView, summed: StridedView

  init(gradient: BufferID, output: BufferID, large: Shape, small: Shape) {
    (self.gradient, self.output) = (gradient, output)
    let all = StridedView(large, permutation: Array(0..<large.rank))
    let repeated = StridedView(small, broadcastTo: large).strides.map { $0 == 0 }
    func part(_ isRepeated: Bool) -> StridedView {
      let axes = repeated.indices.filter { repeated[$0] == isRepeated }
      return StridedView(
        extents: axes.map { all.extents[$0] }, strides: axes.map { all.strides[$0] })
    }
    (kept, summed) = (part(false), part(true))
  }

  private var elements: Partition {
    Partition(kept.count, grain: max(1, 16_384 / max(1, summed.count)))
  }

  var parts: Int { elements.parts }

  func run(part: Int, in context: StepContext) {
    for element in elements.range(part) {
      let source = context.input(gradient) + kept.offset(element)
      var sum = 0.0
      for index in 0..<summed.count { sum += Double(source[summed.offset(index)]) }
      context.output(output)[element] = Float(sum)
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
