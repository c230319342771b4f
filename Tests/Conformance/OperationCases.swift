import ResidualReference

extension ConformanceCase {
  /// One operation on inputs of given shapes; every result is an output.
  static func operation(
    _ name: String, _ operation: Operation, _ operands: [Shape], bound: Double,
    labels: Set<Int> = [], bytes: Set<Int> = [], positive: Set<Int> = [],
    values: [Int: [Float]] = [:], classes: Int = 10
  ) -> ConformanceCase {
    var graph = Graph()
    let inputs = operands.indices.map { index in
      graph.input(
        "x\(index)", labels.contains(index) ? .int32 : bytes.contains(index) ? .uint8 : .float32)
    }
    let value = graph.append(operation, inputs, path: "y")
    for result in 0..<operation.resultCount { graph.output("y\(result)", value.result(result)) }
    var given = Dictionary(uniqueKeysWithValues: values.map { ("x\($0.key)", $0.value) })
    for index in positive { given["x\(index)"] = Draw.positive("x\(index)", operands[index].count) }
    return ConformanceCase(
      name: name, graph: graph,
      shapes: Dictionary(
        uniqueKeysWithValues: operands.enumerated().map { ("x\($0.offset)", $0.element) }),
      bound: bound, values: given, classes: classes)
  }

  /// What elementwise arithmetic in float32 leaves: a few roundings of 2⁻²⁴ each.
  static let elementwise = 3e-7
  /// Sums of some thousand products; Winograd's transforms are ten times as noisy as plain sums.
  static let sums = 5e-6

  /// A convolution and both of its gradients.
  static func convolution(
    _ name: String, _ input: Shape, _ filter: Shape, _ convolution: Operation.Convolution
  ) -> ConformanceCase {
    let output: Shape = [
      input[0],
      (input[1] + convolution.padding.top + convolution.padding.bottom - filter[2])
        / convolution.strideHeight + 1,
      (input[2] + convolution.padding.left + convolution.padding.right - filter[3])
        / convolution.strideWidth + 1,
      filter[0],
    ]
    var graph = Graph()
    let (x, w, g) = (graph.input("input"), graph.input("filter"), graph.input("gradient"))
    graph.output("output", graph.append(.convolution(convolution), [x, w], path: "forward"))
    graph.output(
      "inputGradient",
      graph.append(
        .convolutionInputGradient(.init(convolution: convolution)), [g, w, x],
        path: "inputGradient"))
    graph.output(
      "filterGradient",
      graph.append(
        .convolutionFilterGradient(.init(convolution: convolution)), [g, x, w],
        path: "filterGradient"))
    return ConformanceCase(
      name: "convolution " + name, graph: graph,
      shapes: ["input": input, "filter": filter, "gradient": output], bound: sums)
  }

