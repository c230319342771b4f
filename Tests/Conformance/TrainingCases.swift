import ResidualReference

/// Operations that only steps of training have: images out of a set, updates, loss scaling.
extension ConformanceCase {
  static let trainingCases: [ConformanceCase] =
    assemblies + scalings + updates + norms + selections
  /// Sums of squares in float32 of some ten thousand numbers, merged in double precision.
  private static let squares = 1e-6

  /// Windows that lie within the image, across its borders, beside it, and no image at all.
  private static let windows: [Float] = [
    0, 0, 0, 0, 3, 4, -4, 0, 5, -4, 4, 1, 2, 1, 2, 1, 4, 0, -2, 1, 1, 40, 0, 0, 1, 0, -40, 1,
    -1, 0, 0, 0, -1, 2, -3, 1,
  ]

  private static let scalings: [ConformanceCase] =
    [[1, 3, 1], [2, 3, 1], [0x1p24, 3, 1], [8, 3, .nan], [1, 0, .infinity], [4, 1, 0]].map {
      (state: [Float]) in
      .operation(
        "lossScaleUpdate of \(state)", .lossScaleUpdate(.init(growthInterval: 4)), [[], [], []],
        bound: 0, values: [0: [state[0]], 1: [state[1]], 2: [state[2]]])
    }

  private static let updates: [ConformanceCase] = [[5], [64, 32, 3, 3], [40_000]].flatMap {
    (shape: Shape) in
    [0, -3, .nan, .infinity, -.infinity].map { (gate: Float) in
      .operation(
        "momentumUpdate of scaled gradients \(shape), gate \(gate)",
        .momentumUpdate(.init(weightDecay: 1e-4)), [shape, shape, shape, [], [], [], [2]],
        bound: squares, values: [3: [0.1], 4: [0.9], 5: [gate], 6: [1.0 / 3, 0.7]])
    }
  }

  /// Norms of many tensors of any shapes; clipped or not.
  private static let norms: [ConformanceCase] = [Float.infinity, 100, 10].map { maximum in
    .operation(
      "gradientNorm up to \(maximum)", .gradientNorm(.init(maximum: maximum)),
      [[], [7, 3, 3, 3], [], [5], [40_000]] + [Shape](repeating: [3], count: 50), bound: squares,
      values: [0: [4]])
  }

  /// Whether a number among gradients is finite decides between two tensors, in place.
  private static let selections: [ConformanceCase] = [1, .infinity, .nan, -.infinity].map {
    (number: Float) in
    var graph = Graph()
    let (scale, x, y) = (graph.input("scale"), graph.input("x"), graph.input("y"))
    let slot = StateSlot(
      name: "mean", shape: [300], role: .statistic, initialValue: .constant(0))
    let norm = graph.append(.gradientNorm(.init()), [scale, x, y], path: "norm")
    let new = graph.append(
      .movingAverage(.init(weight: 0.5)), [graph.state(slot), graph.input("new")], path: "new")
    graph.bind(
      "mean", to: graph.append(.select(.init()), [norm, new, graph.state(slot)], path: "kept"))
    graph.output(
      "y", graph.append(.select(.init()), [norm, graph.input("new"), new], path: "other"))
    return ConformanceCase(
      name: "select by a norm with \(number)", graph: graph,
      shapes: ["scale": [], "x": [40_000], "y": [3], "new": [300]], bound: elementwise,
      values: ["scale": [2], "x": [Float](repeating: 1, count: 39_999) + [number]])
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
