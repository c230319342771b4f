// The input of a convolution, cut into strips that are read without regard to edges.
//
// Goals, in order: kernels that know no padding and no image edges; input of a strip in the
// first-level cache while every filter tap passes over it; input used in place if possible.
//
// A strip is some output rows of one image. Where their windows reach over the edge of the image,
// the input rows are copied into scratch memory with zeros around them; the copy costs 2 to 4 % of
// the multiply-adds. Rejected: unrolling windows into a matrix (R·S times the memory traffic),
// and edge variants of the kernels (nine cases a shape).

import ResidualKernelInterface

/// Some output rows whose windows can be read: the output pixel (row, column) reads, for each
/// filter row r, the `segment` floats at `input + row·rowStep + column·pixelStep + r·tapStep`.
struct Strip {
  var rows: Int, columns: Int
  var input: Input
  var rowStep: Int, pixelStep: Int, tapStep: Int
  /// The input that the next strip of the call adds to this one's: it should be prefetched.
  var following: Input, followingCount: Int
  /// The place of the first pixel in the output, and the distance to the next, in floats.
  var output: Int, outputRowStep: Int, outputPixelStep: Int

  var pixels: Int { rows &* columns }

  /// Joins the rows into one, if both input and output allow it.
  mutating func joinRows() {
    guard rowStep == columns &* pixelStep, outputRowStep == columns &* outputPixelStep else {
      return
    }
    columns &*= rows
    rows = 1
  }
}

extension ConvolutionExtents {
  /// Whether every output pixel reads just the input pixel at its place.
  var isPointwise: Bool {
    filterHeight == 1 && filterWidth == 1 && strideHeight == 1 && strideWidth == 1
      && paddingTop == 0 && paddingLeft == 0 && inputDilationHeight == 1 && inputDilationWidth == 1
      && inputHeight == outputHeight && inputWidth == outputWidth
  }

  /// A pointwise convolution as one image, one pixel wide, so that strips cross images.
  var flattened: ConvolutionExtents {
    guard isPointwise else { return self }
    let pixels = batch &* outputHeight &* outputWidth
    return ConvolutionExtents(
      batch: 1, input: (pixels, 1, inputChannels), output: (pixels, 1, outputChannels),
      filter: (1, 1))
  }
}

extension Strip {
  /// Copies the pixels of a 1×1 filter side by side to `target`, a step of `pitch` floats apart.
  mutating func gather(channels: Int, pitch: Int, into target: Output) {
    var place = target
    for row in 0..<rows {
      var pixel = input + row &* rowStep
      for _ in 0..<columns {
        copy(pixel, place, channels)
        pixel += pixelStep
        place += pitch
      }
    }
    input = Input(target)
    columns = pixels
    rows = 1
    pixelStep = pitch
  }
}

/// How large the strips of a convolution are.
struct StripSize {
  /// Output rows of one phase.
  let rows: Int
  /// Floats of the copied input.
  let count: Int

  /// The most rows that take at most `budget` floats, but `leastPixels` at least.
  ///
  /// - Parameter outputRow: floats of an output row that the budget has to hold too.
  init(of e: ConvolutionExtents, budget: Int, leastPixels: Int, outputRow: Int = 0) {
    // The extents of the largest phase.
    let taps = (e.filterHeight &+ e.inputDilationHeight &- 1) / e.inputDilationHeight
    let columnTaps = (e.filterWidth &+ e.inputDilationWidth &- 1) / e.inputDilationWidth
    let columns = (e.outputWidth &+ e.inputDilationWidth &- 1) / e.inputDilationWidth
    let inputRow = ((columns &- 1) &* e.strideWidth &+ columnTaps) &* e.inputChannels

    let overlap = (taps &- e.strideHeight) &* inputRow
    let fitting = (budget &- overlap) / larger(1, e.strideHeight &* inputRow &+ outputRow)
    let least = (leastPixels &+ columns &- 1) / larger(1, columns)
    let height = larger(1, e.outputHeight / e.inputDilationHeight)
    rows = smaller(larger(fitting, least), height)
    count = ((rows &- 1) &* e.strideHeight &+ taps) &* inputRow
  }
}

