// The same bytes as Pillow 13's `Image.resize((width, height), Image.Resampling.BILINEAR)` on RGB
// images, because networks are sensitive to how their images were shrunk. So the order of the
// floating-point operations and of the passes, the 22 bits of the weights and the rounding to bytes
// between the passes are part of the behaviour. Before version 13 Pillow always began with the
// horizontal pass, which differs by at most 1 if ours begins with the vertical one.

extension Image {
  /// The image with other extents, by antialiased linear interpolation.
  ///
  /// Along each axis, an output sample at centre c = (i + ½)·s of the input, s = input extent /
  /// output extent, is the mean of the input samples around it weighted by a triangle,
  /// max(0, 1 - |x + ½ - c| / max(s, 1)), scaled to the sum 1 and rounded to 22 bits. The
  /// horizontal pass comes first, unless the height shrinks by more than twice as many pixels as
  /// the width.
  ///
  /// - Precondition: both extents are positive, and the result fits into memory.
  /// - Complexity: O(max(input, output extent)) multiply-adds an output row or column.
  public func resized(width: Int, height: Int) -> Image {
    precondition(width > 0 && height > 0, "an image cannot have \(width)×\(height) pixels")
    guard width != self.width || height != self.height else { return self }
    let verticalFirst =
      height < self.height && self.height - height > 2 * (self.width - width)
    var bytes = pixels
    if verticalFirst {
      bytes = Self.resampled(bytes, rows: 1, along: self.height, to: height, block: self.width * 3)
    }
    let rows = verticalFirst ? height : self.height
    bytes = Self.resampled(bytes, rows: rows, along: self.width, to: width, block: 3)
    if !verticalFirst {
      bytes = Self.resampled(bytes, rows: 1, along: self.height, to: height, block: width * 3)
    }
    return Image(width: width, height: height, checked: bytes)
  }

  /// Resamples the middle axis of `[rows, extent, block]` bytes.
  private static func resampled(
    _ source: [UInt8], rows: Int, along extent: Int, to newExtent: Int, block: Int
  ) -> [UInt8] {
    guard newExtent != extent else { return source }
    let filters = (0..<newExtent).map { Triangle(output: $0, of: newExtent, from: extent) }
    return [UInt8](unsafeUninitializedCapacity: rows * newExtent * block) { target, initialized in
      initialized = rows * newExtent * block
      source.withUnsafeBufferPointer { source in
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: block) { sums in
          for row in 0..<rows {
            for (i, filter) in filters.enumerated() {
              sums.initialize(repeating: 1 << (Triangle.precision - 1))
              for (k, weight) in filter.weights.enumerated() {
                let input = (row * extent + filter.first + k) * block
                for j in 0..<block { sums[j] &+= Int32(source[input + j]) &* weight }
              }
              let output = (row * newExtent + i) * block
              for j in 0..<block {
                target[output + j] = UInt8(clamping: sums[j] >> Triangle.precision)
              }
            }
          }
        }
      }
    }
  }
}

/// The input samples that one output sample is made of, and their weights in fixed point.
private struct Triangle {
  /// The bits after the binary point: 32 minus 8 of a byte minus 2 in reserve.
  static let precision: Int32 = 22

  /// The first input sample.
  let first: Int
  let weights: [Int32]

  init(output index: Int, of newExtent: Int, from extent: Int) {
    let scale = Double(extent) / Double(newExtent)
    let support = max(scale, 1)
    let center = (Double(index) + 0.5) * scale
    let first = max(Int(center - support + 0.5), 0)
    let end = min(Int(center + support + 0.5), extent)
    let inverse = 1 / support
    let heights = (first..<end).map { sample in
      max(0, 1 - abs((Double(sample) - center + 0.5) * inverse))
    }
    let sum = heights.reduce(0, +)
    self.first = first
    weights = heights.map { Int32($0 / sum * Double(1 << Self.precision) + 0.5) }
  }
}
