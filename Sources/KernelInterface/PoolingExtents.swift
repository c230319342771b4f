/// The numbers that fix a maximum pooling's windows, for kernels.
///
/// Tensors are contiguous: input `[n, h, w, c]`, output `[n, p, q, c]`. The window of the output
/// pixel (p, q) begins at the input pixel (p·stride − top, q·stride − left) and looks at every
/// dilation-th pixel from there. Pixels outside the input are left out, and no window is wholly
/// outside.
public struct PoolingExtents: Hashable, Sendable {
  /// Images and channels (n, c), the same in the input and in the output.
  public var batch: Int, channels: Int
  /// The input's extents: h, w.
  public var inputHeight: Int, inputWidth: Int
  /// The output's extents: p, q.
  public var outputHeight: Int, outputWidth: Int
  /// The extents of a window in the pixels that it looks at.
  public var windowHeight: Int, windowWidth: Int
  /// Input pixels from one window to the next.
  public var strideHeight: Int, strideWidth: Int
  /// Pixels by which the first windows begin above and to the left of the input.
  public var paddingTop: Int, paddingLeft: Int
  /// Input pixels from one pixel of a window to the next.
  public var dilationHeight: Int, dilationWidth: Int

  /// Extents without a check: nothing tests that the output's fit the others.
  public init(
    batch: Int, channels: Int, input: (height: Int, width: Int), output: (height: Int, width: Int),
    window: (height: Int, width: Int), stride: (height: Int, width: Int),
    padding: (top: Int, left: Int), dilation: (height: Int, width: Int) = (1, 1)
  ) {
    self.batch = batch
    self.channels = channels
    (inputHeight, inputWidth) = input
    (outputHeight, outputWidth) = output
    (windowHeight, windowWidth) = window
    (strideHeight, strideWidth) = stride
    (paddingTop, paddingLeft) = padding
    (dilationHeight, dilationWidth) = dilation
  }

  /// The rows of all input images; parts of the gradient are ranges of them.
  public var inputRows: Int { batch * inputHeight }
  /// The rows of all output images; parts of the pooling are ranges of them.
  public var outputRows: Int { batch * outputHeight }
}
