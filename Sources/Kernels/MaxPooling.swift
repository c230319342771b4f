// Maximum pooling and its gradient, lanes over channels.
//
// Goals, in order: the speed of memory; independent parts; few lines.
//
// The gradient finds each window's largest pixel again instead of storing indices: the input is kept
// for other layers anyway, and reading it costs no more than an index for each output. A part
// is a band of input rows: it looks at every window that meets the band and adds within the band
// only, so that parts share no pixel and the order of additions is that of the windows. Rows are
// cleared just before their first window, while they go into the cache for it.
//
// Rejected: gathering by input pixels (each window searched up to four times at stride 2).

import ResidualKernelInterface

/// The part of one output pixel's window that lies inside the image.
private struct Window {
  let top: Int, left: Int
  let height: Int, width: Int

  @inline(__always) init(_ e: PoolingExtents, _ p: Int, _ q: Int) {
    (top, height) = Self.inside(
      p &* e.strideHeight &- e.paddingTop, e.windowHeight, e.dilationHeight, e.inputHeight)
    (left, width) = Self.inside(
      q &* e.strideWidth &- e.paddingLeft, e.windowWidth, e.dilationWidth, e.inputWidth)
  }

  /// The first of the places `start`, `start + step`, … that lies inside, and how many do.
  @inline(__always)
  private static func inside(_ start: Int, _ count: Int, _ step: Int, _ extent: Int) -> (Int, Int) {
    if step == 1 {
      let first = larger(start, 0)
      return (first, smaller(start &+ count, extent) &- first)
    }
    let first = start < 0 ? start &+ (step &- 1 &- start) / step &* step : start
    let last = smaller(start &+ (count &- 1) &* step, extent &- 1)
    return (first, (last &- first) / step &+ 1)
  }

  /// The largest numbers of a vector of channels, and their places in the window, counted row by
  /// row. The first of equal numbers counts, and the last NaN.
  @inline(__always)
  func largest(_ image: Input, _ e: PoolingExtents, count: Int) -> (value: Vector, place: Vector) {
    var row = image + (top &* e.inputWidth &+ left) &* e.channels
    var value = load(row, count: count)
    var (place, current) = (Vector.zero, Vector.zero)
    var r = 0
    while r < height {
      var pixel = row
      var s = 0
      while s < width {
        let x = load(pixel, count: count)
        let wins = (x .> value) .| (x .!= x)
        value = value.replacing(with: x, where: wins)
        place = place.replacing(with: current, where: wins)
        current += 1
        pixel += e.dilationWidth &* e.channels
        s &+= 1
      }
      row += e.dilationHeight &* e.inputWidth &* e.channels
      r &+= 1
    }
    return (value, place)
  }

  /// Adds each number of a vector of channels at its place, within the rows `band` of the image.
  @inline(__always)
  func add(
    _ gradient: Vector, at place: Vector, to image: Output, _ e: PoolingExtents, band: Range<Int>,
    count: Int
  ) {
    let step = e.dilationHeight
    var r = (larger(band.lowerBound &- top, 0) &+ step &- 1) / step
    var current = Vector(repeating: Float(r &* width))
    while r < height, top &+ r &* step < band.upperBound {
      var pixel = image + ((top &+ r &* step) &* e.inputWidth &+ left) &* e.channels
      var s = 0
      while s < width {
        let share = Vector.zero.replacing(with: gradient, where: place .== current)
        store(load(pixel, count: count) + share, pixel, count: count)
        current += 1
        pixel += e.dilationWidth &* e.channels
        s &+= 1
      }
      r &+= 1
    }
  }
}

extension Kernels {
  public func maxPool(
    _ input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, extents e: PoolingExtents,
    rows: Range<Int>
  ) {
    let imageCount = e.inputHeight &* e.inputWidth &* e.channels
    var target = output + rows.lowerBound &* e.outputWidth &* e.channels
    for row in rows {
      let image = input + row / e.outputHeight &* imageCount
      for q in 0..<e.outputWidth {
        let window = Window(e, row % e.outputHeight, q)
        forEachVector(e.channels) { c, count in
          store(window.largest(image + c, e, count: count).value, target + c, count: count)
        }
        target += e.channels
      }
    }
  }

  public func maxPoolGradient(
    _ outputGradient: UnsafePointer<Float>, input: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, extents e: PoolingExtents, rows: Range<Int>
  ) {
    let imageCount = e.inputHeight &* e.inputWidth &* e.channels
    var begin = rows.lowerBound
    while begin < rows.upperBound {
      let n = begin / e.inputHeight
      let first = n &* e.inputHeight
      let end = smaller(rows.upperBound, first &+ e.inputHeight)
      poolGradient(
        outputGradient + n &* e.outputHeight &* e.outputWidth &* e.channels,
        input: input + n &* imageCount, inputGradient: inputGradient + n &* imageCount, extents: e,
        band: begin &- first..<end &- first)
      begin = end
    }
  }

  /// The rows `band` of one image.
  @inline(__always)
  private func poolGradient(
    _ outputGradient: Input, input: Input, inputGradient: Output, extents e: PoolingExtents,
    band: Range<Int>
  ) {
    let rowCount = e.inputWidth &* e.channels
    // The first window that reaches into the band, and the first that begins after it.
    let height = (e.windowHeight &- 1) &* e.dilationHeight &+ 1
    let reach = band.lowerBound &+ e.paddingTop &- height
    let first = reach < 0 ? 0 : reach / e.strideHeight &+ 1
    let end = smaller(
      e.outputHeight, (band.upperBound &- 1 &+ e.paddingTop) / e.strideHeight &+ 1)
    var cleared = band.lowerBound
    var p = first
    while p < end {
      let bottom = p &* e.strideHeight &- e.paddingTop &+ height
      let needed = smaller(bottom, band.upperBound)
      if cleared < needed {
        fillZero(inputGradient + cleared &* rowCount, (needed &- cleared) &* rowCount)
        cleared = needed
      }
      for q in 0..<e.outputWidth {
        let window = Window(e, p, q)
        let source = outputGradient + (p &* e.outputWidth &+ q) &* e.channels
        forEachVector(e.channels) { c, count in
          window.add(
            load(source + c, count: count),
            at: window.largest(input + c, e, count: count).place, to: inputGradient + c, e,
            band: band, count: count)
        }
      }
      p &+= 1
    }
    if cleared < band.upperBound {
      fillZero(inputGradient + cleared &* rowCount, (band.upperBound &- cleared) &* rowCount)
    }
  }
}

/// Calls `body` for each vector of channels: (first channel, lanes of it).
@inline(__always)
private func forEachVector(_ channels: Int, _ body: (Int, Int) -> Void) {
  var channel = 0
  while channel &+ lanes <= channels {
    body(channel, lanes)
    channel &+= lanes
  }
  if channel < channels { body(channel, channels &- channel) }
}
