import ResidualGraphs
import Testing

@Suite struct ShapeRuleTests {
  /// The shapes of an operation's results.
  func shapes(_ operation: Operation, _ operands: [Shape]) throws -> [Shape] {
    var graph = Graph()
    let values = operands.indices.map { graph.input("x\($0)") }
    let value = graph.append(operation, values, path: "node")
    let inputs = Dictionary(
      uniqueKeysWithValues: operands.enumerated().map { ("x\($0.offset)", $0.element) })
    return try graph.shapes(inputs: inputs)[value.node]
  }

  @Test(
    arguments: [
      (.constant(.init(1)), [], [[]]),
      (.assembleImages(.init()), [[9, 8, 6, 3], [2, 4], [3], [3]], [[2, 8, 6, 3]]),
      (
        .assembleImages(.init()), [[9, 8, 6, 3], [2, 4], [8, 6, 3], [8, 6, 3]], [[2, 8, 6, 3]]
      ),
      (.convolution(.init(padding: 1)), [[2, 8, 6, 3], [5, 3, 3, 3]], [[2, 8, 6, 5]]),
      (
        .convolution(.init(stride: 2, padding: 1)), [[2, 7, 8, 3], [5, 3, 3, 3]], [[2, 4, 4, 5]]
      ),
      (.convolution(.init(stride: 2)), [[1, 5, 4, 1], [1, 1, 2, 2]], [[1, 2, 2, 1]]),
      (
        .convolution(
          .init(
            strideHeight: 1, strideWidth: 2,
            padding: .init(top: 1, left: 0, bottom: 2, right: 3))),
        [[1, 4, 5, 1], [2, 1, 3, 3]], [[1, 5, 3, 2]]
      ),
      (
        .convolutionInputGradient(.init(convolution: .init(stride: 2, padding: 1))),
        [[2, 4, 4, 5], [5, 3, 3, 3], [2, 7, 8, 3]], [[2, 7, 8, 3]]
      ),
      (
        .convolutionFilterGradient(.init(convolution: .init(stride: 2, padding: 1))),
        [[2, 4, 4, 5], [2, 7, 8, 3], [5, 3, 3, 3]], [[5, 3, 3, 3]]
      ),
      (.matrixProduct(.init()), [[2, 3], [3, 4]], [[2, 4]]),
      (.matrixProduct(.init(transposesLeft: true)), [[3, 2], [3, 4]], [[2, 4]]),
      (.matrixProduct(.init(transposesRight: true)), [[2, 3], [4, 3]], [[2, 4]]),
      (.channelStatistics(.init()), [[2, 3, 3, 7]], [[], [7], [7]]),
      (.variance(.init(correction: 1)), [[], [7]], [[7]]),
      (.movingAverage(.init(weight: 0.1)), [[7], [7]], [[7]]),
      (
        .batchNormalization(.init(epsilon: 1, statistics: .batch)),
        [[2, 5, 7], [7], [7], [7], [7]],
        [[2, 5, 7]]
      ),
      (.batchNormalizationSums(.init()), [[2, 7], [2, 7], [7]], [[7], [7]]),
      (.batchNormalizationScaleGradient(.init(epsilon: 1)), [[7], [7]], [[7]]),
      (
        .batchNormalizationInputGradient(.init(epsilon: 1, statistics: .fixed)),
        [[2, 7], [2, 7], [7], [7], [7], [7], [7]], [[2, 7]]
      ),
      (.add(.init()), [[2, 3], [2, 3]], [[2, 3]]),
      (.addBias(.init()), [[2, 3, 4], [4]], [[2, 3, 4]]),
      (.channelSum(.init()), [[2, 3, 4]], [[4]]),
      (.relu(.init()), [[2, 3]], [[2, 3]]),
      (.reluGradient(.init()), [[2, 3], [2, 3]], [[2, 3]]),
      (.subtract(.init()), [[2, 3], [2, 3]], [[2, 3]]),
      (.multiply(.init()), [[2, 3], [2, 3]], [[2, 3]]),
      (.scale(.init(2)), [[2, 3]], [[2, 3]]),
      (.sigmoid(.init()), [[2, 3]], [[2, 3]]),
      (.sigmoidGradient(.init()), [[2, 3], [2, 3]], [[2, 3]]),
      (.dropout(.init(rate: 0.5, stream: 1)), [[2, 3], [2]], [[2, 3]]),
      (
        .averagePooling(.init(.counting(.init(size: 5, stride: 3)))), [[2, 14, 14, 8]],
        [[2, 4, 4, 8]]
      ),
      (.averagePooling(.init(.adaptive(rows: 7, columns: 6))), [[2, 2, 9, 8]], [[2, 7, 6, 8]]),
      (
        .averagePoolingGradient(.init(pooling: .init(.adaptive(rows: 7, columns: 6)))),
        [[2, 7, 6, 8], [2, 2, 9, 8]], [[2, 2, 9, 8]]
      ),
      (.concatenate(.init(axis: 3)), [[2, 4, 5, 3], [2, 4, 5, 7]], [[2, 4, 5, 10]]),
      (
        .concatenateGradient(.init(concatenation: .init(axis: 1), index: 1)),
        [[2, 5], [2, 3], [2, 2]], [[2, 2]]
      ),
      (.flatten(.init()), [[2, 4, 5, 3]], [[2, 60]]),
      (.flattenGradient(.init()), [[2, 60], [2, 4, 5, 3]], [[2, 4, 5, 3]]),
      (.globalAveragePooling(.init()), [[2, 5, 6, 3]], [[2, 3]]),
      (.globalAveragePoolingGradient(.init()), [[2, 3], [2, 5, 6, 3]], [[2, 5, 6, 3]]),
      (
        .maxPooling(.init(size: 3, stride: 2, padding: 1)), [[2, 112, 7, 3]], [[2, 56, 4, 3]]
      ),
      (.maxPooling(.init(size: 3, stride: 2)), [[2, 112, 7, 3]], [[2, 55, 3, 3]]),
      (.maxPooling(.init(size: 3, stride: 2, roundsUp: true)), [[2, 112, 7, 3]], [[2, 56, 3, 3]]),
      // A last window that would begin in the padding below is left out.
      (
        .maxPooling(.init(size: 3, stride: 2, padding: 1, roundsUp: true)), [[2, 4, 3, 1]],
        [[2, 3, 2, 1]]
      ),
      (
        .maxPooling(.init(size: 2, stride: 3, padding: 1, roundsUp: true)), [[1, 5, 6, 1]],
        [[1, 2, 3, 1]]
      ),
      (
        .maxPooling(
          .init(
            windowHeight: 2, windowWidth: 3, strideHeight: 1, strideWidth: 3,
            padding: .init(top: 1, left: 0, bottom: 0, right: 2))), [[2, 5, 6, 1]], [[2, 5, 2, 1]]
      ),
      (
        .maxPoolingGradient(.init(pooling: .init(size: 3, stride: 2))),
        [[2, 2, 3, 4], [2, 5, 7, 4]], [[2, 5, 7, 4]]
      ),
      (.slice(.init(axis: 1, stride: 2)), [[2, 5]], [[2, 3]]),
      (.slice(.init(axis: 0, start: 1, end: 2, stride: 3)), [[7, 5]], [[2, 5]]),
      (.sliceGradient(.init(slice: .init(axis: 1, stride: 2))), [[2, 3], [2, 5]], [[2, 5]]),
      (.pad(.init(axis: 1, before: 2, after: 3)), [[4, 5]], [[4, 10]]),
      (.softmaxCrossEntropy(.init()), [[2, 5], [2], [2]], [[], [2, 5]]),
      (.softmaxCrossEntropyGradient(.init()), [[], [2, 5], [2], [2]], [[2, 5]]),
      (.correctCount(.init(top: 5)), [[2, 5], [2], [2]], [[]]),
      (.momentumUpdate(.init(weightDecay: 0)), [[4], [4], [4], [], []], [[4], [4], [3]]),
      (.momentumUpdate(.init(weightDecay: 0)), [[4], [4], [4], [], [], []], [[4], [4], [3]]),
      (.momentumUpdate(.init(weightDecay: 0)), [[4], [4], [4], [], [], [], [2]], [[4], [4], [3]]),
      (.gradientNorm(.init()), [[], [4], [2, 3], []], [[], [2]]),
      (.select(.init()), [[], [2, 3], [2, 3]], [[2, 3]]),
      (.lossScaleUpdate(.init()), [[], [], []], [[], []]),
    ] as [(Operation, [Shape], [Shape])])
  func results(operation: Operation, operands: [Shape], results: [Shape]) throws {
    #expect(try shapes(operation, operands) == results)
    #expect(operation.resultCount == results.count)
  }