/// Calls `body` with strips that cover the output rows `rows` for all phases, and with the place of
/// the phase's filter in the packed filter, in products of one output channel.
///
/// - Parameter scratch: ``StripSize`` floats, which `body`'s strip may lie in.
@inline(__always)
func forEachStrip(
  of e: ConvolutionExtents, rows: Range<Int>, size: StripSize, input: Input, scratch: Output,
  _ body: (Strip, ConvolutionPhase, _ filterStart: Int) -> Void
) {
  let height = size.rows &* e.inputDilationHeight
  var row = rows.lowerBound
  while row < rows.upperBound {
    let image = row / e.outputHeight
    let top = row &- image &* e.outputHeight
    let count = smaller(smaller(height, e.outputHeight &- top), rows.upperBound &- row)
    var filterStart = 0
    forEachPhase(of: e) { phase in
      let first = phase.rows.outputs(below: top)
      let end = phase.rows.outputs(below: top &+ count)
      if first < end && phase.columns.outputs > 0 {
        let strip = makeStrip(
          of: e, phase: phase, image: image, outputs: first..<end, input: input, scratch: scratch,
          isLast: row &+ count == rows.upperBound)
        body(strip, phase, filterStart)
      }
      filterStart &+= phase.products
    }
    row &+= count
  }
}

/// The strip of the outputs `outputs` of one phase of an image, copied only if it must be.
@inline(never)
func makeStrip(
  of e: ConvolutionExtents, phase: ConvolutionPhase, image: Int, outputs: Range<Int>,
  input: Input, scratch: Output, isLast: Bool
) -> Strip {
  let rows = phase.rows
  let columns = phase.columns
  let channels = e.inputChannels
  let firstRow = rows.firstInput &+ outputs.lowerBound &* rows.stride
  let endRow = firstRow &+ rows.inputs(of: outputs.count)
  let endColumn = columns.firstInput &+ columns.inputs(of: columns.outputs)
  let inside =
    firstRow >= 0 && endRow <= e.inputHeight && columns.firstInput >= 0
    && endColumn <= e.inputWidth
  let imageInput = input + image &* e.inputHeight &* e.inputWidth &* channels
  let imageRow = e.inputWidth &* channels
  let outputRow = image &* e.outputHeight &+ rows.firstOutput &+ outputs.lowerBound &* rows.step

  var strip = Strip(
    rows: outputs.count, columns: columns.outputs, input: Input(scratch),
    rowStep: phase.inputRow &* rows.stride, pixelStep: columns.stride &* channels,
    tapStep: phase.inputRow,
    following: imageInput + endRow &* imageRow,
    followingCount: isLast ? 0 : outputs.count &* rows.stride &* imageRow,
    output: (outputRow &* e.outputWidth &+ columns.firstOutput) &* e.outputChannels,
    outputRowStep: rows.step &* e.outputWidth &* e.outputChannels,
    outputPixelStep: columns.step &* e.outputChannels)
  if phase.products == 0 { return strip }
  if inside {
    strip.input = imageInput + (firstRow &* imageRow &+ columns.firstInput &* channels)
    strip.rowStep = imageRow &* rows.stride
    strip.tapStep = imageRow
    strip.joinRows()
    return strip
  }

  let left = smaller(larger(0, 0 &- columns.firstInput) &* channels, phase.inputRow)
  let source = larger(0, columns.firstInput) &* channels
  let copied = larger(0, smaller(imageRow &- source, phase.inputRow &- left))
  var target = scratch
  var row = firstRow
  while row < endRow {
    if row < 0 || row >= e.inputHeight {
      fillZero(target, phase.inputRow)
    } else {
      fillZero(target, left)
      copy(imageInput + (row &* imageRow &+ source), target + left, copied)
      fillZero(target + left + copied, phase.inputRow &- left &- copied)
    }
    target += phase.inputRow
    row &+= 1
  }
  return strip
}

@inline(__always) func fillZero(_ target: Output, _ count: Int) {
  var i = 0
  while i &+ lanes <= count {
    store(Vector.zero, target + i)
    i &+= lanes
  }
  while i < count {
    target[i] = 0
    i &+= 1
  }
}

@inline(__always) func copy(_ source: Input, _ target: Output, _ count: Int) {
  var i = 0
  while i &+ lanes <= count {
    store(load(source + i), target + i)
    i &+= lanes
  }
  while i < count {
    target[i] = source[i]
    i &+= 1
  }
}
