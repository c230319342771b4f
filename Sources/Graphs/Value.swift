/// One result of one node: an edge of the graph.
public struct Value: Hashable, Sendable {
  public let node: Int
  public let result: Int

  package init(node: Int, result: Int = 0) {
    self.node = node
    self.result = result
  }

  /// Another result of the same node.
  package func result(_ index: Int) -> Value { Value(node: node, result: index) }
}

/// An operation applied to values. Nodes only refer to earlier nodes, so their order is a schedule.
public struct Node: Sendable {
  public let operation: Operation
  public let operands: [Value]
  /// The stable name of the node's first result, such as `layer1.0.bn2`.
  public let path: String
}

/// A named array that outlives a step: a parameter, a running statistic or optimiser state.
public struct StateSlot: Hashable, Sendable {
  public enum Role: String, Hashable, Sendable { case parameter, statistic, optimizer }

  /// The value before the first step.
  public enum InitialValue: Hashable, Sendable {
    case constant(Float)
    /// Normally distributed about zero.
    case normal(standardDeviation: Double)
  }

  public let name: String
  public let shape: Shape
  public let role: Role
  public let initialValue: InitialValue
  /// Whether training changes it by gradients.
  public var trainable: Bool
  /// Whether weight decay applies to it.
  public var decayed: Bool

  public init(
    name: String, shape: Shape, role: Role, initialValue: InitialValue, trainable: Bool? = nil,
    decayed: Bool? = nil
  ) {
    self.name = name
    self.shape = shape
    self.role = role
    self.initialValue = initialValue
    self.trainable = trainable ?? (role == .parameter)
    self.decayed = decayed ?? (role == .parameter)
  }
}
