// Sums over pixels for each channel: one frame for every reduction.
//
// Goals, in order: exact to about 1e-6 whatever the number of pixels; one pass at the speed of
// memory; one algorithm for any number of channels.
//
// A group of one to eight vectors of channels runs over the pixels with its sums in registers, four
// pairs at least: a group of one vector takes four pixels at a time. Groups are as wide as they can
// be, because a narrow one leaves gaps in memory that hardware prefetch does not follow. Every
// `chunk` pixels the sums go into totals, so that the rounding error is that of a short sum of short
// sums. Channels after the last whole vector are done with a vector that is loaded by elements.
//
// Rejected: Double sums (half the lanes, and a conversion a number), compensated summation (four
// times the additions).

/// Pixels whose sums are added up before they go into the totals.
private let chunk = 128

/// What a reduction over pixels adds up, two terms at once.
protocol ChannelTerms {
  /// What the terms of a vector of channels refer to: loaded once.
  func reference(channel: Int, count: Int) -> Vector
  /// The terms of the `count` numbers at `offset` in the tensor.
  func terms(offset: Int, count: Int, reference: Vector) -> (Vector, Vector)
  /// Takes the totals of a vector of channels.
  func finish(channel: Int, count: Int, reference: Vector, _ first: Vector, _ second: Vector)
}

extension ChannelTerms {
  /// Reduces all channels over `pixels`.
  @inline(__always)
  func reduce(channels: Int, pixels: Range<Int>) {
    var channel = 0
    while channel &+ 8 &* lanes <= channels {
      ChannelGroup<8, 1>.reduce(self, channel, AllLanes(), channels: channels, pixels: pixels)
      channel &+= 8 &* lanes
    }
    if channel &+ 4 &* lanes <= channels {
      ChannelGroup<4, 1>.reduce(self, channel, AllLanes(), channels: channels, pixels: pixels)
      channel &+= 4 &* lanes
    }
    if channel &+ 2 &* lanes <= channels {
      ChannelGroup<2, 2>.reduce(self, channel, AllLanes(), channels: channels, pixels: pixels)
      channel &+= 2 &* lanes
    }
    if channel &+ lanes <= channels {
      ChannelGroup<1, 4>.reduce(self, channel, AllLanes(), channels: channels, pixels: pixels)
      channel &+= lanes
    }
    if channel < channels {
      ChannelGroup<1, 4>.reduce(
        self, channel, SomeLanes(count: channels &- channel), channels: channels, pixels: pixels)
    }
  }
}

/// The lanes of a vector in use: a type, so that whole vectors compile without counting them.
private protocol LaneCount {
  var count: Int { get }
}
private struct AllLanes: LaneCount {
  @inline(__always) var count: Int { lanes }
}
private struct SomeLanes: LaneCount {
  let count: Int
}

/// `vectors` neighbouring vectors of channels, reduced together, `pixelsAtATime` at a time.
private enum ChannelGroup<let vectors: Int, let pixelsAtATime: Int> {
  @inline(__always)
  static func reduce<Terms: ChannelTerms, Width: LaneCount>(
    _ terms: Terms, _ channel: Int, _ width: Width, channels: Int, pixels: Range<Int>
  ) {
    let count = width.count
    var references = InlineArray<vectors, Vector>(repeating: .zero)
    for v in 0..<vectors {
      references[v] = terms.reference(channel: channel &+ v &* lanes, count: count)
    }
    var firstTotals = InlineArray<vectors, Vector>(repeating: .zero)
    var secondTotals = InlineArray<vectors, Vector>(repeating: .zero)
    var pixel = pixels.lowerBound
    while pixel < pixels.upperBound {
      let end = smaller(pixel &+ chunk, pixels.upperBound)
      var first = InlineArray<vectors, InlineArray<pixelsAtATime, Vector>>(
        repeating: InlineArray(repeating: .zero))
      var second = first
      var offset = pixel &* channels &+ channel
      while pixel &+ pixelsAtATime <= end {
        for v in 0..<vectors {
          for i in 0..<pixelsAtATime {
            let (a, b) = terms.terms(
              offset: offset &+ i &* channels &+ v &* lanes, count: count, reference: references[v])
            first[v][i] += a
            second[v][i] += b
          }
        }
        offset &+= pixelsAtATime &* channels
        pixel &+= pixelsAtATime
      }
      while pixel < end {
        for v in 0..<vectors {
          let (a, b) = terms.terms(
            offset: offset &+ v &* lanes, count: count, reference: references[v])
          first[v][0] += a
          second[v][0] += b
        }
        offset &+= channels
        pixel &+= 1
      }
      for v in 0..<vectors {
        for i in 0..<pixelsAtATime {
          firstTotals[v] += first[v][i]
          secondTotals[v] += second[v][i]
        }
      }
    }
    for v in 0..<vectors {
      terms.finish(
        channel: channel &+ v &* lanes, count: count, reference: references[v], firstTotals[v],
        secondTotals[v])
    }
  }
}

// MARK: Statistics

