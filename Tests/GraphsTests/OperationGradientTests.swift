import ResidualReference
import Testing

/// Every gradient rule against central differences.
@Suite struct OperationGradientTests {
  struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    let name: String
    let input: Shape, filter: Shape, output: Shape
    let convolution: Operation.Convolution
    var testDescription: String { name }
  }

  @Test(arguments: [
    ConvolutionCase(
      name: "3×3", input: [2, 5, 4, 3], filter: [2, 3, 3, 3], output: [2, 5, 4, 2],
      convolution: .init(padding: 1)),
    ConvolutionCase(
      name: "3×3 stride 2 on odd sides", input: [1, 7, 5, 2], filter: [3, 2, 3, 3],
      output: [1, 4, 3, 3], convolution: .init(stride: 2, padding: 1)),
    ConvolutionCase(
      name: "3×3 stride 2 on even sides", input: [2, 6, 4, 2], filter: [3, 2, 3, 3],
      output: [2, 3, 2, 3], convolution: .init(stride: 2, padding: 1)),
    ConvolutionCase(
      name: "1×1 stride 2", input: [2, 5, 4, 3], filter: [4, 3, 1, 1], output: [2, 3, 2, 4],
      convolution: .init(stride: 2)),
    ConvolutionCase(
      name: "one pixel", input: [3, 1, 1, 3], filter: [2, 3, 3, 3], output: [3, 1, 1, 2],
      convolution: .init(padding: 1)),
    ConvolutionCase(
      name: "asymmetric padding and strides", input: [1, 5, 6, 2], filter: [2, 2, 3, 2],
      output: [1, 3, 9, 2],
      convolution: .init(
        strideHeight: 2, strideWidth: 1, padding: .init(top: 0, left: 3, bottom: 2, right: 1))),
    ConvolutionCase(
      name: "stride beyond the filter", input: [2, 7, 7, 1], filter: [1, 1, 2, 2],
      output: [2, 2, 2, 1], convolution: .init(stride: 4)),
    ConvolutionCase(
      name: "padding beyond the filter", input: [1, 2, 2, 1], filter: [2, 1, 1, 1],
      output: [1, 6, 6, 2], convolution: .init(padding: 2)),
  ])
  func convolution(_ test: ConvolutionCase) throws {
    try checkGradients([("input", test.input), ("filter", test.filter)], result: test.output) {
      $0.append(.convolution(test.convolution), $1, path: "convolution")
    }
  }

  @Test(arguments: [false, true], [false, true])
  func matrixProduct(transposesLeft: Bool, transposesRight: Bool) throws {
    let left: Shape = transposesLeft ? [4, 3] : [3, 4]
    let right: Shape = transposesRight ? [5, 4] : [4, 5]
    try checkGradients([("left", left), ("right", right)], result: [3, 5]) {
      $0.append(
        .matrixProduct(.init(transposesLeft: transposesLeft, transposesRight: transposesRight)),
        $1, path: "product")
    }
  }

  @Test(arguments: [[2, 3, 3, 3], [1, 3, 5, 2], [4, 1, 1, 3], [6, 4]] as [Shape])
  func batchNormalizationByTheBatch(shape: Shape) throws {
    let channels: Shape = [shape.channels]
    try checkGradients([("x", shape), ("scale", channels), ("shift", channels)], result: shape) {
      let count = $0.append(.channelStatistics(.init()), [$1[0]], path: "statistics")
      let variance = $0.append(
        .variance(.init(correction: 0)), [count, count.result(2)], path: "variance")
      return $0.append(
        .batchNormalization(.init(epsilon: 1e-3, statistics: .batch)),
        [$1[0], count.result(1), variance, $1[1], $1[2]], path: "normalization")
    }
  }

  @Test(arguments: [[2, 3, 3, 3], [1, 1, 1, 2], [5, 3]] as [Shape])
  func batchNormalizationByConstants(shape: Shape) throws {
    let channels: Shape = [shape.channels]
    let mean = numbers("mean", channels)
    let variance = Tensor(channels, numbers("variance", channels).scalars.map { 1.5 + $0 })
    try checkGradients(
      [("x", shape), ("scale", channels), ("shift", channels)], result: shape,
      inputs: ["mean": mean, "variance": variance]
    ) {
      let (mean, variance) = ($0.input("mean"), $0.input("variance"))
      return $0.append(
        .batchNormalization(.init(epsilon: 1e-3, statistics: .fixed)),
        [$1[0], mean, variance, $1[1], $1[2]], path: "normalization")
    }
  }

  @Test func addAndItsFanOut() throws {
    try checkGradients([("a", [2, 3, 2, 2]), ("b", [2, 3, 2, 2])], result: [2, 3, 2, 2]) {
      let sum = $0.append(.add(.init()), [$1[0], $1[1]], path: "sum")
      // Each value is used more than once, and `a` twice by one node.
      let twice = $0.append(.add(.init()), [$1[0], $1[0]], path: "twice")
      let rectified = $0.append(.relu(.init()), [sum], path: "relu")
      let partial = $0.append(.add(.init()), [rectified, twice], path: "partial")
      return $0.append(.add(.init()), [partial, sum], path: "all")
    }
  }

  @Test(arguments: [[2, 3, 2, 3], [4, 5], [1, 1]] as [Shape])
  func addBias(shape: Shape) throws {
    try checkGradients([("x", shape), ("bias", [shape.channels])], result: shape) {
      $0.append(.addBias(.init()), $1, path: "bias")
    }
  }

  @Test func relu() throws {
    try checkGradients([("x", [3, 3, 5, 2])], result: [3, 3, 5, 2]) {
      $0.append(.relu(.init()), $1, path: "relu")
    }
  }

  @Test(arguments: [[2, 3, 4, 3], [1, 1, 1, 2]] as [Shape])
  func globalAveragePooling(shape: Shape) throws {
    try checkGradients([("x", shape)], result: [shape[0], shape[3]]) {
      $0.append(.globalAveragePooling(.init()), $1, path: "pool")
    }
  }

  @Test(
    arguments: [
      (.init(size: 3, stride: 2, padding: 1), [2, 3, 3, 3]),
      (.init(size: 2, stride: 2, roundsUp: true), [2, 3, 3, 3]),
      (.init(size: 3, stride: 1), [2, 4, 3, 3]),
      (.init(size: 1, stride: 3), [2, 2, 2, 3]),
    ] as [(Operation.MaxPooling, Shape)])
  func maxPooling(pooling: Operation.MaxPooling, result: Shape) throws {
    try checkGradients([("x", [2, 6, 5, 3])], result: result) {
      $0.append(.maxPooling(pooling), $1, path: "pool")
    }
  }

  @Test(
    arguments: [
      (.init(axis: 1, stride: 2), [2, 3, 4, 2]),
      (.init(axis: 2, stride: 2), [2, 5, 2, 2]),
      (.init(axis: 2, start: 1, end: 1, stride: 3), [2, 5, 1, 2]),
      (.init(axis: 3, start: 1), [2, 5, 4, 1]),
      (.init(axis: 0, end: 1), [1, 5, 4, 2]),
    ] as [(Operation.Slice, Shape)])
  func slice(slice: Operation.Slice, result: Shape) throws {
    try checkGradients([("x", [2, 5, 4, 2])], result: result) {
      $0.append(.slice(slice), $1, path: "slice")
    }
  }

  @Test(
    arguments: [
      (.init(axis: 3, before: 0, after: 2), [2, 3, 2, 4]),
      (.init(axis: 3, before: 1, after: 2), [2, 3, 2, 5]),
      (.init(axis: 1, before: 2, after: 0), [2, 5, 2, 2]),
      (.init(axis: 0, before: 1, after: 1), [4, 3, 2, 2]),
    ] as [(Operation.Pad, Shape)])
  func pad(pad: Operation.Pad, result: Shape) throws {
    try checkGradients([("x", [2, 3, 2, 2])], result: result) {
      $0.append(.pad(pad), $1, path: "pad")
    }
  }

  @Test func differenceProductAndScale() throws {
    try checkGradients([("a", [2, 3, 2, 2]), ("b", [2, 3, 2, 2])], result: [2, 3, 2, 2]) {
      let difference = $0.append(.subtract(.init()), $1, path: "difference")
      let product = $0.append(.multiply(.init()), [difference, $1[1]], path: "product")
      return $0.append(.scale(.init(-1.5)), [product], path: "scaled")
    }
    try checkGradients([("a", [5, 3])], result: [5, 3]) {
      $0.append(.multiply(.init()), [$1[0], $1[0]], path: "square")
    }
  }

  @Test func sigmoid() throws {
    try checkGradients([("x", [3, 2, 5, 2])], result: [3, 2, 5, 2]) {
      $0.append(.sigmoid(.init()), $1, path: "sigmoid")
    }
  }

  @Test func dropout() throws {
    try checkGradients(
      [("x", [4, 30])], result: [4, 30], labels: ["key": [3, 4]]
    ) {
      let key = $0.input("key", .int32)
      return $0.append(.dropout(.init(rate: 0.4, stream: 5)), [$1[0], key], path: "dropout")
    }
  }

  @Test(
    arguments: [
      (.counting(.init(size: 3, stride: 2, padding: 1)), [2, 3, 3, 3]),
      (.notCounting(.init(size: 3, stride: 2, padding: 1)), [2, 3, 3, 3]),
      (.counting(.init(size: 2, stride: 2, roundsUp: true)), [2, 3, 3, 3]),
      (.adaptive(rows: 4, columns: 2), [2, 4, 2, 3]),
      (.adaptive(rows: 8, columns: 7), [2, 8, 7, 3]),
    ] as [(Operation.AveragePooling.Windows, Shape)])
  func averagePooling(windows: Operation.AveragePooling.Windows, result: Shape) throws {
    try checkGradients([("x", [2, 6, 5, 3])], result: result) {
      $0.append(.averagePooling(.init(windows)), $1, path: "pool")
    }
  }

  @Test func concatenate() throws {
    try checkGradients(
      [("a", [2, 3, 2, 2]), ("b", [2, 3, 2, 1]), ("c", [2, 3, 2, 3])], result: [2, 3, 2, 6]
    ) {
      $0.append(.concatenate(.init(axis: 3)), $1, path: "concatenate")
    }
  }

  @Test func flatten() throws {
    try checkGradients([("x", [2, 3, 2, 4])], result: [2, 24]) {
      $0.append(.flatten(.init()), $1, path: "flatten")
    }
  }

  /// Both shortcuts of option A: every second pixel, and zero channels behind or on both sides.
  @Test(arguments: [0, 2])
  func optionA(before: Int) throws {
    try checkGradients([("x", [2, 5, 4, 3])], result: [2, 3, 2, 7]) {
      let rows = $0.append(.slice(.init(axis: 1, stride: 2)), $1, path: "rows")
      let columns = $0.append(.slice(.init(axis: 2, stride: 2)), [rows], path: "columns")
      return $0.append(
        .pad(.init(axis: 3, before: before, after: 4 - before)), [columns], path: "channels")
    }
  }

  /// The logits themselves as the variable, and a sample that does not count.
  @Test func softmaxCrossEntropy() throws {
    var graph = Graph()
    let logits = graph.state(variable("logits", [3, 4]))
    graph.output(
      "loss",
      graph.append(
        .softmaxCrossEntropy(.init()),
        [logits, graph.input("labels", .int32), graph.input("weights")], path: "loss"))
    let check = try GradientCheck(
      graph, parameters: ["logits"], inputs: ["weights": Tensor([3], [1, 0, 0.5])],
      labels: ["labels": [3, 0, 1]])
    check.run()
    let gradient = check.plan.readDouble("gradient/logits")
    #expect(gradient[4..<8].allSatisfy { $0 == 0 }, "the second sample has weight 0")
  }
}
