import ResidualExecution

/// A box of elements on either side of a copy: see Kernels/Movement.cu.
struct Box {
  /// The axes that a kernel knows.
  static let axes = 6
  var extents: [Int]
  var sourceStrides: [Int], targetStrides: [Int]
  var sourceStart = 0, targetStart = 0

  /// Distances between neighbours along each axis of a tensor that lies row by row.
  static func strides(_ extents: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: extents.count)
    for axis in stride(from: extents.count - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * extents[axis + 1]
    }
    return strides
  }

  /// Fewer axes: those of one element are dropped, and neighbours that lie together on both sides
  /// are joined.
  func joined() -> Box {
    var box = Box(extents: [], sourceStrides: [], targetStrides: [])
    (box.sourceStart, box.targetStart) = (sourceStart, targetStart)
    for axis in extents.indices where extents[axis] != 1 {
      if let last = box.extents.indices.last,
        box.sourceStrides[last] == sourceStrides[axis] * extents[axis],
        box.targetStrides[last] == targetStrides[axis] * extents[axis]
      {
        box.extents[last] *= extents[axis]
        (box.sourceStrides[last], box.targetStrides[last]) =
          (sourceStrides[axis], targetStrides[axis])
      } else {
        box.extents.append(extents[axis])
        box.sourceStrides.append(sourceStrides[axis])
        box.targetStrides.append(targetStrides[axis])
      }
    }
    precondition(box.extents.count <= Self.axes, "a box of \(box.extents.count) axes")
    return box
  }

  static func padded(_ numbers: [Int], with value: Int) -> [Int] {
    [Int](repeating: value, count: axes - numbers.count) + numbers
  }
}

extension CUDALowering {
  /// Lowers a node that only moves numbers.
  mutating func lowerMovement(
    _ operation: Operation, _ operands: [Value], _ value: Value, _ path: String
  ) {
    let type = storageType(value)
    let target = shape(value).extents
    let source = shape(operands[0]).extents
    switch operation {
    case .concatenate(let concatenation):
      let output = result(value)
      var start = 0
      for part in operands {
        var box = Box(
          extents: shape(part).extents, sourceStrides: Box.strides(shape(part).extents),
          targetStrides: Box.strides(target))
        box.targetStart = start * box.targetStrides[concatenation.axis]
        append(box, operand(part, as: type), output, type, path)
        start += shape(part)[concatenation.axis]
      }
    case .concatenateGradient(let gradient):
      var box = Box(
        extents: target, sourceStrides: Box.strides(source), targetStrides: Box.strides(target))
      let axis = gradient.concatenation.axis
      box.sourceStart = gradient.start(operands.map(shape)) * box.sourceStrides[axis]
      copy(box, operands[0], value, path)
    case .flatten:
      permute([source[0], source[1] * source[2], source[3]], [0, 2, 1], operands[0], value, path)
    case .flattenGradient:
      permute([target[0], target[3], target[1] * target[2]], [0, 2, 1], operands[0], value, path)
    case .transpose(let transposition):
      permute(source, transposition.permutation, operands[0], value, path)
    case .reshape, .reshapeGradient: permute([shape(value).count], [0], operands[0], value, path)
    case .broadcast:
      let aligned = [Int](repeating: 1, count: target.count - source.count) + source
      var strides = Box.strides(aligned)
      for axis in aligned.indices where aligned[axis] == 1 { strides[axis] = 0 }
      copy(
        Box(extents: target, sourceStrides: strides, targetStrides: Box.strides(target)),
        operands[0], value, path)
    case .broadcastGradient: lowerBroadcastGradient(operands[0], value, path)
    default: preconditionFailure("\(path) changes numbers")
    }
  }

  private mutating func permute(
    _ extents: [Int], _ permutation: [Int], _ source: Value, _ value: Value, _ path: String
  ) {
    let strides = Box.strides(extents)
    let target = permutation.map { extents[$0] }
    copy(
      Box(
        extents: target, sourceStrides: permutation.map { strides[$0] },
        targetStrides: Box.strides(target)),
      source, value, path)
  }

