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
  mutating func lower(_ concatenation: Operation.Concatenate, _ node: Node, _ value: Value) {
    let (type, target) = (storageType(value), shape(value).extents)
    let output = result(value)
    var start = 0
    for part in node.operands {
      var box = Box(
        extents: shape(part).extents, sourceStrides: Box.strides(shape(part).extents),
        targetStrides: Box.strides(target))
      box.targetStart = start * box.targetStrides[concatenation.axis]
      append(box, operand(part, as: type), output, type, node)
      start += shape(part)[concatenation.axis]
    }
  }

  mutating func lower(_ gradient: Operation.ConcatenateGradient, _ node: Node, _ value: Value) {
    let (source, target) = (shape(node.operands[0]).extents, shape(value).extents)
    var box = Box(
      extents: target, sourceStrides: Box.strides(source), targetStrides: Box.strides(target))
    let axis = gradient.concatenation.axis
    box.sourceStart = gradient.start(node.operands.map(shape)) * box.sourceStrides[axis]
    copy(box, node, value)
  }

  mutating func lowerBroadcast(_ node: Node, _ value: Value) {
    let (source, target) = (shape(node.operands[0]).extents, shape(value).extents)
    let aligned = [Int](repeating: 1, count: target.count - source.count) + source
    var strides = Box.strides(aligned)
    for axis in aligned.indices where aligned[axis] == 1 { strides[axis] = 0 }
    copy(
      Box(extents: target, sourceStrides: strides, targetStrides: Box.strides(target)), node, value)
  }

  /// A change of the order of axes of what is seen as `extents`.
  mutating func permute(
    _ extents: [Int], _ permutation: [Int], _ node: Node, _ value: Value
  ) {
    let strides = Box.strides(extents)
    let target = permutation.map { extents[$0] }
    copy(
      Box(
        extents: target, sourceStrides: permutation.map { strides[$0] },
        targetStrides: Box.strides(target)),
      node, value)
  }

  private mutating func copy(_ box: Box, _ node: Node, _ value: Value) {
    let type = storageType(value)
    append(box, operand(node.operands[0], as: type), result(value), type, node)
  }

  private mutating func append(
    _ box: Box, _ source: BufferID, _ target: BufferID, _ type: ElementType, _ node: Node
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
    launch("copyBox", type, .elements(count), arguments, node, touching: [source, target])
  }

  /// Lowers slices, paddings and their gradients that follow one another.
  mutating func lowerGather(_ chain: CUDARegions.Gather) {
    let (node, value) = (graph.nodes[chain.last], Value(node: chain.last))
    let source = graph.nodes[chain.first].operands[0]
    let (type, target) = (storageType(value), shape(value).extents)
    // One number of the result for one of an axis: (i · factor + offset) / divisor.
    var (factors, offsets, divisors) = ([1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1])
    // Axes are counted from the outermost of four.
    let missing = 4 - target.count
    precondition(missing >= 0, "a slice of \(target.count) axes")
    for move in chain.moves {
      factors[missing + move.axis] = move.factor
      offsets[missing + move.axis] = move.offset
      divisors[missing + move.axis] = move.divisor
    }
    let around = chain.moves.compactMap(\.around).last ?? 0
    let (input, output) = (operand(source, as: type), result(value))
    func four(_ shape: [Int]) -> [Int] { [Int](repeating: 1, count: missing) + shape }
    var (large, small) = (four(target), four(shape(source).extents))
    // Channels that stay together are moved 16 bytes at a time.
    let pack = 16 / type.size
    let isWide =
      factors[3] == 1 && divisors[3] == 1
      && [offsets[3], large[3], small[3]].allSatisfy { $0 % pack == 0 }
    if isWide {
      large[3] /= pack
      small[3] /= pack
      offsets[3] /= pack
    }
    let count = large.reduce(1, *)
    launch(
      isWide ? "gatherWide" : "gatherNarrow", type, .elements(count),
      [.buffer(input), .buffer(output), .wide(count)]
        + (large + small + factors + offsets + divisors).map { .int($0) } + [.float(around)],
      node, touching: [input, output])
  }

  mutating func lowerBroadcastGradient(_ node: Node, _ value: Value) {
    let (gradient, type) = (node.operands[0], storageType(value))
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
      "sumBox", type, .elements(shape(value).count), arguments, node, touching: [input, output])
  }
}
