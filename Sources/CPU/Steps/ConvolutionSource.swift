import ResidualExecution
import ResidualKernelInterface

/// Where a convolution's input comes from.
enum ConvolutionSource: Hashable, Sendable {
  case stored(BufferID)
  /// `[rectify](x · scale + shift [+ residual])`, made block by block.
  case normalized(NormalizedSource)
  /// The backward normalisation's `gradient · a + x · b + c`, made block by block.
  case differentiated(gradient: BufferID, x: BufferID, coefficients: BufferID)

  struct NormalizedSource: Hashable, Sendable {
    let x: BufferID
    /// Scale and shift.
    let coefficients: BufferID
    let residual: BufferID?
    let rectifies: Bool
    /// Where the result is kept for others, if anyone else reads it.
    let stored: BufferID?
  }

  /// Whether it is read from where it lies.
  var isStored: Bool {
    if case .stored = self { true } else { false }
  }

  /// The buffers that a step with this source touches.
  var buffers: [BufferID?] {
    switch self {
    case .stored(let buffer): [buffer]
    case .normalized(let source):
      [source.x, source.coefficients, source.residual, source.stored]
    case .differentiated(let gradient, let x, let coefficients): [gradient, x, coefficients]
    }
  }

  /// Floats of scratch memory for the rows of one block.
  func scratchCount(floats: Int) -> Int {
    switch self {
    case .stored: 0
    case .normalized(let source): source.stored == nil ? floats : 0
    case .differentiated: floats
    }
  }

  /// Adds what ``prepare(pixels:channels:scratch:in:)`` will read and write outside its scratch.
  func append(
    to lookahead: inout Lookahead, pixels: Range<Int>, channels: Int, in context: StepContext
  ) {
    switch self {
    case .stored(let buffer):
      lookahead.append(buffer, pixels: pixels, channels: channels, in: context)
    case .normalized(let source):
      lookahead.append(source.x, pixels: pixels, channels: channels, in: context)
      lookahead.append(source.residual, pixels: pixels, channels: channels, in: context)
      lookahead.append(source.stored, pixels: pixels, channels: channels, in: context)
    case .differentiated(let gradient, let x, _):
      lookahead.append(gradient, pixels: pixels, channels: channels, in: context)
      lookahead.append(x, pixels: pixels, channels: channels, in: context)
    }
  }

  /// Makes some pixels and returns the address that the first pixel of the whole tensor would have,
  /// so that a kernel finds each pixel of the range at its offset in the tensor.
  ///
  /// - Parameter scratch: takes the pixels of the range, unless they are stored.
  @inline(__always)
  func prepare(
    pixels: Range<Int>, channels: Int, scratch: UnsafeMutablePointer<Float>,
    in context: StepContext
  ) -> UnsafePointer<Float> {
    let shifted = scratch - pixels.lowerBound * channels
    switch self {
    case .stored(let buffer): return context.input(buffer)
    case .normalized(let source):
      let output = source.stored.map(context.output) ?? shifted
      let scale = context.input(source.coefficients)
      context.kernels.affine(
        context.input(source.x), scale: scale, shift: scale + channels,
        residual: source.residual.map(context.input), rectify: source.rectifies, output: output,
        channels: channels, pixels: pixels)
      return UnsafePointer(output)
    case .differentiated(let gradient, let x, let coefficients):
      let a = context.input(coefficients)
      context.kernels.normalizationInputGradient(
        context.input(gradient), input: context.input(x), a: a, b: a + channels,
        c: a + 2 * channels, output: shifted, channels: channels, pixels: pixels)
      return UnsafePointer(shifted)
    }
  }
}

extension Lookahead {
  /// Adds some pixels of a tensor, if there is one.
  mutating func append(
    _ buffer: BufferID?, pixels: Range<Int>, channels: Int, in context: StepContext
  ) {
    guard let buffer else { return }
    append(
      context.input(buffer) + pixels.lowerBound * channels, count: pixels.count * channels)
  }
}
