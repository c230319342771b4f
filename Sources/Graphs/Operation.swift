/// The closed set of operations.
///
/// Each case carries its attributes; its shape rule, cost and gradient stand beside them in
/// `Operations/`. Numbers that change from step to step, such as the learning rate, are inputs and
/// never attributes.
public enum Operation: Hashable, Sendable {
  case input(Input)
  case state(State)
  case constant(Constant)
  case assembleImages(AssembleImages)
  case convolution(Convolution)
  case convolutionInputGradient(ConvolutionInputGradient)
  case convolutionFilterGradient(ConvolutionFilterGradient)
  case matrixProduct(MatrixProduct)
  case channelStatistics(ChannelStatistics)
  case variance(Variance)
  case movingAverage(MovingAverage)
  case batchNormalization(BatchNormalization)
  case batchNormalizationSums(BatchNormalizationSums)
  case batchNormalizationScaleGradient(BatchNormalizationScaleGradient)
  case batchNormalizationInputGradient(BatchNormalizationInputGradient)
  case add(Add)
  case addBias(AddBias)
  case channelSum(ChannelSum)
  case relu(ReLU)
  case reluGradient(ReLUGradient)
  case subtract(Subtract)
  case multiply(Multiply)
  case scale(Scale)
  case sigmoid(Sigmoid)
  case sigmoidGradient(SigmoidGradient)
  case maxPooling(MaxPooling)
  case maxPoolingGradient(MaxPoolingGradient)
  case averagePooling(AveragePooling)
  case averagePoolingGradient(AveragePoolingGradient)
  case globalAveragePooling(GlobalAveragePooling)
  case globalAveragePoolingGradient(GlobalAveragePoolingGradient)
  case slice(Slice)
  case sliceGradient(SliceGradient)
  case pad(Pad)
  case concatenate(Concatenate)
  case concatenateGradient(ConcatenateGradient)
  case flatten(Flatten)
  case flattenGradient(FlattenGradient)
  case reshape(Reshape)
  case reshapeGradient(ReshapeGradient)
  case transpose(Transpose)
  case broadcast(Broadcast)
  case broadcastGradient(BroadcastGradient)
  case softmax(Softmax)
  case softmaxGradient(SoftmaxGradient)
  case dropout(Dropout)
  case softmaxCrossEntropy(SoftmaxCrossEntropy)
  case softmaxCrossEntropyGradient(SoftmaxCrossEntropyGradient)
  case correctCount(CorrectCount)
  case select(Select)
  case gradientNorm(GradientNorm)
  case lossScaleUpdate(LossScaleUpdate)
  case momentumUpdate(MomentumUpdate)

  /// The attributes as their rule.
  var rule: any OperationRule {
    switch self {
    case .input(let rule): rule
    case .state(let rule): rule
    case .constant(let rule): rule
    case .assembleImages(let rule): rule
    case .convolution(let rule): rule
    case .convolutionInputGradient(let rule): rule
    case .convolutionFilterGradient(let rule): rule
    case .matrixProduct(let rule): rule
    case .channelStatistics(let rule): rule
    case .variance(let rule): rule
    case .movingAverage(let rule): rule
    case .batchNormalization(let rule): rule
    case .batchNormalizationSums(let rule): rule
    case .batchNormalizationScaleGradient(let rule): rule
    case .batchNormalizationInputGradient(let rule): rule
    case .add(let rule): rule
    case .addBias(let rule): rule
    case .channelSum(let rule): rule
    case .relu(let rule): rule
    case .reluGradient(let rule): rule
    case .subtract(let rule): rule
    case .multiply(let rule): rule
    case .scale(let rule): rule
    case .sigmoid(let rule): rule
    case .sigmoidGradient(let rule): rule
    case .maxPooling(let rule): rule
    case .maxPoolingGradient(let rule): rule
    case .averagePooling(let rule): rule
    case .averagePoolingGradient(let rule): rule
    case .globalAveragePooling(let rule): rule
    case .globalAveragePoolingGradient(let rule): rule
    case .slice(let rule): rule
    case .sliceGradient(let rule): rule
    case .pad(let rule): rule
    case .concatenate(let rule): rule
    case .concatenateGradient(let rule): rule
    case .flatten(let rule): rule
    case .flattenGradient(let rule): rule
    case .reshape(let rule): rule
    case .reshapeGradient(let rule): rule
    case .transpose(let rule): rule
    case .broadcast(let rule): rule
    case .broadcastGradient(let rule): rule
    case .softmax(let rule): rule
    case .softmaxGradient(let rule): rule
    case .dropout(let rule): rule
    case .softmaxCrossEntropy(let rule): rule
    case .softmaxCrossEntropyGradient(let rule): rule
    case .correctCount(let rule): rule
    case .select(let rule): rule
    case .gradientNorm(let rule): rule
    case .lossScaleUpdate(let rule): rule
    case .momentumUpdate(let rule): rule
    }
  }

