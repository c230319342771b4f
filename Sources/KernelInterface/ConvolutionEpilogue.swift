/// How a convolution's output is mapped before it is stored, for each channel k:
///
///     output = [rectify](sum · scale[k] + shift[k] [+ residual])
///
/// The result is the same to the bit as storing the sums and mapping them afterwards.
public struct ConvolutionEpilogue {
  /// One number for each output channel.
  public let scale: UnsafePointer<Float>, shift: UnsafePointer<Float>
  /// A tensor like the output, in other memory: an output number may be computed and stored twice.
  public let residual: UnsafePointer<Float>?
  /// Whether negative numbers become 0.
  public let rectifies: Bool

  /// An epilogue of all output channels, whichever are computed.
  public init(
    scale: UnsafePointer<Float>, shift: UnsafePointer<Float>, residual: UnsafePointer<Float>?,
    rectifies: Bool
  ) {
    self.scale = scale
    self.shift = shift
    self.residual = residual
    self.rectifies = rectifies
  }
}
