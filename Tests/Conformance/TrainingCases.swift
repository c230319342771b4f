import ResidualReference

/// Operations that only steps of training have: images out of a set.
extension ConformanceCase {
  static let trainingCases: [ConformanceCase] = assemblies

  /// Windows that lie within the image, across its borders, beside it, and no image at all.
  private static let windows: [Float] = [
    0, 0, 0, 0, 3, 4, -4, 0, 5, -4, 4, 1, 2, 1, 2, 1, 4, 0, -2, 1, 1, 40, 0, 0, 1, 0, -40, 1,
    -1, 0, 0, 0, -1, 2, -3, 1,
  ]

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