  private mutating func copy(_ box: Box, _ source: Value, _ value: Value, _ path: String) {
    let type = storageType(value)
    append(box, operand(source, as: type), result(value), type, path)
  }

  private mutating func append(
    _ box: Box, _ source: BufferID, _ target: BufferID, _ type: ElementType, _ path: String
  ) {
    let box = box.joined()
    let count = box.extents.reduce(1, *)
    guard count > 0 else { return }
    let arguments: [Argument] =
      [
        .buffer(source), .buffer(target), .wide(count), .wide(box.sourceStart),
        .wide(box.targetStart),
      ] + Box.padded(box.sourceStrides, with: 0).map { .wide($0) }
      + Box.padded(box.targetStrides, with: 0).map { .wide($0) }
      + Box.padded(box.extents, with: 1).map { .int($0) }
    launch("copyBox", type, .elements(count), arguments, path, touching: [source, target])
  }

  /// Lowers slices, paddings and their gradients that follow one another.
  mutating func lowerGather(_ chain: [Int]) {
    guard let first = chain.first, let last = chain.last else { return }
    let value = Value(node: last)
    let source = graph.nodes[first].operands[0]
    let (type, target) = (storageType(value), shape(value).extents)
    // One number of the result for one of an axis: (i · factor + offset) / divisor.
    var (factors, offsets, divisors) = ([1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1])
    var around: Float = 0
    // Axes are counted from the outermost of four.
    let missing = 4 - target.count
    precondition(missing >= 0, "a slice of \(target.count) axes")
    for node in chain {
      switch graph.nodes[node].operation {
      case .slice(let slice):
        factors[missing + slice.axis] = slice.stride
        offsets[missing + slice.axis] = slice.start
      case .sliceGradient(let gradient):
        divisors[missing + gradient.slice.axis] = gradient.slice.stride
        offsets[missing + gradient.slice.axis] = -gradient.slice.start
      case .pad(let pad):
        offsets[missing + pad.axis] = -pad.before
        around = pad.value
      default: preconditionFailure("\(graph.nodes[node].path) is no slice and no padding")
      }
    }
    let (input, output) = (operand(source, as: type), result(value))
    func four(_ shape: [Int]) -> [Int] { [Int](repeating: 1, count: missing) + shape }
    launch(
      "gather", type, .elements(shape(value).count),
      [.buffer(input), .buffer(output), .wide(shape(value).count)]
        + (four(target) + four(shape(source).extents) + factors + offsets + divisors)
        .map { .int($0) } + [.float(around)],
      graph.nodes[last].path, touching: [input, output])
  }

  private mutating func lowerBroadcastGradient(
    _ gradient: Value, _ value: Value, _ path: String
  ) {
    let type = storageType(value)
    let (large, small) = (shape(gradient).extents, shape(value).extents)
    let aligned = [Int](repeating: 1, count: large.count - small.count) + small
    let strides = Box.strides(large)
    precondition(large.count <= Box.axes, "a broadcast over \(large.count) axes")
    let isSummed = large.indices.map { aligned[$0] == 1 && large[$0] != 1 }
    let inner = large.indices.map { isSummed[$0] ? large[$0] : 1 }
    let (input, output) = (operand(gradient, as: type), result(value))
    let outerStrides = large.indices.map { isSummed[$0] ? 0 : strides[$0] }
    let innerStrides = large.indices.map { isSummed[$0] ? strides[$0] : 0 }
    let arguments: [Argument] =
      [
        .buffer(input), .buffer(output), .wide(shape(value).count), .wide(inner.reduce(1, *)),
      ] + Box.padded(outerStrides, with: 0).map { .wide($0) }
      + Box.padded(innerStrides, with: 0).map { .wide($0) }
      + Box.padded(aligned, with: 1).map { .int($0) } + Box.padded(inner, with: 1).map { .int($0) }
    launch(
      "sumBox", type, .elements(shape(value).count), arguments, path, touching: [input, output])
  }
}
