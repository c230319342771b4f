/// The kernels of one instruction set: the pointer contract.
///
/// Every tensor is contiguous float32; "pixels × channels" is an activation with its leading axes
/// flattened. A kernel does one part of a tensor, given as a range, and writes nothing outside it,
/// so parts may run on different threads. The arithmetic of a part does not depend on the others,
/// and callers cut parts by size alone; so results do not depend on the number of threads. Kernels
/// never throw, allocate or keep a pointer. Buffers do not overlap unless a comment says so.
public protocol KernelLibrary: Sendable {
  /// The first of the floats that a kernel reads.
  typealias Input = UnsafePointer<Float>
  /// The first of the floats that a kernel writes, or of scratch memory.
  typealias Output = UnsafeMutablePointer<Float>

  /// Floats in one vector register.
  var lanes: Int { get }

  // MARK: Convolution, by an algorithm that applies to the extents

  /// Floats that a packed filter takes.
  func packedFilterCount(_ extents: ConvolutionExtents, algorithm: ConvolutionAlgorithm) -> Int
  /// Packs the output channels `channels` of a stored filter for
  /// ``convolve(_:algorithm:)``. Ranges begin at multiples of two vectors.
  func packFilter(
    _ filter: Input, into packed: Output, extents: ConvolutionExtents, packing: FilterPacking,
    channels: Range<Int>, algorithm: ConvolutionAlgorithm)
  /// Floats of scratch memory that one call of a convolution needs.
  func convolutionScratchCount(_ extents: ConvolutionExtents, algorithm: ConvolutionAlgorithm)
    -> Int
  /// Computes some rows and channels of a convolution's output.
  func convolve(_ task: ConvolutionTask, algorithm: ConvolutionAlgorithm)
  /// Floats of scratch memory that one call of a filter gradient needs.
  func filterGradientScratchCount(_ extents: ConvolutionExtents, algorithm: ConvolutionAlgorithm)
    -> Int
  /// Floats that one partial filter gradient takes.
  func partialFilterGradientCount(_ extents: ConvolutionExtents) -> Int
  /// Adds the output rows `rows` of a forward convolution to the filter gradient summed over the
  /// rows `part`, in the kernel's own layout.
  ///
  /// A part's rows come in order, in one or more calls with the same `partial`; between them the
  /// scratch memory must not change. The first call begins the sum, and the last completes it.
  /// Every call but the last ends with an image or a multiple of four of its rows.
  func filterGradient(
    _ input: Input, outputGradient: Input, partial: Output, extents: ConvolutionExtents,
    rows: Range<Int>, of part: Range<Int>, lookahead: Lookahead, scratch: Output,
    algorithm: ConvolutionAlgorithm)
  /// Adds `count` partial filter gradients of an algorithm, which lie one after another, in order,
  /// into `[k, c, r, s]`, for the output channels `channels`.
  func reduceFilterGradient(
    _ partials: Input, count: Int, filterGradient: Output, extents: ConvolutionExtents,
    channels: Range<Int>, algorithm: ConvolutionAlgorithm)

  /// One of Winograd's transforms along one axis, of one number at each place, for tests: the
  /// convolution does the same with every vector.
  func winogradTransform(_ transform: WinogradTransform, _ source: Input, into target: Output)

  // MARK: Normalisation (pixels × channels)

  /// Mean and sum of squared deviations (M2) of each channel over `pixels`, computed about a shift,
  /// so that a large mean does not cancel. `mean` and `m2` take one number a channel.
  func channelStatistics(
    _ input: Input, channels: Int, pixels: Range<Int>, mean: Output, m2: Output)
  /// `output = [rectify](input · scale + shift [+ residual])`, scale and shift for each channel.
  /// `output` may be `input` or `residual`.
  func affine(
    _ input: Input, scale: Input, shift: Input, residual: Input?, rectify: Bool, output: Output,
    channels: Int, pixels: Range<Int>)
  /// `output = input + bias`, the bias for each channel. `output` may be `input`.
  func addBias(
    _ input: Input, bias: Input, output: Output, channels: Int, pixels: Range<Int>)
  /// The first pass of the backward batch normalisation:
  ///
  ///     g = (gradient [+ addend]), 0 where `activation` ≤ 0 if it is given
  ///     sums = Σ g,  products = Σ g · (input − mean)        for each channel over the range
  ///
  /// `maskedGradient` takes g where it is given; it may be `gradient` or `addend`.
  func normalizationSums(
    _ gradient: Input, addend: Input?, activation: Input?, input: Input, mean: Input,
    maskedGradient: Output?, sums: Output, products: Output, channels: Int, pixels: Range<Int>)
  /// The second pass: `output = gradient · a + input · b + c`, coefficients for each channel.
  /// `output` may be `gradient`.
  func normalizationInputGradient(
    _ gradient: Input, input: Input, a: Input, b: Input, c: Input, output: Output, channels: Int,
    pixels: Range<Int>)
  /// `sums = Σ input` for each channel over `pixels`.
  func channelSums(_ input: Input, channels: Int, pixels: Range<Int>, sums: Output)

