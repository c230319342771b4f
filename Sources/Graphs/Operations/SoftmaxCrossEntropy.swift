extension Operation {
  /// The mean cross-entropy of the softmax of the logits, each sample with its weight:
  ///
  ///     loss = Σ_n w_n · (log Σ_k exp(z_nk) − z_n,label) / Σ_n w_n
  ///
  /// A sample of weight 0 does not count: so a partial batch runs through a full batch's plan.
  /// Operands: logits `[N, K]`, labels `[N]` (int32), weights `[N]`. Results: loss (scalar),
  /// probabilities `[N, K]`.
  public struct SoftmaxCrossEntropy: OperationRule {
    /// The operation has no attributes.
    public init() {}
    var resultCount: Int { 2 }

    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(3, operands)
      try expect("the logits", operands[0], rank: 2)
      try expect("the labels", operands[1], toBe: [operands[0][0]])
      try expect("the weights", operands[2], toBe: [operands[0][0]])
      return [.scalar, operands[0]]
    }
    func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
      let operands = graph.nodes[node.node].operands
      let logits = graph.append(
        .softmaxCrossEntropyGradient(.init()),
        [gradient, node.result(1), operands[1], operands[2]],
        gradientOf: node)
      return [logits, nil, nil]
    }
  }

  /// `g · w_n · (p_nk − [k = label_n]) / Σ w`. Operands: g (scalar), probabilities `[N, K]`, labels
  /// `[N]`, weights `[N]`. Result: `[N, K]`.
  public struct SoftmaxCrossEntropyGradient: OperationRule {
    /// The operation has no attributes.
    public init() {}
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(4, operands)
      try expect("the probabilities", operands[1], rank: 2)
      try expect("the gradient", operands[0], toBe: .scalar)
      try expect("the labels", operands[2], toBe: [operands[1][0]])
      try expect("the weights", operands[3], toBe: [operands[1][0]])
      return [operands[1]]
    }
  }

  /// The weight of the samples whose label is among the `top` largest logits.
  ///
  /// A logit equal to the label's counts as larger where its index is smaller; one that is not a
  /// number counts as larger, and every logit is larger than one that is not. Operands: logits
  /// `[N, K]`, labels `[N]`, weights `[N]`. Result: scalar.
  public struct CorrectCount: OperationRule {
    /// How many of the largest logits count as predicted: 1 or 5 in the paper.
    public let top: Int
    /// - Parameter top: 1 for the predicted class alone.
    public init(top: Int) { self.top = top }
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
      try expect(3, operands)
      try expect("the logits", operands[0], rank: 2)
      try expect("the labels", operands[1], toBe: [operands[0][0]])
      try expect("the weights", operands[2], toBe: [operands[0][0]])
      return [.scalar]
    }
  }
}
