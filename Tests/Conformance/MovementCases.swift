import ResidualReference

/// Operations that come with graphs from elsewhere: axes that change, broadcasts, softmax.
extension ConformanceCase {
  static let imported: [ConformanceCase] =
    transpositions + broadcasts + reshapes + softmaxes + batchedProducts + dilated
    + [
      .operation(
        "pad with a number", .pad(.init(axis: 2, before: 2, after: 1, value: -1.5)),
        [[2, 3, 4, 5]],
        bound: 0)
    ]

  private static let transpositions: [ConformanceCase] = [
    ([2, 5, 7, 16], [0, 3, 1, 2]), ([2, 16, 5, 7], [0, 2, 3, 1]), ([33, 17], [1, 0]),
    ([3, 4, 5], [2, 1, 0]), ([7], [0]), ([], []), ([2, 1, 3, 1, 2], [4, 2, 0, 1, 3]),
  ].map { (shape: Shape, permutation: [Int]) in
    .operation(
      "transpose \(permutation) of \(shape)", .transpose(.init(permutation)), [shape],
      bound: 0)
  }

  private static let broadcasts: [ConformanceCase] = [
    ([5], [3, 4, 5], 0), ([1, 5, 1, 16], [2, 5, 7, 16], 0), ([3, 1, 3, 4], [1, 2, 4, 2], 2),
    ([], [2, 3], 0), ([4, 5], [4, 5], 0), ([2, 3, 1], [2, 3, 40_000], 0),
  ].flatMap { (x: Shape, other: Shape, leaving: Int) -> [ConformanceCase] in
    let broadcast = Operation.Broadcast(leaving: leaving)
    let outer = zip(
      [Int](repeating: 1, count: max(0, other.rank - x.rank)) + x.extents, other.extents)
    let large = Shape(outer.map { max($0, $1) }.dropLast(leaving) + x.extents.suffix(leaving))
    return [
      .operation("broadcast \(x) to \(large)", .broadcast(broadcast), [x, other], bound: 0),
      .operation(
        "broadcast's gradient \(large) to \(x)", .broadcastGradient(.init()), [large, x],
        bound: elementwise),
    ]
  }

  private static let reshapes: [ConformanceCase] = [
    ([2, 3, 4], [.copied(axis: 0), .rest], [2, 12]),
    ([2, 3, 4], [.fixed(4), .copied(axis: 0), .rest, .fixed(1)], [4, 2, 3, 1]),
    ([6], [.fixed(1), .fixed(2), .fixed(3)], [1, 2, 3]),
  ].flatMap { (x: Shape, extents: [Operation.Reshape.Extent], y: Shape) -> [ConformanceCase] in
    [
      .operation("reshape \(x) to \(y)", .reshape(.init(extents)), [x], bound: 0),
      .operation(
        "reshape's gradient \(y) to \(x)", .reshapeGradient(.init()), [y, x], bound: 0),
    ]
  }

  private static let softmaxes: [ConformanceCase] = [
    ([3, 4, 5], 0), ([3, 4, 5], 1), ([3, 4, 5], 2), ([7, 1000], 1), ([2, 1], 1),
  ].flatMap { (shape: Shape, axis: Int) -> [ConformanceCase] in
    let large = Draw.numbers("x", shape.count).map { 100 * $0 + 50 }
    return [
      .operation(
        "softmax \(axis) of \(shape)", .softmax(.init(axis: axis)), [shape], bound: 1e-6,
        values: [0: large]),
      .operation(
        "softmax's gradient \(axis) of \(shape)",
        .softmaxGradient(.init(softmax: .init(axis: axis))), [shape, shape], bound: 1e-6,
        positive: [1]),
    ]
  }

  private static let batchedProducts: [ConformanceCase] = [
    (false, false), (false, true), (true, false), (true, true),
  ].map { (left: Bool, right: Bool) in
    .operation(
      "matrix products of batches, transposed: \(left), \(right)",
      .matrixProduct(.init(transposesLeft: left, transposesRight: right)),
      [left ? [2, 3, 7, 5] : [2, 3, 5, 7], right ? [2, 3, 4, 7] : [2, 3, 7, 4]], bound: sums)
  }

  private static let dilatedPools: [(Shape, Shape, Operation.MaxPooling)] = [
    (
      [2, 9, 8, 17], [2, 4, 3, 17],
      .init(
        windowHeight: 3, windowWidth: 2, strideHeight: 2, strideWidth: 2,
        padding: .init(top: 1, left: 0, bottom: 1, right: 1), dilationHeight: 2, dilationWidth: 3)
    ),
    (
      [3, 40, 6, 16], [3, 32, 5, 16],
      .init(
        windowHeight: 5, windowWidth: 2, strideHeight: 1, strideWidth: 1, roundsUp: true,
        dilationHeight: 2, dilationWidth: 1)
    ),
  ]

  private static let dilated = dilatedPools.flatMap { input, output, pooling -> [ConformanceCase] in
    let ties = Draw.numbers("pixels", input.count).map { (3 * $0).rounded() }
    return [
      .operation("dilated maxPooling of \(input)", .maxPooling(pooling), [input], bound: 0),
      .operation(
        "dilated maxPooling's gradient of \(input)", .maxPoolingGradient(.init(pooling: pooling)),
        [output, input], bound: elementwise, values: [1: ties]),
    ]
      + [Operation.AveragePooling(.counting(pooling)), .init(.notCounting(pooling))].flatMap {
        average -> [ConformanceCase] in
        [
          .operation(
            "dilated averagePooling \(average.windows) of \(input)", .averagePooling(average),
            [input], bound: sums),
          .operation(
            "dilated averagePooling's gradient \(average.windows) of \(input)",
            .averagePoolingGradient(.init(pooling: average)), [output, input], bound: sums),
        ]
      }
  }
}
