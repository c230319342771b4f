// Nodes without operands: what a step is given.

extension Operation {
  /// A tensor that is given again for each run.
  public struct Input: OperationRule {
    /// What the run's caller knows it by; no two inputs of a graph share one.
    public let name: String
    /// What the caller writes: int32 for labels and other indices, uint8 for pixels, else float32.
    public let elementType: ElementType
    // Shapes of inputs and slots come from outside the node: see `Graph.shapes(inputs:)`.
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] { [] }
  }

  /// The value of a slot before the step.
  public struct State: OperationRule {
    /// The slot's name.
    public let slot: String
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] { [] }
  }

  /// A fixed number, as a scalar.
  public struct Constant: OperationRule {
    /// The number.
    public let value: Float
    /// - Parameter value: the same in every run; what changes between steps is an ``Input``.
    public init(_ value: Float) { self.value = value }
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] { [.scalar] }
  }
}