  /// Multiply-adds, counted by hand.
  @Test(
    arguments: [
      (.convolution(.init(padding: 1)), [[2, 8, 6, 3], [5, 3, 3, 3]], 2 * 8 * 6 * 5 * 27),
      (.convolution(.init(stride: 2, padding: 1)), [[1, 8, 8, 3], [5, 3, 3, 3]], 16 * 5 * 27),
      (
        .convolutionInputGradient(.init(convolution: .init(stride: 2, padding: 1))),
        [[1, 4, 4, 5], [5, 3, 3, 3], [1, 8, 8, 3]], 16 * 5 * 27
      ),
      (
        .convolutionFilterGradient(.init(convolution: .init(stride: 2, padding: 1))),
        [[1, 4, 4, 5], [1, 8, 8, 3], [5, 3, 3, 3]], 16 * 5 * 27
      ),
      (.matrixProduct(.init(transposesLeft: true)), [[3, 2], [3, 4]], 24),
      (.add(.init()), [[3, 2], [3, 2]], 0),
    ] as [(Operation, [Shape], Int)])
  func multiplyAdds(operation: Operation, operands: [Shape], count: Int) throws {
    let results = try shapes(operation, operands)
    #expect(operation.multiplyAdds(operands: operands, results: results) == count)
  }

  @Test func operandsThatAreNeededForTheirShapeAlone() {
    let convolution = Operation.Convolution(padding: 1)
    let gradient = Operation.convolutionInputGradient(.init(convolution: convolution))
    #expect((0..<3).map(gradient.readsOnlyShape) == [false, false, true])
    let slice = Operation.sliceGradient(.init(slice: .init(axis: 0)))
    #expect((0..<2).map(slice.readsOnlyShape) == [false, true])
    #expect(!Operation.convolution(convolution).readsOnlyShape(ofOperand: 0))
  }
}
