import ResidualKernelInterface
import Testing

struct MaxPoolingTests {
  private static let extents: [PoolingExtents] = [
    .init(
      batch: 2, channels: 64, input: (16, 16), output: (8, 8), window: (3, 3), stride: (2, 2),
      padding: (1, 1)),
    .init(
      batch: 3, channels: 35, input: (7, 9), output: (3, 4), window: (3, 3), stride: (2, 2),
      padding: (0, 0)),
    .init(
      batch: 2, channels: 3, input: (9, 5), output: (3, 5), window: (2, 3), stride: (4, 1),
      padding: (0, 1)),
    .init(
      batch: 2, channels: 1, input: (1, 1), output: (1, 1), window: (3, 3), stride: (2, 2),
      padding: (1, 1)),
  ]

  /// Ties, infinities and NaNs among the pixels.
  private func pixels(_ count: Int) -> Buffer {
    let random = Buffer(random: count, seed: 7)
    return Buffer(
      random.numbers.enumerated().map { i, x in
        switch i % 23 {
        case 3: .nan
        case 7: .infinity
        case 11: -.infinity
        default: (2 * x).rounded()
        }
      })
  }

  /// For each output element, the offset of its window's largest pixel.
  private func largest(_ e: PoolingExtents, _ x: Buffer) -> [Int] {
    var places: [Int] = []
    for n in 0..<e.batch {
      for p in 0..<e.outputHeight {
        for q in 0..<e.outputWidth {
          for c in 0..<e.channels {
            var best = -1
            for y in p * e.strideHeight - e.paddingTop..<p * e.strideHeight - e.paddingTop
              + e.windowHeight where 0..<e.inputHeight ~= y
            {
              for z in q * e.strideWidth - e.paddingLeft..<q * e.strideWidth - e.paddingLeft
                + e.windowWidth where 0..<e.inputWidth ~= z
              {
                let place = ((n * e.inputHeight + y) * e.inputWidth + z) * e.channels + c
                if best < 0 || x[place] > x[best] || x[place].isNaN { best = place }
              }
            }
            places.append(best)
          }
        }
      }
    }
    return places
  }

  @Test(arguments: NamedLibrary.all, extents)
  func `maxima, in any parts`(_ library: NamedLibrary, _ e: PoolingExtents) {
    let x = pixels(e.inputRows * e.inputWidth * e.channels)
    let output = Buffer(e.outputRows * e.outputWidth * e.channels)
    let middle = e.outputRows / 2
    for rows in [0..<middle, middle..<e.outputRows] {
      library.kernels.maxPool(x.input, output: output.pointer, extents: e, rows: rows)
    }
    let expected = Buffer(largest(e, x).map { x[$0] })
    #expect(output.bits == expected.bits)
  }

  @Test(arguments: NamedLibrary.all, extents)
  func `gradients, in any parts`(_ library: NamedLibrary, _ e: PoolingExtents) {
    let x = pixels(e.inputRows * e.inputWidth * e.channels)
    let gradient = Buffer(random: e.outputRows * e.outputWidth * e.channels, seed: 8)
    var expected = [Float](repeating: 0, count: x.count)
    for (i, place) in largest(e, x).enumerated() { expected[place] += gradient[i] }
    for height in [e.inputRows, e.inputHeight, 3, 1] {
      let result = Buffer(x.count)
      for first in stride(from: 0, to: e.inputRows, by: height) {
        library.kernels.maxPoolGradient(
          gradient.input, input: x.input, inputGradient: result.pointer, extents: e,
          rows: first..<min(first + height, e.inputRows))
      }
      #expect(result.numbers == expected, "parts of \(height) rows")
    }
  }

  @Test(arguments: NamedLibrary.all)
  func `a part writes its rows only`(_ library: NamedLibrary) {
    let e = Self.extents[1]
    let rowCount = e.inputWidth * e.channels
    let x = pixels(e.inputRows * rowCount)
    let gradient = Buffer(random: e.outputRows * e.outputWidth * e.channels, seed: 8)
    let result = Buffer(x.count)
    library.kernels.maxPoolGradient(
      gradient.input, input: x.input, inputGradient: result.pointer, extents: e, rows: 5..<16)
    for i in 0..<x.count { #expect(result[i].isNaN == !(5..<16 ~= i / rowCount)) }
  }
}
