/// An array of numbers with a shape, as a value.
///
/// Elements lie in row-major order: the last axis is contiguous. Tensors carry weights, statistics
/// and results across module borders; what a device computes on lies in its own buffers.
public struct Tensor<Scalar: Sendable>: Sendable {
  /// The extents of the axes, outermost first.
  public let shape: Shape
  /// The elements, row-major: as many as the shape has.
  public var scalars: [Scalar]

  /// - Precondition: there are as many scalars as the shape has elements.
  public init(_ shape: Shape, _ scalars: [Scalar]) {
    precondition(
      scalars.count == shape.count, "\(scalars.count) scalars cannot fill a tensor of \(shape)")
    self.shape = shape
    self.scalars = scalars
  }

  /// A tensor whose elements all have one value.
  public init(_ shape: Shape, repeating value: Scalar) {
    self.init(shape, Array(repeating: value, count: shape.count))
  }
}

extension Tensor: Equatable where Scalar: Equatable {}
