import ResidualReference

/// Operations that only steps of training have: images out of a set, loss scaling.
extension ConformanceCase {
  static let trainingCases: [ConformanceCase] = assemblies + scalings

  /// Windows that lie within the image, across its borders, beside it, and no image at all.
  private static let windows: [Float] = [
    0, 0, 0, 0, 3, 4, -4, 0, 5, -4, 4, 1, 2, 1, 2, 1, 4, 0, -2, 1, 1, 40, 0, 0, 1, 0, -40, 1,
    -1, 0, 0, 0, -1, 2, -3, 1,
  ]

  private static let scalings: [ConformanceCase] =
    [[], [.infinity], [.nan], [-.infinity, 0]].map { (end: [Float]) in
      let last = [Float](repeating: 1, count: 40_000 - end.count) + end
      return .operation(
        "allFinite of \(end)", .allFinite(.init()), [[7, 3, 3, 3], [], [5], [40_000]], bound: 0,
        values: [3: last])
    }
    + [[1, 3, 1], [2, 3, 1], [0x1p24, 3, 1], [8, 3, 0], [1, 0, 0]].map { (state: [Float]) in
      .operation(
        "lossScaleUpdate of \(state)", .lossScaleUpdate(.init(growthInterval: 4)), [[], [], []],
        bound: 0, values: [0: [state[0]], 1: [state[1]], 2: [state[2]]])
    }
    + [([5], 1), ([5], 0), ([64, 32, 3, 3], 1), ([64, 32, 3, 3], 0)].map {
      (shape: Shape, finite: Float) in
      .operation(
        "momentumUpdate of scaled gradients \(shape), finite: \(finite)",
        .momentumUpdate(.init(weightDecay: 1e-4)), [shape, shape, shape, [], [], [], []],
        bound: elementwise, values: [3: [0.1], 4: [0.9], 5: [3], 6: [finite]])
    }

  private static let assemblies: [ConformanceCase] = [(32, 32), (5, 7), (1, 1)].flatMap {
    height, width -> [ConformanceCase] in
    [[3], [height, width, 3]].map { (statistic: Shape) in
      .operation(
        "assembleImages of \(height)×\(width) by statistics of \(statistic)",
        .assembleImages(.init()),
        [[6, height, width, 3], [windows.count / 4, 4], statistic, statistic],
        bound: elementwise, labels: [1], bytes: [0], positive: [3], values: [1: windows])
    }
  }
}
