/// One call of a convolution kernel: what it reads, what it computes, and where that goes.
public struct ConvolutionTask {
  /// `[n, h, w, c]`.
  public let input: UnsafePointer<Float>
  /// The packed filter.
  public let filter: UnsafePointer<Float>
  /// `[n, p, q, k]`.
  public let output: UnsafeMutablePointer<Float>
  /// Of the whole convolution.
  public let extents: ConvolutionExtents
  /// The output rows to compute, where row = image · output height + p.
  public let rows: Range<Int>
  /// The output channels to compute: from a multiple of two vectors to another, or to the end.
  public let channels: Range<Int>
  /// How the output is mapped before it is stored.
  public let epilogue: ConvolutionEpilogue?
  /// The memory that the caller needs next.
  public let lookahead: Lookahead
  /// Floats as ``KernelLibrary/convolutionScratchCount(_:algorithm:)`` says.
  public let scratch: UnsafeMutablePointer<Float>

  /// A call for some rows.
  ///
  /// - Parameter channels: all, if not given.
  public init(
    input: UnsafePointer<Float>, filter: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, extents: ConvolutionExtents, rows: Range<Int>,
    channels: Range<Int>? = nil, epilogue: ConvolutionEpilogue? = nil,
    lookahead: Lookahead = Lookahead(), scratch: UnsafeMutablePointer<Float>
  ) {
    self.input = input
    self.filter = filter
    self.output = output
    self.extents = extents
    self.rows = rows
    self.channels = channels ?? 0..<extents.outputChannels
    self.epilogue = epilogue
    self.lookahead = lookahead
    self.scratch = scratch
  }
}
