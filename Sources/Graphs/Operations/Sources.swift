// Nodes without operands: what a step is given.

extension Operation {
  /// A tensor that is given anew for each run.
  public struct Input: OperationRule {
    public let name: String
    public let elementType: ElementType
    // Shapes of inputs and slots come from outside the node: see `Graph.shapes(inputs:)`.
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] { [] }
  }

  /// The value of a slot before the step.
  public struct State: OperationRule {
    public let slot: String
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] { [] }
  }

  /// A fixed number, as a scalar.
  public struct Constant: OperationRule {
    public let value: Float
    public init(_ value: Float) { self.value = value }
    func shapes(of operands: [Shape]) throws(ShapeError) -> [Shape] { [.scalar] }
  }
}
