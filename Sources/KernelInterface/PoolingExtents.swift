/// The numbers that fix a maximum pooling's windows, for kernels.
///
/// Tensors are contiguous: input `[n, h, w, c]`, output `[n, p, q, c]`. The window of the output
/// pixel (p, q) begins at the input pixel (p·stride − top, q·stride − left); what lies outside the
/// input is left out, and no window lies outside whole.
public struct PoolingExtents: Hashable, Sendable {
  public var batch: Int, channels: Int
  public var inputHeight: Int, inputWidth: Int
  public var outputHeight: Int, outputWidth: Int
  public var windowHeight: Int, windowWidth: Int
  public var strideHeight: Int, strideWidth: Int
  public var paddingTop: Int, paddingLeft: Int

  public init(
    batch: Int, channels: Int, input: (height: Int, width: Int), output: (height: Int, width: Int),
    window: (height: Int, width: Int), stride: (height: Int, width: Int),
    padding: (top: Int, left: Int)
  ) {
    self.batch = batch
    self.channels = channels
    (inputHeight, inputWidth) = input
    (outputHeight, outputWidth) = output
    (windowHeight, windowWidth) = window
    (strideHeight, strideWidth) = stride
    (paddingTop, paddingLeft) = padding
  }

  /// The rows of all input images, and of all output images: what the work is cut into parts by.
  public var inputRows: Int { batch * inputHeight }
  public var outputRows: Int { batch * outputHeight }
}