  static let convolutions: [ConformanceCase] = [
    // ResNet-20's layers.
    .convolution("conv1", [8, 32, 32, 3], [16, 3, 3, 3], .init(padding: 1)),
    .convolution("layer1", [8, 32, 32, 16], [16, 16, 3, 3], .init(padding: 1)),
    .convolution("layer2.0.conv1", [8, 32, 32, 16], [32, 16, 3, 3], .init(stride: 2, padding: 1)),
    .convolution("layer2", [8, 16, 16, 32], [32, 32, 3, 3], .init(padding: 1)),
    .convolution("layer3.0.conv1", [8, 16, 16, 32], [64, 32, 3, 3], .init(stride: 2, padding: 1)),
    .convolution("layer3", [8, 8, 8, 64], [64, 64, 3, 3], .init(padding: 1)),
    .convolution("layer1.0.downsample", [8, 32, 32, 16], [16, 16, 1, 1], .init()),
    .convolution("layer2.0.downsample", [8, 32, 32, 16], [32, 16, 1, 1], .init(stride: 2)),
    .convolution("layer3.0.downsample", [8, 16, 16, 32], [64, 32, 1, 1], .init(stride: 2)),
    // Awkward extents.
    .convolution("one pixel", [3, 1, 1, 5], [7, 5, 3, 3], .init(padding: 1)),
    .convolution("two pixels", [1, 2, 1, 16], [16, 16, 3, 3], .init(padding: 1)),
    .convolution("odd sides", [1, 7, 5, 17], [19, 17, 3, 3], .init(padding: 1)),
    .convolution("odd sides, stride 2", [2, 7, 5, 3], [9, 3, 3, 3], .init(stride: 2, padding: 1)),
    .convolution("one channel", [2, 9, 9, 1], [1, 1, 3, 3], .init(padding: 1)),
    .convolution("33 channels", [2, 6, 6, 33], [65, 33, 3, 3], .init(padding: 1)),
    .convolution("no padding", [2, 9, 6, 4], [8, 4, 3, 3], .init()),
    .convolution("padding 2", [2, 5, 6, 4], [8, 4, 3, 3], .init(padding: 2)),
    .convolution("padding beyond the filter", [2, 5, 6, 4], [8, 4, 1, 1], .init(padding: 1)),
    .convolution("5×5", [2, 9, 8, 3], [6, 3, 5, 5], .init(padding: 2)),
    .convolution("7×7, stride 2", [1, 23, 21, 3], [16, 3, 7, 7], .init(stride: 2, padding: 3)),
    .convolution("2×2, stride 2", [2, 8, 6, 4], [5, 4, 2, 2], .init(stride: 2)),
    .convolution("stride 3", [2, 11, 10, 4], [5, 4, 3, 3], .init(stride: 3, padding: 1)),
    .convolution("stride beyond the filter", [2, 9, 9, 4], [5, 4, 2, 2], .init(stride: 4)),
    .convolution(
      "rows and columns differ", [2, 9, 10, 4], [6, 4, 3, 2],
      .init(
        strideHeight: 2, strideWidth: 1, padding: .init(top: 0, left: 1, bottom: 2, right: 0))),
    .convolution("a filter as large as the image", [3, 4, 5, 6], [7, 6, 4, 5], .init()),
    .convolution("a wide row", [1, 1, 200, 3], [4, 3, 1, 3], .init()),
  ]

  static let matrixProducts: [ConformanceCase] = [(8, 64, 10), (1, 1, 1), (3, 65, 17), (33, 7, 2)]
    .flatMap { m, k, n in
      [(false, false), (false, true), (true, false), (true, true)].map { left, right in
        .operation(
          "matrix product \(m)×\(k)×\(n)" + (left ? ", left transposed" : "")
            + (right ? ", right transposed" : ""),
          .matrixProduct(.init(transposesLeft: left, transposesRight: right)),
          [left ? [k, m] : [m, k], right ? [n, k] : [k, n]], bound: sums)
      }
    }

  /// Activations of ResNet-20, odd ones, and a single pixel.
  static let activations: [Shape] = [
    [8, 32, 32, 16], [8, 16, 16, 32], [8, 8, 8, 64], [3, 5, 7, 3], [2, 3, 3, 17], [1, 1, 1, 5],
    [7, 10],
  ]

  static let activationCases: [ConformanceCase] = activations.flatMap {
    shape -> [ConformanceCase] in
    let c: Shape = [shape.channels]
    return [
      .operation("add \(shape)", .add(.init()), [shape, shape], bound: elementwise),
      .operation("addBias \(shape)", .addBias(.init()), [shape, c], bound: elementwise),
      .operation("relu \(shape)", .relu(.init()), [shape], bound: 0),
      .operation("reluGradient \(shape)", .reluGradient(.init()), [shape, shape], bound: 0),
      .operation("subtract \(shape)", .subtract(.init()), [shape, shape], bound: elementwise),
      .operation("multiply \(shape)", .multiply(.init()), [shape, shape], bound: elementwise),
      .operation("scale \(shape)", .scale(.init(-0.3)), [shape], bound: elementwise),
      .operation("sigmoid \(shape)", .sigmoid(.init()), [shape], bound: elementwise),
      .operation(
        "sigmoidGradient \(shape)", .sigmoidGradient(.init()), [shape, shape], bound: elementwise,
        positive: [1]),
      .operation(
        "dropout \(shape)", .dropout(.init(rate: 0.3, stream: 7)), [shape, [2]],
        bound: elementwise, labels: [1]),
      .operation("channelSum \(shape)", .channelSum(.init()), [shape], bound: sums),
      .operation("channelStatistics \(shape)", .channelStatistics(.init()), [shape], bound: sums),
      .operation(
        "batchNormalizationSums \(shape)", .batchNormalizationSums(.init()), [shape, shape, c],
        bound: sums),
    ]
      + [Operation.NormalizationStatistics.batch, .fixed].flatMap { statistics in
        [
          .operation(
            "batchNormalization by \(statistics) \(shape)",
            .batchNormalization(.init(epsilon: 1e-5, statistics: statistics)),
            [shape, c, c, c, c], bound: 2 * elementwise, positive: [2]),
          .operation(
            "batchNormalizationInputGradient by \(statistics) \(shape)",
            .batchNormalizationInputGradient(.init(epsilon: 1e-5, statistics: statistics)),
            [shape, shape, c, c, c, c, c], bound: sums, positive: [3]),
        ]
      }
  }

