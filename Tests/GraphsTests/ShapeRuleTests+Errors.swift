import ResidualGraphs
import Testing

/// Operands that do not fit, and what is said of them.
extension ShapeRuleTests {
  @Test(
    arguments: [
      (.relu(.init()), [[2], [2]], "takes 1 operands, not 2"),
      (
        .convolution(.init()), [[2, 8, 3], [5, 3, 3, 3]], "the input is [2, 8, 3], not of rank 4"
      ),
      (.convolution(.init()), [[2, 8, 8, 3], [5, 27]], "the filter is [5, 27], not of rank 4"),
      (
        .convolution(.init()), [[2, 8, 8, 3], [5, 4, 3, 3]],
        "the input [2, 8, 8, 3] has 3 channels, the filter 4"
      ),
      (
        .convolution(.init()), [[2, 8, 2, 3], [5, 3, 3, 3]],
        "the input [2, 8, 2, 3] with its padding is smaller than the filter [5, 3, 3, 3]"
      ),
      (
        .convolutionInputGradient(.init(convolution: .init())),
        [[2, 4, 4, 5], [5, 3, 3, 3], [2, 8, 8, 3]],
        "the output gradient is [2, 4, 4, 5], not [2, 6, 6, 5]"
      ),
      (
        .convolutionFilterGradient(.init(convolution: .init())),
        [[2, 4, 4, 5], [2, 8, 8, 3], [5, 3, 3, 3]],
        "the output gradient is [2, 4, 4, 5], not [2, 6, 6, 5]"
      ),
      (.matrixProduct(.init()), [[2], [3, 4]], "matrices of [2] and [3, 4] do not fit"),
      (.matrixProduct(.init()), [[2, 3], [3]], "matrices of [2, 3] and [3] do not fit"),
      (.matrixProduct(.init()), [[2, 3], [4, 3]], "matrices of [2, 3] and [4, 3] do not fit"),
      (.channelStatistics(.init()), [[7]], "[7] has no channel axis"),
      (.variance(.init(correction: 0)), [[7], [7]], "the count is [7], not []"),
      (.movingAverage(.init(weight: 1)), [[7], [6]], "the new value is [6], not [7]"),
      (
        .batchNormalization(.init(epsilon: 1, statistics: .batch)), [[2, 7], [7], [7], [6], [7]],
        "scale is [6], not [7]"
      ),
      (
        .batchNormalizationSums(.init()), [[2, 6], [2, 7], [7]],
        "the gradient is [2, 6], not [2, 7]"
      ),
      (.batchNormalizationSums(.init()), [[2, 7], [2, 7], [6]], "the mean is [6], not [7]"),
      (
        .batchNormalizationScaleGradient(.init(epsilon: 1)), [[7], [6]],
        "the variance is [6], not [7]"
      ),
      (
        .batchNormalizationInputGradient(.init(epsilon: 1, statistics: .fixed)),
        [[3, 7], [2, 7], [7], [7], [7], [7], [7]], "the gradient is [3, 7], not [2, 7]"
      ),
      (
        .batchNormalizationInputGradient(.init(epsilon: 1, statistics: .fixed)),
        [[2, 7], [2, 7], [7], [7], [7], [7], [6]], "a channel vector is [6], not [7]"
      ),
      (.add(.init()), [[2, 3], [3, 2]], "the second addend is [3, 2], not [2, 3]"),
      (.addBias(.init()), [[2, 3], [2]], "the bias is [2], not [3]"),
      (.reluGradient(.init()), [[2, 3], [3]], "the activation is [3], not [2, 3]"),
      (.subtract(.init()), [[2, 3], [3, 2]], "the subtrahend is [3, 2], not [2, 3]"),
      (.multiply(.init()), [[2, 3], [2]], "the second factor is [2], not [2, 3]"),
      (.sigmoidGradient(.init()), [[2, 3], [3]], "the result is [3], not [2, 3]"),
      (.dropout(.init(rate: 0, stream: 1)), [[2, 3], []], "the key is [], not [2]"),
      (
        .assembleImages(.init()), [[9, 8, 6, 1], [2, 4], [3], [3]],
        "an image is [8, 6, 1], not [8, 6, 3]"
      ),
      (
        .assembleImages(.init()), [[9, 8, 6, 3], [2, 3], [3], [3]],
        "a list of samples is [2, 3], not [2, 4]"
      ),
      (
        .assembleImages(.init()), [[9, 8, 6, 3], [2, 4], [6, 8, 3], [3]],
        "the mean is [6, 8, 3], not [8, 6, 3]"
      ),
      (
        .assembleImages(.init()), [[9, 8, 6, 3], [2, 4], [3], [8, 6, 3]],
        "the deviation is [8, 6, 3], not [3]"
      ),
      (
        .averagePooling(.init(.adaptive(rows: 1, columns: 1))), [[2, 0, 3, 4]],
        "the input [2, 0, 3, 4] has no pixels"
      ),
      (
        .averagePooling(.init(.counting(.init(size: 5, stride: 3)))), [[2, 4, 4, 1]],
        "the input [2, 4, 4, 1] with its padding is smaller than the window 5 × 5"
      ),
      (.concatenate(.init(axis: 1)), [], "nothing to concatenate"),
      (.concatenate(.init(axis: 2)), [[2, 3]], "[2, 3] has no axis 2"),
      (
        .concatenate(.init(axis: 1)), [[2, 3], [3, 3]], "[3, 3] and [2, 3] differ beyond axis 1"
      ),
      (
        .concatenateGradient(.init(concatenation: .init(axis: 1), index: 2)),
        [[2, 5], [2, 3], [2, 2]], "no operand 2 among 2"
      ),
      (
        .concatenateGradient(.init(concatenation: .init(axis: 1), index: 0)),
        [[2, 6], [2, 3], [2, 2]], "the gradient is [2, 6], not [2, 5]"
      ),
      (.flatten(.init()), [[2, 3]], "the input is [2, 3], not of rank 4"),
      (.flattenGradient(.init()), [[2, 6], [2, 1, 1, 7]], "the gradient is [2, 6], not [2, 7]"),
      (.globalAveragePooling(.init()), [[2, 3]], "the input is [2, 3], not of rank 4"),
      (
        .globalAveragePoolingGradient(.init()), [[2, 4], [2, 5, 6, 3]],
        "the gradient is [2, 4], not [2, 3]"
      ),
      (
        .slice(.init(axis: 1, start: 2, end: 3)), [[4, 5]],
        "cannot drop 2 and 3 elements of axis 1 of [4, 5]"
      ),
      (.slice(.init(axis: 2)), [[4, 5]], "cannot drop 0 and 0 elements of axis 2 of [4, 5]"),
      (
        .sliceGradient(.init(slice: .init(axis: 1, stride: 2))), [[2, 2], [2, 5]],
        "the gradient is [2, 2], not [2, 3]"
      ),
      (.pad(.init(axis: 2, before: 0, after: 1)), [[4, 5]], "[4, 5] has no axis 2"),
      (.softmaxCrossEntropy(.init()), [[5], [2], [2]], "the logits is [5], not of rank 2"),
      (.softmaxCrossEntropy(.init()), [[2, 5], [3], [2]], "the labels is [3], not [2]"),
      (.softmaxCrossEntropy(.init()), [[2, 5], [2], [3]], "the weights is [3], not [2]"),
      (
        .softmaxCrossEntropyGradient(.init()), [[2], [2, 5], [2], [2]],
        "the gradient is [2], not []"
      ),
      (
        .softmaxCrossEntropyGradient(.init()), [[], [], [2], [2]],
        "the probabilities is [], not of rank 2"
      ),
      (.correctCount(.init(top: 1)), [[], [2], [2]], "the logits is [], not of rank 2"),
      (
        .maxPooling(.init(size: 3, stride: 2)), [[2, 5, 7]], "the input is [2, 5, 7], not of rank 4"
      ),
      (
        .maxPooling(.init(size: 4, stride: 2, roundsUp: true)), [[2, 3, 9, 1]],
        "the input [2, 3, 9, 1] with its padding is smaller than the window 4 × 4"
      ),
      (
        .maxPoolingGradient(.init(pooling: .init(size: 3, stride: 2))),
        [[2, 3, 3, 4], [2, 5, 7, 4]],
        "the output gradient is [2, 3, 3, 4], not [2, 2, 3, 4]"
      ),
      (.correctCount(.init(top: 1)), [[2, 5], [5], [2]], "the labels is [5], not [2]"),
      (
        .momentumUpdate(.init(weightDecay: 0)), [[4], [5], [4], [], []],
        "the velocity is [5], not [4]"
      ),
      (
        .momentumUpdate(.init(weightDecay: 0)), [[4], [4], [5], [], []],
        "the gradient is [5], not [4]"
      ),
      (
        .momentumUpdate(.init(weightDecay: 0)), [[4], [4], [4], [1], []],
        "the learning rate is [1], not []"
      ),
      (
        .momentumUpdate(.init(weightDecay: 0)), [[4], [4], [4], [], [1]],
        "the momentum is [1], not []"
      ),
      (
        .momentumUpdate(.init(weightDecay: 0)), [[4], [4], [4], []],
        "takes 5 to 7 operands, not 4"
      ),
      (
        .momentumUpdate(.init(weightDecay: 0)), [[4], [4], [4], [], [], [4], [2]],
        "the gate is [4], not []"
      ),
      (
        .momentumUpdate(.init(weightDecay: 0)), [[4], [4], [4], [], [], [], []],
        "the gradient's factors is [], not [2]"
      ),
      (.gradientNorm(.init()), [[]], "takes a scale and at least one gradient"),
      (.gradientNorm(.init()), [[2], [2]], "the loss scale is [2], not []"),
      (.select(.init()), [[2], [2], [2]], "the gate is [2], not []"),
      (.select(.init()), [[], [2], [3]], "the second tensor is [3], not [2]"),
      (.lossScaleUpdate(.init()), [[], [], [1]], "the gate is [1], not []"),
      (.lossScaleUpdate(.init()), [[], [1], []], "the number of steps is [1], not []"),
    ] as [(Operation, [Shape], String)])
  func errors(operation: Operation, operands: [Shape], message: String) {
    let error = #expect(throws: ShapeError.self) { try shapes(operation, operands) }
    #expect(error?.description == "node: " + message)
  }

  @Test func inputsNeedShapes() {
    var graph = Graph()
    graph.output("y", graph.input("x"))
    let error = #expect(throws: ShapeError.self) { try graph.shapes(inputs: [:]) }
    #expect(error?.description == "input 'x' has no shape")
  }
}
