import ResidualReference

extension ConformanceCase {
  private static let pools: [(Shape, Shape, Operation.MaxPooling)] = [
    // ResNet's, on images of 64 and 70 pixels; the others are awkward.
    ([2, 32, 32, 64], [2, 16, 16, 64], .init(size: 3, stride: 2, padding: 1)),
    ([3, 35, 35, 64], [3, 18, 18, 64], .init(size: 3, stride: 2, padding: 1)),
    ([3, 7, 5, 17], [3, 3, 2, 17], .init(size: 3, stride: 2)),
    ([3, 8, 6, 5], [3, 4, 3, 5], .init(size: 3, stride: 2, roundsUp: true)),
    ([2, 9, 9, 33], [2, 2, 2, 33], .init(size: 2, stride: 4)),
    ([2, 5, 6, 3], [2, 5, 6, 3], .init(size: 3, stride: 1, padding: 1)),
    ([1, 1, 1, 2], [1, 1, 1, 2], .init(size: 3, stride: 2, padding: 1)),
    (
      [2, 6, 40, 16], [2, 3, 20, 16],
      .init(
        windowHeight: 4, windowWidth: 2, strideHeight: 1, strideWidth: 2,
        padding: .init(top: 0, left: 1, bottom: 0, right: 0))
    ),
  ]

  static let poolings = pools.flatMap { input, output, pooling -> [ConformanceCase] in
    // Few whole numbers, so that there are ties.
    let ties = Draw.numbers("pixels", input.count).map { (3 * $0).rounded() }
    return [
      .operation("maxPooling of \(input)", .maxPooling(pooling), [input], bound: 0),
      .operation(
        "maxPooling's gradient of \(input)", .maxPoolingGradient(.init(pooling: pooling)),
        [output, input], bound: elementwise, values: [1: ties]),
    ]
  }

  private static let averages: [(Shape, Shape, Operation.AveragePooling)] = [
    // GoogLeNet's, VGG's on images of 224 and 64 pixels; the others are awkward.
    ([2, 14, 14, 512], [2, 4, 4, 512], .init(.counting(.init(size: 5, stride: 3)))),
    ([2, 14, 14, 64], [2, 4, 4, 64], .init(.adaptive(rows: 4, columns: 4))),
    ([2, 7, 7, 64], [2, 7, 7, 64], .init(.adaptive(rows: 7, columns: 7))),
    ([2, 2, 2, 33], [2, 7, 7, 33], .init(.adaptive(rows: 7, columns: 7))),
    ([3, 5, 8, 3], [3, 3, 2, 3], .init(.adaptive(rows: 3, columns: 2))),
    ([2, 5, 6, 5], [2, 3, 3, 5], .init(.counting(.init(size: 3, stride: 2, padding: 1)))),
    ([2, 5, 6, 5], [2, 3, 3, 5], .init(.notCounting(.init(size: 3, stride: 2, padding: 1)))),
    (
      [2, 6, 6, 17], [2, 3, 3, 17],
      .init(.counting(.init(size: 3, stride: 2, roundsUp: true)))
    ),
  ]

  static let averagePoolings = averages.flatMap {
    input, output, pooling -> [ConformanceCase] in
    [
      .operation(
        "averagePooling \(pooling.windows) of \(input)", .averagePooling(pooling), [input],
        bound: sums),
      .operation(
        "averagePooling's gradient \(pooling.windows) of \(input)",
        .averagePoolingGradient(.init(pooling: pooling)), [output, input], bound: sums),
    ]
  }
}
