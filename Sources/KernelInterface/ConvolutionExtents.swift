/// The numbers that fix a convolution's arithmetic, for kernels.
///
/// Tensors are contiguous: input `[n, h, w, c]`, filter `[k, c, r, s]`, output `[n, p, q, k]`.
///
///     output[n, p, q, k] = Σ_{r, s, c} input°[n, p·stride + r − top, q·stride + s − left, c] · filter[k, c, r, s]
///
/// where `input°` is the input with `inputDilation − 1` zeros between neighbouring pixels and zeros
/// outside. A forward convolution has an input dilation of 1. The input gradient is the same
/// formula on the output gradient with the rotated, transposed filter (see ``inputGradient``).
/// A matrix product is a 1×1 convolution of images one pixel high.
public struct ConvolutionExtents: Hashable, Sendable {
  /// The number of images: n.
  public var batch: Int
  /// The input's extents: h, w, c.
  public var inputHeight: Int, inputWidth: Int, inputChannels: Int
  /// The output's extents: p, q, k.
  public var outputHeight: Int, outputWidth: Int, outputChannels: Int
  /// The filter's extents: r, s.
  public var filterHeight: Int, filterWidth: Int
  /// Pixels of the dilated input from one window to the next.
  public var strideHeight: Int, strideWidth: Int
  /// Zeros above and to the left of the input; those on the other sides follow from the extents.
  public var paddingTop: Int, paddingLeft: Int
  /// One more than the zeros between neighbouring input pixels.
  public var inputDilationHeight: Int, inputDilationWidth: Int

  /// Extents without a check: nothing tests that the output's fit the others.
  public init(
    batch: Int, input: (height: Int, width: Int, channels: Int),
    output: (height: Int, width: Int, channels: Int), filter: (height: Int, width: Int),
    stride: (height: Int, width: Int) = (1, 1), padding: (top: Int, left: Int) = (0, 0),
    inputDilation: (height: Int, width: Int) = (1, 1)
  ) {
    self.batch = batch
    (inputHeight, inputWidth, inputChannels) = input
    (outputHeight, outputWidth, outputChannels) = output
    (filterHeight, filterWidth) = filter
    (strideHeight, strideWidth) = stride
    (paddingTop, paddingLeft) = padding
    (inputDilationHeight, inputDilationWidth) = inputDilation
  }

  /// The rows of all output images; parts of a convolution are ranges of them.
  public var outputRows: Int { batch * outputHeight }
  /// Multiply-adds of the formula above, those with padding and other zeros included.
  public var multiplyAdds: Int {
    outputRows * outputWidth * outputChannels * inputChannels * filterHeight * filterWidth
  }
  /// Floats of the stored filter: k · c · r · s.
  public var filterCount: Int { outputChannels * inputChannels * filterHeight * filterWidth }

  /// The convolution that computes this one's input gradient from its output gradient, with the
  /// filter rotated by half a turn and its channel axes exchanged (``FilterPacking/rotated``).
  ///
  /// - Precondition: this is a forward convolution (input dilation 1) with less padding than filter.
  public var inputGradient: ConvolutionExtents {
    precondition(inputDilationHeight == 1 && inputDilationWidth == 1, "not a forward convolution")
    return ConvolutionExtents(
      batch: batch, input: (outputHeight, outputWidth, outputChannels),
      output: (inputHeight, inputWidth, inputChannels), filter: (filterHeight, filterWidth),
      padding: (filterHeight - 1 - paddingTop, filterWidth - 1 - paddingLeft),
      inputDilation: (strideHeight, strideWidth))
  }
}

/// How a stored filter `[k, c, r, s]` is read while it is packed.
public enum FilterPacking: Hashable, Sendable {
  /// In its own order: for the forward convolution.
  case forward
  /// Rotated by half a turn, channel axes exchanged: for the input gradient, whose extents name the
  /// stored filter's input channels as output channels and the other way round.
  case rotated
}
