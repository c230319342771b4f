// Kernels in which each number depends on the numbers at its own place.
//
// Goals, in order: the speed of memory; in place; few lines. Two frames, over elements and over
// pixels × channels, take the arithmetic as a closure of vectors, which the compiler inlines. The
// arithmetic is far cheaper than the memory traffic, so coefficients for each channel are loaded
// again for every pixel, from the first-level cache.
//
// Rejected: variants for each number of channels with the coefficients in registers (no faster).

extension Kernels {
  public func affine(
    _ input: UnsafePointer<Float>, scale: UnsafePointer<Float>, shift: UnsafePointer<Float>,
    residual: UnsafePointer<Float>?, rectify: Bool, output: UnsafeMutablePointer<Float>,
    channels: Int, pixels: Range<Int>
  ) {
    mapChannels(channels: channels, pixels: pixels) { i, c, count in
      var y = fusedMultiplyAdd(
        load(input + i, count: count), load(scale + c, count: count), load(shift + c, count: count))
      if let residual { y += load(residual + i, count: count) }
      if rectify { y = rectified(y) }
      store(y, output + i, count: count)
    }
  }

  public func addBias(
    _ input: UnsafePointer<Float>, bias: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, channels: Int, pixels: Range<Int>
  ) {
    mapChannels(channels: channels, pixels: pixels) { i, c, count in
      store(load(input + i, count: count) + load(bias + c, count: count), output + i, count: count)
    }
  }

  public func normalizationInputGradient(
    _ gradient: UnsafePointer<Float>, input: UnsafePointer<Float>, a: UnsafePointer<Float>,
    b: UnsafePointer<Float>, c: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    channels: Int, pixels: Range<Int>
  ) {
    mapChannels(channels: channels, pixels: pixels) { i, channel, count in
      let inner = fusedMultiplyAdd(
        load(input + i, count: count), load(b + channel, count: count),
        load(c + channel, count: count))
      let y = fusedMultiplyAdd(
        load(gradient + i, count: count), load(a + channel, count: count), inner)
      store(y, output + i, count: count)
    }
  }

  public func add(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    elements: Range<Int>
  ) {
    map(elements) { i, count in
      store(load(a + i, count: count) + load(b + i, count: count), output + i, count: count)
    }
  }

  public func subtract(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    elements: Range<Int>
  ) {
    map(elements) { i, count in
      store(load(a + i, count: count) - load(b + i, count: count), output + i, count: count)
    }
  }

  public func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    elements: Range<Int>
  ) {
    map(elements) { i, count in
      store(load(a + i, count: count) * load(b + i, count: count), output + i, count: count)
    }
  }

  public func scale(
    _ input: UnsafePointer<Float>, by factor: Float, addend: UnsafePointer<Float>?,
    output: UnsafeMutablePointer<Float>, elements: Range<Int>
  ) {
    map(elements) { i, count in
      var y = factor * load(input + i, count: count)
      if let addend {
        y = fusedMultiplyAdd(
          factor, load(input + i, count: count), load(addend + i, count: count))
      }
      store(y, output + i, count: count)
    }
  }

  public func sigmoid(
    _ input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, elements: Range<Int>
  ) {
    map(elements) { i, count in
      store(1 / (1 + exponential(-load(input + i, count: count))), output + i, count: count)
    }
  }

  public func sigmoidGradient(
    _ gradient: UnsafePointer<Float>, result: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>, elements: Range<Int>
  ) {
    map(elements) { i, count in
      let y = load(result + i, count: count)
      store(load(gradient + i, count: count) * (y * (1 - y)), output + i, count: count)
    }
  }

  public func rectify(
    _ input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, elements: Range<Int>
  ) {
    map(elements) { i, count in
      store(rectified(load(input + i, count: count)), output + i, count: count)
    }
  }

  public func rectifyGradient(
    _ gradient: UnsafePointer<Float>, addend: UnsafePointer<Float>?,
    activation: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, elements: Range<Int>
  ) {
    map(elements) { i, count in
      var g = load(gradient + i, count: count)
      if let addend { g += load(addend + i, count: count) }
      g = g.replacing(with: 0, where: load(activation + i, count: count) .<= 0)
      store(g, output + i, count: count)
    }
  }

  public func globalAverageGradient(
    _ outputGradient: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
    pixels: Int, channels: Int, images: Range<Int>
  ) {
    let scale = 1 / Float(pixels)
    for n in images {
      let source = outputGradient + n &* channels
      mapChannels(channels: channels, pixels: n &* pixels..<(n &+ 1) &* pixels) { i, c, count in
        store(load(source + c, count: count) * scale, inputGradient + i, count: count)
      }
    }
  }
}

/// max(x, 0), where a NaN stays a NaN.
@inline(__always) private func rectified(_ x: Vector) -> Vector {
  x.replacing(with: 0, where: x .< 0)
}

/// Calls `body` for each vector of elements: (offset, lanes of it).
@inline(__always)
func map(_ elements: Range<Int>, _ body: (Int, Int) -> Void) {
  var i = elements.lowerBound
  while i &+ lanes <= elements.upperBound {
    body(i, lanes)
    i &+= lanes
  }
  if i < elements.upperBound { body(i, elements.upperBound &- i) }
}

/// Calls `body` for each vector of channels of each pixel: (offset, first channel, lanes of it).
@inline(__always)
private func mapChannels(
  channels: Int, pixels: Range<Int>, _ body: (Int, Int, Int) -> Void
) {
  let wholeChannels = channels &- channels % lanes
  var offset = pixels.lowerBound &* channels
  for _ in pixels {
    var channel = 0
    while channel < wholeChannels {
      body(offset &+ channel, channel, lanes)
      channel &+= lanes
    }
    if channel < channels { body(offset &+ channel, channel, channels &- channel) }
    offset &+= channels
  }
}