/// Σ (x − shift) and Σ (x − shift)², about the mean of the first few pixels.
///
/// With the true mean μ and deviation σ, `M2 = Σ (x − shift)² − (Σ (x − shift))² / n` loses
/// `1 + ((shift − μ) / σ)²` in relative precision: next to nothing, since the shift is an average
/// of sixteen pixels, while without a shift a mean of a thousand deviations would lose a million.
private struct StatisticsTerms: ChannelTerms {
  let input: Input, channels: Int, pixels: Range<Int>
  let mean: Output, m2: Output

  @inline(__always) func reference(channel: Int, count: Int) -> Vector {
    let first = input + (pixels.lowerBound &* channels &+ channel)
    let origin = load(first, count: count)
    let sampled = smaller(16, pixels.count)
    var sum = Vector.zero
    for i in 0..<sampled { sum += load(first + i &* channels, count: count) - origin }
    return origin + sum / Float(sampled)
  }

  @inline(__always)
  func terms(offset: Int, count: Int, reference: Vector) -> (Vector, Vector) {
    let deviation = load(input + offset, count: count) - reference
    return (deviation, deviation * deviation)
  }

  @inline(__always)
  func finish(channel: Int, count: Int, reference: Vector, _ first: Vector, _ second: Vector) {
    let offset = first / Float(pixels.count)
    let squares = second - first * offset
    store(reference + offset, mean + channel, count: count)
    store(squares.replacing(with: 0, where: squares .< 0), m2 + channel, count: count)
  }
}

/// Σ g and Σ g · (x − mean), with the masked gradient g.
private struct NormalizationTerms: ChannelTerms {
  let gradient: Input, addend: Input?, activation: Input?, input: Input, mean: Input
  let maskedGradient: Output?, sums: Output, products: Output

  @inline(__always) func reference(channel: Int, count: Int) -> Vector {
    load(mean + channel, count: count)
  }

  @inline(__always)
  func terms(offset: Int, count: Int, reference: Vector) -> (Vector, Vector) {
    var g = load(gradient + offset, count: count)
    if let addend { g += load(addend + offset, count: count) }
    if let activation {
      g = g.replacing(with: 0, where: load(activation + offset, count: count) .<= 0)
    }
    if let maskedGradient { store(g, maskedGradient + offset, count: count) }
    return (g, g * (load(input + offset, count: count) - reference))
  }

  @inline(__always)
  func finish(channel: Int, count: Int, reference: Vector, _ first: Vector, _ second: Vector) {
    store(first, sums + channel, count: count)
    store(second, products + channel, count: count)
  }
}

/// Σ x · scale; nothing in the second sum.
private struct SumTerms: ChannelTerms {
  let input: Input, scale: Float, sums: Output

  @inline(__always) func reference(channel: Int, count: Int) -> Vector { .zero }

  @inline(__always)
  func terms(offset: Int, count: Int, reference: Vector) -> (Vector, Vector) {
    (load(input + offset, count: count), .zero)
  }

  @inline(__always)
  func finish(channel: Int, count: Int, reference: Vector, _ first: Vector, _ second: Vector) {
    store(first * scale, sums + channel, count: count)
  }
}

extension Kernels {
  public func channelStatistics(
    _ input: UnsafePointer<Float>, channels: Int, pixels: Range<Int>,
    mean: UnsafeMutablePointer<Float>, m2: UnsafeMutablePointer<Float>
  ) {
    if pixels.isEmpty {
      fillZero(mean, channels)
      fillZero(m2, channels)
      return
    }
    StatisticsTerms(input: input, channels: channels, pixels: pixels, mean: mean, m2: m2)
      .reduce(channels: channels, pixels: pixels)
  }

  public func normalizationSums(
    _ gradient: UnsafePointer<Float>, addend: UnsafePointer<Float>?,
    activation: UnsafePointer<Float>?, input: UnsafePointer<Float>, mean: UnsafePointer<Float>,
    maskedGradient: UnsafeMutablePointer<Float>?, sums: UnsafeMutablePointer<Float>,
    products: UnsafeMutablePointer<Float>, channels: Int, pixels: Range<Int>
  ) {
    NormalizationTerms(
      gradient: gradient, addend: addend, activation: activation, input: input, mean: mean,
      maskedGradient: maskedGradient, sums: sums, products: products
    ).reduce(channels: channels, pixels: pixels)
  }

  public func channelSums(
    _ input: UnsafePointer<Float>, channels: Int, pixels: Range<Int>,
    sums: UnsafeMutablePointer<Float>
  ) {
    SumTerms(input: input, scale: 1, sums: sums).reduce(channels: channels, pixels: pixels)
  }

  public func globalAverage(
    _ input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, pixels: Int,
    channels: Int, images: Range<Int>
  ) {
    for n in images {
      SumTerms(input: input, scale: 1 / Float(pixels), sums: output + n &* channels)
        .reduce(channels: channels, pixels: n &* pixels..<(n &+ 1) &* pixels)
    }
  }
}
