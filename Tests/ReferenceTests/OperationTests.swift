import ResidualReference
import Testing

/// Forward formulas against numbers worked out by hand.
@Suite struct OperationTests {
  @Test func convolution() throws {
    // A 3×3 image of 1…9 and a filter of powers of ten read off each neighbourhood.
    let image = Tensor([1, 3, 3, 1], (1...9).map(Double.init))
    let filter = Tensor([1, 1, 2, 2], [1000.0, 100, 10, 1])
    #expect(
      try evaluate(.convolution(.init()), [image, filter]).scalars == [1245, 2356, 4578, 5689])
    let padded = Operation.Convolution(
      strideHeight: 2, strideWidth: 3, padding: .init(top: 1, left: 1, bottom: 0, right: 1))
    #expect(
      try evaluate(.convolution(padded), [image, filter]).scalars
        == [1, 30, 407, 6090])
    // Two channels in and out: channels of a pixel are neighbours.
    let pixels = Tensor([1, 1, 2, 2], [1.0, 2, 3, 4])
    let mixing = Tensor([2, 2, 1, 1], [1.0, 10, 100, 1000])
    #expect(
      try evaluate(.convolution(.init()), [pixels, mixing]).scalars == [21, 2100, 43, 4300])
  }

  @Test func matrixProduct() throws {
    let (a, b) = (Tensor([2, 3], [1.0, 2, 3, 4, 5, 6]), Tensor([3, 1], [1.0, 10, 100]))
    #expect(try evaluate(.matrixProduct(.init()), [a, b]) == Tensor([2, 1], [321, 654]))
    #expect(
      try evaluate(
        .matrixProduct(.init(transposesLeft: true, transposesRight: true)),
        [Tensor([2, 1], [1.0, 10]), Tensor([2, 2], [1.0, 2, 3, 4])])
        == Tensor([1, 2], [21, 43]))
  }

  @Test func statistics() throws {
    let x = Tensor([2, 2, 2], [1.0, 10, 2, 20, 3, 30, 6, 60])
    #expect(try evaluate(.channelStatistics(.init()), [x], result: 0).scalars == [4])
    #expect(try evaluate(.channelStatistics(.init()), [x], result: 1).scalars == [3, 30])
    #expect(try evaluate(.channelStatistics(.init()), [x], result: 2).scalars == [14, 1400])
    let m2 = Tensor([2], [14.0, 1400])
    #expect(
      try evaluate(.variance(.init(correction: 0)), [Tensor([], [4.0]), m2]).scalars == [3.5, 350])
    #expect(
      try evaluate(.variance(.init(correction: 1)), [Tensor([], [1.0]), m2]) == m2,
      "the divisor is at least 1")
    #expect(
      try evaluate(.movingAverage(.init(weight: 0.25)), [m2, Tensor([2], [18.0, 1000])]).scalars
        == [15, 1300])
    #expect(try evaluate(.channelSum(.init()), [x]).scalars == [12, 120])
  }

  @Test func normalization() throws {
    let x = Tensor([2, 2], [1.0, 2, 3, 4])
    let vectors = [[2.0, 1], [0.75, 3.75], [3, 5], [7, 9]].map { Tensor([2], $0) }
    for statistics in [Operation.NormalizationStatistics.fixed, .batch] {
      #expect(
        try evaluate(
          .batchNormalization(.init(epsilon: 0.25, statistics: statistics)), [x] + vectors
        ).scalars == [4, 11.5, 10, 16.5])
    }
  }

  @Test func rectifier() throws {
    let x = Tensor([4], [-1.0, 0, 2, .nan])
    let y = try evaluate(.relu(.init()), [x]).scalars
    #expect(y[0..<3] == [0, 0, 2] && y[3].isNaN)
    let gradient = try evaluate(
      .reluGradient(.init()), [Tensor([3], [5.0, 6, 7]), Tensor([3], [0.0, 1, -1])])
    #expect(gradient.scalars == [0, 6, 0])
  }

  @Test func sliceAndPad() throws {
    let x = Tensor([2, 3], [1.0, 2, 3, 4, 5, 6])
    #expect(
      try evaluate(.slice(.init(axis: 1, stride: 2)), [x]) == Tensor([2, 2], [1, 3, 4, 6]))
    #expect(try evaluate(.slice(.init(axis: 0, start: 1)), [x]) == Tensor([1, 3], [4, 5, 6]))
    #expect(
      try evaluate(.pad(.init(axis: 1, before: 1, after: 2)), [Tensor([2, 1], [1.0, 2])])
        == Tensor([2, 4], [0, 1, 0, 0, 0, 2, 0, 0]))
    #expect(
      try evaluate(
        .sliceGradient(.init(slice: .init(axis: 1, stride: 2))),
        [Tensor([2, 2], [1.0, 2, 3, 4]), x])
        == Tensor([2, 3], [1, 0, 2, 3, 0, 4]))
  }

  @Test func pooling() throws {
    let x = Tensor([1, 2, 2, 2], [1.0, 10, 2, 20, 3, 30, 6, 60])
    #expect(try evaluate(.globalAveragePooling(.init()), [x]).scalars == [3, 30])
    #expect(
      try evaluate(.globalAveragePoolingGradient(.init()), [Tensor([1, 2], [4.0, 8]), x]).scalars
        == [1, 2, 1, 2, 1, 2, 1, 2])
  }

  /// As PyTorch: padding never wins, of equal pixels the first does, of several NaNs the last.
  @Test func maxPooling() throws {
    let x = Tensor([1, 3, 3, 1], [-1.0, -2, -3, -4, -9, -3, -5, -6, -7])
    let padded = Operation.MaxPooling(size: 3, stride: 2, padding: 1)
    #expect(try evaluate(.maxPooling(padded), [x]).scalars == [-1, -2, -4, -3])
    let ties = Tensor([1, 3, 3, 1], [1.0, 1, 2, 1, 2, 2, 2, 1, 2])
    let overlapping = Operation.MaxPooling(size: 2, stride: 1)
    #expect(
      try evaluate(
        .maxPoolingGradient(.init(pooling: overlapping)),
        [Tensor([1, 2, 2, 1], [1.0, 10, 100, 1000]), ties]
      ).scalars == [0, 0, 10, 0, 1101, 0, 0, 0, 0])
    let numbers = Tensor([1, 2, 2, 1], [.nan, 5.0, .nan, 7])
    let whole = Operation.MaxPooling(size: 2, stride: 2)
    #expect(try evaluate(.maxPooling(whole), [numbers]).scalars[0].isNaN)
    #expect(
      try evaluate(
        .maxPoolingGradient(.init(pooling: whole)), [Tensor([1, 1, 1, 1], [3.0]), numbers]
      ).scalars == [0, 0, 3, 0])
    let depths = Tensor([1, 1, 2, 1], [-Double.infinity, -.infinity])
    let gradient = try evaluate(
      .maxPoolingGradient(.init(pooling: padded)), [Tensor([1, 1, 1, 1], [3.0]), depths])
    #expect(gradient.scalars == [3, 0])
  }

  /// Logits whose exponentials are whole numbers; large ones must not overflow.
  @Test func crossEntropy() throws {
    func log(_ x: Double) -> Double { x == 0 ? 0 : logarithms[x] ?? .nan }
    let logarithms = [1.0: 0, 2: 0.6931471805599453, 4: 1.3862943611198906]
    let logits = Tensor(
      [3, 3], [log(1), log(1), log(2), 1000 + log(2), 1000 + log(1), 1000 + log(1), .nan, 0, 0])
    let weights = Tensor([3], [1.0, 3, 0])
    let labels: [Int32] = [2, 1, 0]
    let loss = try evaluate(
      .softmaxCrossEntropy(.init()), [logits, nil, weights], labels: labels
    ).scalars[0]
    // (ln 2 + 3 · ln 4) / 4
    #expect(abs(loss - 1.75 * 0.6931471805599453) < 1e-13)
    let probabilities = try evaluate(
      .softmaxCrossEntropy(.init()), [logits, nil, weights], labels: labels, result: 1)
    for (value, expected) in zip(probabilities.scalars, [0.25, 0.25, 0.5, 0.5, 0.25, 0.25]) {
      #expect(abs(value - expected) < 1e-13)
    }
    let gradient = try evaluate(
      .softmaxCrossEntropyGradient(.init()), [Tensor([], [8.0]), probabilities, nil, weights],
      labels: labels)
    for (value, expected) in zip(
      gradient.scalars, [0.5, 0.5, -1, 3, -4.5, 1.5, 0, 0, 0])
    {
      #expect(abs(value - expected) < 1e-12)
    }
  }

  @Test func correctCount() throws {
    let logits = Tensor(
      [5, 3], [1.0, 2, 3, /* ties */ 2, 2, 2, 2, 2, 2, 3, 2, 1, .nan, 0, 0])
    let weights = Tensor([5], [1.0, 10, 100, 1000, 10_000])
    let labels: [Int32] = [2, 0, 1, 2, 0]
    func count(_ top: Int) throws -> Double {
      try evaluate(.correctCount(.init(top: top)), [logits, nil, weights], labels: labels).scalars[
        0]
    }
    #expect(try count(1) == 11, "of equal logits the first counts as largest")
    #expect(try count(2) == 111)
    #expect(try count(3) == 1111, "what is not a number is never right")
  }

  @Test func labelsOutsideTheClassesTrap() async {
    await #expect(processExitsWith: .failure) {
      _ = try evaluate(
        .correctCount(.init(top: 1)), [Tensor([1, 3], [1.0, 2, 3]), nil, Tensor([1], [1.0])],
        labels: [3])
    }
  }
}

/// One result of one operation; an operand that is `nil` is the labels.
func evaluate(
  _ operation: Operation, _ operands: [Tensor<Double>?], labels: [Int32] = [], result: Int = 0
) throws -> Tensor<Double> {
  var graph = Graph()
  var shapes: [String: Shape] = [:]
  let values = operands.enumerated().map { index, tensor in
    shapes["x\(index)"] = tensor?.shape ?? [labels.count]
    return graph.input("x\(index)", tensor == nil ? .int32 : .float32)
  }
  graph.output("y", graph.append(operation, values, path: "y").result(result))
  let session = Session(device: ReferenceDevice(), store: Store(realType: .float64))
  let plan = try session.load(graph, inputs: shapes)
  for (index, tensor) in operands.enumerated() {
    if let tensor {
      plan.write(tensor.scalars, to: "x\(index)")
    } else {
      plan.write(labels, to: "x\(index)")
    }
  }
  plan.poison()
  plan.run()
  guard let output = plan.plan.outputs["y"] else { preconditionFailure("no output y") }
  return Tensor(plan.plan.buffers[output.index].shape, plan.readDouble("y"))
}
