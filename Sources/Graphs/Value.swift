/// One result of one node: an edge of the graph.
public struct Value: Hashable, Sendable {
  /// The node's index in ``Graph/nodes``.
  public let node: Int
  /// Which of the node's results, from 0.
  public let result: Int

  /// The first result of a node, if no other is asked for.
  package init(node: Int, result: Int = 0) {
    self.node = node
    self.result = result
  }

  /// Another result of the same node.
  public func result(_ index: Int) -> Value { Value(node: node, result: index) }
}

/// An operation applied to values. Nodes only refer to earlier nodes, so their order is a schedule.
public struct Node: Sendable {
  /// What is computed, with its attributes.
  public let operation: Operation
  /// What it is applied to, in the order in which the operation names its operands.
  public let operands: [Value]
  /// What people know the node by, such as `layer1.0.bn2`; no two nodes of a graph share one.
  public let path: String
  /// What the node is computed for.
  public let pass: Pass
  /// The path of the layer that the node belongs to: in the backward pass, of the node that is
  /// differentiated.
  public let layer: String

  /// The part of a step that a node belongs to.
  public enum Pass: Hashable, Sendable {
    /// What the network computes, and the loss.
    case forward
    /// The loss's gradients.
    case backward
    /// A node of the forward pass once more, because its result was not kept for the backward pass.
    case repeated
    /// The next values of parameters and of the optimiser's state.
    case update
  }
}

/// A named array that outlives a step: a parameter, a running statistic or optimiser state.
public struct StateSlot: Hashable, Sendable {
  /// What changes the slot: gradients, the statistics of batches, or the optimiser, whose own state
  /// it is.
  public enum Role: String, Hashable, Sendable { case parameter, statistic, optimizer }

  /// The value before the first step.
  public enum InitialValue: Hashable, Sendable {
    /// The same number everywhere.
    case constant(Float)
    /// Normally distributed about zero.
    case normal(standardDeviation: Double)
  }

  /// The slot's path, such as `layer1.0.conv1.weight`; no two slots of a graph share one.
  public let name: String
  /// Axes in the order of the operation that reads the slot, such as `[K, C, R, S]` for a filter.
  public let shape: Shape
  /// What changes it.
  public let role: Role
  /// What a new store fills it with.
  public let initialValue: InitialValue
  /// Whether training changes it by gradients.
  public var trainable: Bool
  /// Whether weight decay applies to it.
  public var decayed: Bool

  /// A slot; parameters are trained and decayed, other roles are not, unless it is said otherwise.
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