  /// How many results a node has.
  public var resultCount: Int { rule.resultCount }
  /// The operation's name for descriptions, such as `convolution`.
  public var name: String { String(describing: self).prefix { $0 != "(" }.description }
  /// The element type of every result.
  public var elementType: ElementType {
    if case .input(let input) = self { input.elementType } else { .float32 }
  }
  /// Whether the results are there before a run begins: an input, or a slot's old value.
  package var isGiven: Bool {
    switch self {
    case .input, .state: true
    default: false
    }
  }
  /// Whether an operand is needed for its shape alone, so that its elements need not be kept.
  public func readsOnlyShape(ofOperand index: Int) -> Bool {
    rule.readsOnlyShape(ofOperand: index)
  }
  /// The shapes of the results, where those of the operands are ``Shape/isComputable``.
  ///
  /// - Throws: ``ShapeError`` if the operands do not fit, or a result would fit in no memory; it
  ///   does not name a node.
  package func resultShapes(of operands: [Shape]) throws(ShapeError) -> [Shape] {
    let shapes = try rule.shapes(of: operands)
    if let large = shapes.first(where: { !$0.isComputable }) {
      throw ShapeError("its result of \(large) is larger than any memory", isTooLarge: true)
    }
    return shapes
  }
  /// Multiply-adds of one evaluation; `Int.max` where there are more.
  public func multiplyAdds(operands: [Shape], results: [Shape]) -> Int {
    rule.multiplyAdds(operands: operands, results: results)
  }
}

/// What the graph must know of an operation.
protocol OperationRule: Hashable, Sendable {
  var resultCount: Int { get }
  /// Whether an operand is needed for its shape alone.
  func readsOnlyShape(ofOperand index: Int) -> Bool
  /// The shapes of the results. The error's message need not name the node.
  func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape]
  func multiplyAdds(operands: [Shape], results: [Shape]) -> Int
  /// The operation that makes the first operand's gradient of the result's and the operand, where no
  /// other operand has a gradient; `nil` where ``gradients(of:_:in:)`` says more, or there is none.
  var firstGradient: Operation? { get }
  /// Appends the nodes of the gradients with respect to the operands.
  ///
  /// - Parameters:
  ///   - node: the node that is differentiated.
  ///   - gradient: the loss's gradient with respect to its first result, the only one that the loss
  ///     may depend on.
  ///   - graph: takes the new nodes.
  /// - Returns: for each operand its gradient, `nil` if there is none.
  func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?]
}

/// A product of two counts, or the largest number where it is larger.
func saturatingProduct(_ first: Int, _ second: Int) -> Int {
  let (product, overflow) = first.multipliedReportingOverflow(by: second)
  return overflow ? .max : product
}

extension OperationRule {
  var resultCount: Int { 1 }
  func readsOnlyShape(ofOperand index: Int) -> Bool { false }
  func multiplyAdds(operands: [Shape], results: [Shape]) -> Int { 0 }
  var firstGradient: Operation? { nil }
  func gradients(of node: Value, _ gradient: Value, in graph: inout Graph) -> [Value?] {
    let (operation, operands) = (graph.nodes[node.node].operation, graph.nodes[node.node].operands)
    guard let firstGradient else {
      preconditionFailure("\(operation.name) cannot be differentiated")
    }
    let first = graph.append(firstGradient, [gradient, operands[0]], gradientOf: node)
    return [first] + operands.dropFirst().map { _ in nil }
  }

  /// Checks the number of operands.
  func expect(_ count: Int, _ operands: [Shape]) throws(ShapeError) {
    guard operands.count == count else {
      throw ShapeError("takes \(count) operands, not \(operands.count)")
    }
  }
  /// Checks an operand's shape.
  func expect(_ name: String, _ shape: Shape, toBe expected: Shape) throws(ShapeError) {
    guard shape == expected else { throw ShapeError("\(name) is \(shape), not \(expected)") }
  }
  /// Checks an operand's rank.
  func expect(_ name: String, _ shape: Shape, rank: Int) throws(ShapeError) {
    guard shape.rank == rank else { throw ShapeError("\(name) is \(shape), not of rank \(rank)") }
  }
}
