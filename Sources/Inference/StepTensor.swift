import ResidualNetworks

/// The names of the tensors that training and evaluation exchange with a plan.
package enum StepTensor {
  /// Input `[N, H, W, 3]`.
  package static let images = Network.imagesInput
  /// Inputs in the place of `images` where a set lies on the device: its pixels `[M, H, W, 3]`
  /// (uint8), and the samples `[N, 4]` (int32), see ``Operation/AssembleImages``.
  package static let pixels = Graph.pixelsInput, samples = Graph.samplesInput
  /// Likewise the normalisation of the pixels, `[H, W, 3]` or `[3]`.
  package static let pixelMean = Graph.pixelMeanInput, pixelDeviation = Graph.pixelDeviationInput
  /// Input `[N]` (int32): the index of each sample's class.
  package static let labels = "labels"
  /// The weight of each sample in the loss: 1, or 0 to fill up a partial batch.
  package static let weights = "weights"
  /// Input (scalar), given again for each step of training.
  package static let learningRate = Graph.learningRateInput
  /// Input (scalar), likewise.
  package static let momentum = Graph.momentumInput
  /// Input `[2]` (int32) of training with dropout, likewise.
  package static let dropoutKey = Network.dropoutKeyInput
  /// Output (scalar): the weighted mean cross-entropy of the samples, in nats; in training with
  /// ``Network/auxiliaryWeight`` times that of each auxiliary classifier.
  package static let loss = "loss"
  /// Output (scalar): the weight of the samples whose label has the largest logit.
  package static let correct = "correct"
  /// Output `[3 · parameters]` of training only, see ``Graph/squaresOutput``.
  package static let squares = Graph.squaresOutput
  /// Output (scalar) of evaluation only: the same for the five largest logits.
  package static let correctOfFive = "correct5"
}

extension Network {
  /// Evaluation of one batch as a graph: the logits, the loss and the numbers of correct samples.
  package func evaluationStep() -> Graph {
    var graph = graph(.inference)
    _ = graph.appendLoss(countsFive: true)
    return graph.pruned()
  }

  /// The shapes of the inputs of a step on a batch of images.
  package func stepShapes(batch: Int) -> [String: Shape] {
    [
      StepTensor.images: imagesShape(batch: batch), StepTensor.labels: [batch],
      StepTensor.weights: [batch], StepTensor.learningRate: .scalar, StepTensor.momentum: .scalar,
      StepTensor.dropoutKey: [2],
    ]
  }
}

extension Graph {
  /// Appends the mean cross-entropy of the logits and the numbers of correct samples.
  ///
  /// - Precondition: the graph is a network's.
  package mutating func appendLoss(countsFive: Bool) -> Value {
    guard let logits = output(Network.logitsOutput) else {
      preconditionFailure("the graph has no output \(Network.logitsOutput)")
    }
    let labels = input(StepTensor.labels, .int32)
    let weights = input(StepTensor.weights)
    let operands = [logits, labels, weights]
    let loss = appendObjective(labels: labels, weights: weights, path: StepTensor.loss)
    output(StepTensor.loss, loss)
    output(
      StepTensor.correct,
      append(.correctCount(.init(top: 1)), operands, path: StepTensor.correct))
    if countsFive {
      output(
        StepTensor.correctOfFive,
        append(.correctCount(.init(top: 5)), operands, path: StepTensor.correctOfFive))
    }
    return loss
  }
}
