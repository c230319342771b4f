/// What a rewrite that repeats nodes must know of a graph.
struct RepeatableNodes {
  /// For each node whether it belongs to the forward pass, and reads nothing of another one.
  let isForward: [Bool]
  /// For each node the nodes whose results it reads, beyond their shape.
  let reads: [[Int]]
  /// Where checkpoints may stand: rectified sums, or all rectifiers where nothing is added.
  let blockOutputs: [Int]
  private let kinds: [Kind]

  private enum Kind { case activation, sum, convolution, other }

  /// For each node whether it is repeated for other repetitions, and for the backward pass.
  struct Choice {
    var isRepeated: [Bool], isRepeatedForBackward: [Bool]
  }

  init(_ graph: Graph) {
    let nodes = graph.nodes
    var isForward = [Bool](repeating: true, count: nodes.count)
    for (index, node) in nodes.enumerated() {
      isForward[index] =
        node.pass == .forward && node.operands.allSatisfy { isForward[$0.node] }
    }
    self.isForward = isForward
    reads = nodes.map { node in
      node.operands.indices.filter { !node.operation.readsOnlyShape(ofOperand: $0) }
        .map { node.operands[$0].node }
    }
    func isSum(_ index: Int) -> Bool {
      if case .add = nodes[index].operation { true } else { false }
    }
    kinds = nodes.indices.map { index in
      guard isForward[index] else { return .other }
      return switch nodes[index].operation {
      case .batchNormalization: .activation
      case .relu: isSum(nodes[index].operands[0].node) ? .sum : .activation
      case .add, .slice, .pad: .sum
      case .convolution: .convolution
      default: .other
      }
    }
    let rectifiers = nodes.indices.filter { index in
      if case .relu = nodes[index].operation { isForward[index] } else { false }
    }
    let sums = rectifiers.filter { isSum(nodes[$0].operands[0].node) }
    blockOutputs = sums.isEmpty ? rectifiers : sums
  }

  /// The nodes that a rewrite repeats.
  func choice(_ recomputation: Recomputation) -> Choice {
    let none = [Bool](repeating: false, count: kinds.count)
    var choice = Choice(isRepeated: none, isRepeatedForBackward: none)
    guard recomputation != .nothing else { return choice }
    choice.isRepeatedForBackward = kinds.map { $0 == .activation }
    let interval: Int
    var keeping = blockOutputs.count
    switch recomputation {
    case .nothing, .activations: return choice
    case .blockOutputs(let every): interval = every
    case .convolutions(let every, let last): (interval, keeping) = (every, last)
    }
    precondition(interval > 0 && keeping >= 0, "every \(interval)-th block, keeping \(keeping)")
    let checkpoints = stride(from: interval - 1, to: blockOutputs.count, by: interval)
      .map { blockOutputs[$0] }
    // The backward pass begins behind the last one: to repeat what it reads first saves nothing.
    let end = checkpoints.last ?? 0
    let convolutionEnd =
      keeping < blockOutputs.count ? min(end, blockOutputs[blockOutputs.count - 1 - keeping]) : 0
    for index in 0..<end {
      switch kinds[index] {
      case .activation, .sum: choice.isRepeated[index] = true
      case .convolution: choice.isRepeated[index] = index < convolutionEnd
      case .other: break
      }
    }
    for checkpoint in checkpoints {
      choice.isRepeated[checkpoint] = false
      choice.isRepeatedForBackward[checkpoint] = false
    }
    return choice
  }
}