  // MARK: Elementwise (the output may be an input)

  /// `output = a + b`.
  func add(_ a: Input, _ b: Input, output: Output, elements: Range<Int>)
  /// `output = a − b`.
  func subtract(_ a: Input, _ b: Input, output: Output, elements: Range<Int>)
  /// `output = a · b`.
  func multiply(_ a: Input, _ b: Input, output: Output, elements: Range<Int>)
  /// `output = factor · input [+ addend]`.
  func scale(_ input: Input, by factor: Float, addend: Input?, output: Output, elements: Range<Int>)
  /// `output = 1 / (1 + exp(−input))`, with a relative error below 3 · 10⁻⁷ for inputs above −87; below,
  /// the value at −87. A NaN stays a NaN.
  func sigmoid(_ input: Input, output: Output, elements: Range<Int>)
  /// `output = gradient · result · (1 − result)`, with the sigmoid's result.
  func sigmoidGradient(_ gradient: Input, result: Input, output: Output, elements: Range<Int>)
  /// `output = max(input, 0)`; a NaN stays a NaN.
  func rectify(_ input: Input, output: Output, elements: Range<Int>)
  /// `output = gradient [+ addend]`, 0 where `activation` ≤ 0.
  func rectifyGradient(
    _ gradient: Input, addend: Input?, activation: Input, output: Output, elements: Range<Int>)
  /// One SGD update with momentum:
  ///
  ///     g = unscale · gradient
  ///     velocity ← momentum · velocity + rate · (clip · g + decay · parameter)
  ///     parameter ← parameter − velocity
  ///
  /// New values go to `newParameter` and `newVelocity`, which may be the old ones. `squares` takes Σ g²,
  /// and the same of the old parameter and of the new velocity.
  func momentumStep(
    parameter: Input, velocity: Input, gradient: Input, rate: Float, momentum: Float,
    decay: Float, unscale: Float, clip: Float, newParameter: Output, newVelocity: Output,
    squares: Output, elements: Range<Int>)
  /// Σ (factor · input)².
  func sumOfSquares(_ input: Input, factor: Float, elements: Range<Int>) -> Float

  // MARK: Pooling

  /// `output[n, p, q, c]` = the largest input pixel of the window, for the output rows `rows`,
  /// where row = image · output height + p. A NaN wins.
  func maxPool(_ input: Input, output: Output, extents: PoolingExtents, rows: Range<Int>)
  /// Adds each window's output gradient to its largest pixel, the first of equal ones, or the last
  /// NaN: the input rows `rows` of the input's gradient, where row = image · input height + y.
  func maxPoolGradient(
    _ outputGradient: Input, input: Input, inputGradient: Output, extents: PoolingExtents,
    rows: Range<Int>)

  /// `output[n, c] = Σ_pixel input[n, pixel, c] / pixels`, for the images `images`.
  func globalAverage(
    _ input: Input, output: Output, pixels: Int, channels: Int, images: Range<Int>)
  /// `inputGradient[n, pixel, c] = outputGradient[n, c] / pixels`, for the images `images`.
  func globalAverageGradient(
    _ outputGradient: Input, inputGradient: Output, pixels: Int, channels: Int,
    images: Range<Int>)

  // MARK: Measurement

  /// Runs `iterations` rounds of independent multiply-adds in registers and returns their number of
  /// floating-point operations: the arithmetic peak of one core.
  func peakOperations(iterations: Int) -> Int
}