  static let otherCases: [ConformanceCase] =
    [
      .operation("constant", .constant(.init(0.1)), [], bound: 0),
      // Statistics of numbers far from zero: naive sums of squares lose all digits.
      .operation(
        "channelStatistics about 1000", .channelStatistics(.init()), [[4, 16, 16, 3]], bound: 1e-5,
        values: [0: Draw.numbers("far", 4 * 16 * 16 * 3).map { 1000 + $0 }]),
      .operation(
        "channelStatistics of a constant", .channelStatistics(.init()), [[4, 8, 8, 3]], bound: 1e-6,
        values: [0: [Float](repeating: 0.1, count: 768)]),
      .operation(
        "variance", .variance(.init(correction: 0)), [[], [17]], bound: elementwise,
        values: [0: [100]]),
      .operation(
        "unbiased variance", .variance(.init(correction: 1)), [[], [17]], bound: elementwise,
        values: [0: [100]]),
      .operation(
        "unbiased variance of one", .variance(.init(correction: 1)), [[], [3]], bound: elementwise,
        values: [0: [1]]),
      .operation(
        "movingAverage", .movingAverage(.init(weight: 0.1)), [[17], [17]], bound: elementwise),
      .operation(
        "batchNormalizationScaleGradient", .batchNormalizationScaleGradient(.init(epsilon: 1e-5)),
        [[17], [17]], bound: elementwise, positive: [1]),
      .operation("pooling 8×8", .globalAveragePooling(.init()), [[8, 8, 8, 64]], bound: sums),
      .operation("pooling 5×3", .globalAveragePooling(.init()), [[3, 5, 3, 7]], bound: sums),
      .operation("pooling one pixel", .globalAveragePooling(.init()), [[1, 1, 1, 2]], bound: 0),
      .operation(
        "pooling's gradient 8×8", .globalAveragePoolingGradient(.init()),
        [[8, 64], [8, 8, 8, 64]],
        bound: elementwise),
      .operation(
        "pooling's gradient 5×3", .globalAveragePoolingGradient(.init()), [[3, 7], [3, 5, 3, 7]],
        bound: elementwise),
      .operation(
        "momentumUpdate", .momentumUpdate(.init(weightDecay: 1e-4)),
        [[16, 16, 3, 3], [16, 16, 3, 3], [16, 16, 3, 3], [], []], bound: 2 * elementwise,
        values: [3: [0.1], 4: [0.9]]),
      .operation(
        "momentumUpdate with a rate of its own",
        .momentumUpdate(.init(weightDecay: 0, rateScale: 0.25)), [[7], [7], [7], [], []],
        bound: elementwise, values: [3: [0.1], 4: [0.9]]),
    ] + poolings + averagePoolings + slices + concatenations + losses

