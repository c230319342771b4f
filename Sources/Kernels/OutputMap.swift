import CIntrinsics
import ResidualKernelInterface

/// A convolution's epilogue, applied to a vector of output channels while it is in a register.
struct OutputMap {
  private let scale: Input, shift: Input
  /// From an output number to its residual, in floats.
  private let residual: Int?
  /// Smaller numbers become this.
  private let floor: Vector

  @inline(__always) init(_ epilogue: ConvolutionEpilogue, output: Output) {
    scale = epilogue.scale
    shift = epilogue.shift
    residual = epilogue.residual.map { Input(output).distance(to: $0) }
    floor = Vector(repeating: epilogue.rectifies ? 0 : -.infinity)
  }

  /// The first `count` channels of a vector, of which the first is `channel` and lies at `place`.
  @inline(__always)
  func callAsFunction(_ sums: Vector, channel: Int, at place: Output, count: Int = lanes) -> Vector
  {
    var y = fusedMultiplyAdd(
      sums, load(scale + channel, count: count), load(shift + channel, count: count))
    if let residual { y += load(Input(place) + residual, count: count) }
    // A NaN stays a NaN.
    return y.replacing(with: floor, where: y .< floor)
  }

  /// Asks for the residual of a vector at `place`.
  @inline(__always) func prefetch(_ place: Output) {
    if let residual { prefetchToL2(Input(place) + residual) }
  }
}
