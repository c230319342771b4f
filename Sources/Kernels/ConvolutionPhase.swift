// Input dilation without the zeros.
//
// With an input dilation d most products of the formula meet an inserted zero. Output coordinates
// that are equal modulo d meet the same filter taps, every d-th, and read neighbouring input
// pixels. So a dilated convolution is d × d ordinary ones, its phases, each with some of the taps
// and each computing some of the outputs; together they do exactly the products without a zero.
// An ordinary convolution is its own only phase.

import ResidualKernelInterface

/// One phase of a convolution along one axis.
///
/// Output number `o` of the phase is the output coordinate `firstOutput + o·step`; it meets the
/// filter taps `firstTap + t·step`, which read the input coordinates `firstInput + o·stride + t`.
struct AxisPhase {
  let firstOutput: Int, outputs: Int
  let firstTap: Int, taps: Int
  let step: Int
  /// Negative if the first output's window starts in the padding.
  let firstInput: Int
  let stride: Int

  init(_ phase: Int, outputs: Int, taps: Int, stride: Int, padding: Int, dilation: Int) {
    let remainder = (padding &- phase &* stride) % dilation
    firstOutput = phase
    self.outputs = (outputs &- phase &+ dilation &- 1) / dilation
    firstTap = remainder < 0 ? remainder &+ dilation : remainder
    self.taps = firstTap < taps ? (taps &- firstTap &+ dilation &- 1) / dilation : 0
    step = dilation
    firstInput = (phase &* stride &+ firstTap &- padding) / dilation
    self.stride = stride
  }

  /// Input coordinates from the first to the last that `outputs` neighbouring outputs read.
  func inputs(of outputs: Int) -> Int { (outputs &- 1) &* stride &+ taps }

  /// Outputs of the phase at coordinates below `coordinate`.
  func outputs(below coordinate: Int) -> Int {
    let distance = coordinate &- firstOutput
    return distance <= 0 ? 0 : (distance &+ step &- 1) / step
  }
}

/// One phase of a convolution along both axes.
struct ConvolutionPhase {
  let rows: AxisPhase, columns: AxisPhase
  let inputChannels: Int

  init(_ i: Int, _ j: Int, of e: ConvolutionExtents) {
    rows = AxisPhase(
      i, outputs: e.outputHeight, taps: e.filterHeight, stride: e.strideHeight,
      padding: e.paddingTop, dilation: e.inputDilationHeight)
    columns = AxisPhase(
      j, outputs: e.outputWidth, taps: e.filterWidth, stride: e.strideWidth,
      padding: e.paddingLeft, dilation: e.inputDilationWidth)
    inputChannels = e.inputChannels
  }

  /// Products that one output number takes.
  var products: Int { rows.taps &* columns.taps &* inputChannels }
  /// Floats of one filter row: what an output pixel reads contiguously.
  var segment: Int { columns.taps &* inputChannels }
  /// Floats of one input row that all output columns read.
  var inputRow: Int { larger(columns.inputs(of: columns.outputs), 0) &* inputChannels }
}

/// Calls `body` with every phase, in the order of the packed filter.
@inline(__always)
func forEachPhase(of extents: ConvolutionExtents, _ body: (ConvolutionPhase) -> Void) {
  var i = 0
  while i < extents.inputDilationHeight {
    var j = 0
    while j < extents.inputDilationWidth {
      body(ConvolutionPhase(i, j, of: extents))
      j &+= 1
    }
    i &+= 1
  }
}