  private static let concatenations: [ConformanceCase] =
    [
      (3, [[2, 5, 4, 16], [2, 5, 4, 3], [2, 5, 4, 33]]), (3, [[2, 3, 3, 7]]),
      (0, [[2, 3], [1, 3]]), (1, [[4, 1, 5], [4, 3, 5], [4, 2, 5]]),
    ].flatMap { (axis: Int, shapes: [Shape]) -> [ConformanceCase] in
      let concatenation = Operation.Concatenate(axis: axis)
      let whole = shapes[0].replacing(axis: axis, with: shapes.reduce(0) { $0 + $1[axis] })
      return [
        .operation(
          "concatenate \(axis) of \(shapes)", .concatenate(concatenation), shapes, bound: 0)
      ]
        + shapes.indices.map { index in
          .operation(
            "concatenate's gradient \(axis), \(index) of \(shapes)",
            .concatenateGradient(.init(concatenation: concatenation, index: index)),
            [whole] + shapes, bound: 0)
        }
    }
    + [[2, 7, 7, 16], [1, 2, 3, 5], [3, 1, 1, 4]].flatMap { (shape: Shape) -> [ConformanceCase] in
      [
        .operation("flatten \(shape)", .flatten(.init()), [shape], bound: 0),
        .operation(
          "flatten's gradient \(shape)", .flattenGradient(.init()),
          [[shape[0], shape.count / shape[0]], shape], bound: 0),
      ]
    }

  private static let slicedShapes: [(Shape, Operation.Slice)] = [
    ([8, 32, 32, 16], .init(axis: 1, stride: 2)),
    ([8, 16, 32, 16], .init(axis: 2, stride: 2)), ([2, 7, 5, 3], .init(axis: 1, stride: 2)),
    ([2, 7, 5, 3], .init(axis: 2, start: 1, end: 1, stride: 2)),
    ([2, 7, 5, 3], .init(axis: 3, start: 1)), ([3, 1, 1, 3], .init(axis: 0, end: 2)),
    ([5, 4], .init(axis: 1, start: 1, end: 1)),
  ]

  private static let slices = slicedShapes.flatMap { shape, slice -> [ConformanceCase] in
    let kept = shape[slice.axis] - slice.start - slice.end
    let extent = (kept + slice.stride - 1) / slice.stride
    return [
      .operation("slice \(slice.axis) of \(shape)", .slice(slice), [shape], bound: 0),
      .operation(
        "slice's gradient \(slice.axis) of \(shape)", .sliceGradient(.init(slice: slice)),
        [shape.replacing(axis: slice.axis, with: extent), shape], bound: 0),
      .operation(
        "pad \(slice.axis) of \(shape)",
        .pad(.init(axis: slice.axis, before: slice.start, after: slice.stride)), [shape], bound: 0),
    ]
  }

  private static let losses: [ConformanceCase] = [(8, 10), (1, 2), (5, 100), (3, 1)].flatMap {
    n, k -> [ConformanceCase] in
    let logits: Shape = [n, k]
    let scaled: [Int: [Float]] = [0: Draw.numbers("logits", n * k).map { 10 * $0 }]
    return [
      .operation(
        "softmaxCrossEntropy \(logits)", .softmaxCrossEntropy(.init()), [logits, [n], [n]],
        bound: 1e-6, labels: [1], positive: [2], values: scaled, classes: k),
      .operation(
        "softmaxCrossEntropy of large logits \(logits)", .softmaxCrossEntropy(.init()),
        [logits, [n], [n]], bound: 1e-6, labels: [1], positive: [2],
        values: [0: Draw.numbers("logits", n * k).map { 200 * $0 + 500 }], classes: k),
      .operation(
        "softmaxCrossEntropyGradient \(logits)", .softmaxCrossEntropyGradient(.init()),
        [[], logits, [n], [n]], bound: 1e-6, labels: [2], positive: [0, 1, 3], classes: k),
      // Whole numbers, so that there are ties.
      .operation(
        "correctCount \(logits)", .correctCount(.init(top: 1)), [logits, [n], [n]],
        bound: elementwise, labels: [1], positive: [2],
        values: [0: Draw.numbers("logits", n * k).map { (3 * $0).rounded() }], classes: k),
      .operation(
        "correctCount of five \(logits)", .correctCount(.init(top: 5)), [logits, [n], [n]],
        bound: elementwise, labels: [1], positive: [2],
        values: [0: Draw.numbers("logits", n * k).map { (3 * $0).rounded() }], classes: k),
    ]
  }
}
