import ResidualKernelInterface
import Testing

/// Pixels and channels of the paper's layers, and awkward ones.
private let extents = [
  (1, 1), (1, 64), (3, 3), (5, 17), (35, 5), (64, 16), (1023, 16), (300, 32), (257, 64),
  (49, 80), (130, 48), (20, 23), (10, 256), (4096, 16),
]

struct NormalizationTests {
  @Test(arguments: NamedLibrary.all, extents)
  func `statistics of a part with a large mean`(_ library: NamedLibrary, _ shape: (Int, Int)) {
    let (pixels, channels) = shape
    let input = Buffer(random: pixels * channels, seed: 1, mean: 1000, deviation: 1)
    let part = pixels / 3..<pixels
    let (mean, m2) = (Buffer(channels), Buffer(channels))
    library.kernels.channelStatistics(
      input.input, channels: channels, pixels: part, mean: mean.pointer, m2: m2.pointer)

    var (expectedMean, expectedM2) = ([Double](), [Double]())
    for c in 0..<channels {
      let column = part.map { Double(input[$0 * channels + c]) }
      let average = column.reduce(0, +) / Double(column.count)
      expectedMean.append(average)
      expectedM2.append(column.reduce(0) { $0 + ($1 - average) * ($1 - average) })
    }
    // The mean is rounded to a float of its size; M2 is a sum of short sums.
    #expect(relativeError(mean, expectedMean) < 1e-7)
    #expect(relativeError(m2, expectedM2) < 1e-6)
  }

  @Test(arguments: NamedLibrary.all)
  func `statistics of a long range and of none`(_ library: NamedLibrary) {
    let pixels = 60_000
    let input = Buffer(random: pixels * 16, seed: 2, mean: 1000, deviation: 1)
    let (mean, m2) = (Buffer(16), Buffer(16))
    library.kernels.channelStatistics(
      input.input, channels: 16, pixels: 0..<pixels, mean: mean.pointer, m2: m2.pointer)
    let columns = (0..<16).map { c in (0..<pixels).map { Double(input[$0 * 16 + c]) } }
    let means = columns.map { $0.reduce(0, +) / Double(pixels) }
    let squares = (0..<16).map { c in
      columns[c].reduce(0) { $0 + ($1 - means[c]) * ($1 - means[c]) }
    }
    #expect(relativeError(mean, means) < 1e-7)
    #expect(relativeError(m2, squares) < 1e-6)

    library.kernels.channelStatistics(
      input.input, channels: 16, pixels: 7..<7, mean: mean.pointer, m2: m2.pointer)
    #expect(mean.numbers.allSatisfy { $0 == 0 } && m2.numbers.allSatisfy { $0 == 0 })
  }

  @Test(arguments: NamedLibrary.all)
  func `equal numbers have no variance`(_ library: NamedLibrary) {
    let input = Buffer([Float](repeating: 0.1, count: 100 * 17))
    let (mean, m2) = (Buffer(17), Buffer(17))
    library.kernels.channelStatistics(
      input.input, channels: 17, pixels: 0..<100, mean: mean.pointer, m2: m2.pointer)
    #expect(mean.numbers.allSatisfy { $0 == 0.1 } && m2.numbers.allSatisfy { $0 == 0 })
  }

  @Test(arguments: NamedLibrary.all, extents)
  func `affine map, residual, rectifier`(_ library: NamedLibrary, _ shape: (Int, Int)) {
    let (pixels, channels) = shape
    let count = pixels * channels
    let input = Buffer(random: count, seed: 3)
    let residual = Buffer(random: count, seed: 4)
    let scale = Buffer(random: channels, seed: 5)
    let shift = Buffer(random: channels, seed: 6)
    let part = pixels / 3..<pixels
    for addsResidual in [false, true] {
      for rectify in [false, true] {
        let output = Buffer(count)
        library.kernels.affine(
          input.input, scale: scale.input, shift: shift.input,
          residual: addsResidual ? residual.input : nil, rectify: rectify, output: output.pointer,
          channels: channels, pixels: part)
        for i in 0..<count {
          guard part.contains(i / channels) else {
            #expect(output[i].isNaN)
            continue
          }
          let c = i % channels
          var y = Double(input[i]) * Double(scale[c]) + Double(shift[c])
          if addsResidual { y += Double(residual[i]) }
          #expect(close(output[i], rectify ? max(y, 0) : y))
        }
      }
    }
  }

  @Test(arguments: NamedLibrary.all)
  func `affine map in place`(_ library: NamedLibrary) {
    let input = Buffer(random: 10 * 17, seed: 7)
    let before = input.numbers
    let coefficients = Buffer([Float](repeating: 2, count: 17))
    library.kernels.affine(
      input.input, scale: coefficients.input, shift: coefficients.input, residual: input.input,
      rectify: false, output: input.pointer, channels: 17, pixels: 0..<10)
    for i in 0..<before.count { #expect(close(input[i], Double(before[i]) * 3 + 2)) }
  }

  @Test(arguments: NamedLibrary.all, extents)
  func `sums of the backward pass`(_ library: NamedLibrary, _ shape: (Int, Int)) {
    let (pixels, channels) = shape
    let count = pixels * channels
    let gradient = Buffer(random: count, seed: 8)
    let addend = Buffer(random: count, seed: 9)
    let activation = Buffer(random: count, seed: 10)
    let input = Buffer(random: count, seed: 11, mean: 3)
    let mean = Buffer(random: channels, seed: 12, mean: 3, deviation: 0.1)
    let part = pixels / 4..<pixels
    for options in 0..<8 {
      let (adds, masks, writes) = (options & 1 != 0, options & 2 != 0, options & 4 != 0)
      let masked = Buffer(count)
      let (sums, products) = (Buffer(channels), Buffer(channels))
      library.kernels.normalizationSums(
        gradient.input, addend: adds ? addend.input : nil,
        activation: masks ? activation.input : nil, input: input.input, mean: mean.input,
        maskedGradient: writes ? masked.pointer : nil, sums: sums.pointer,
        products: products.pointer, channels: channels, pixels: part)

      var (expectedSums, expectedProducts) = ([Double](), [Double]())
      var (magnitude, productMagnitude) = (1e-30, 1e-30)
      for c in 0..<channels {
        var (sum, product) = (0.0, 0.0)
        for pixel in part {
          let i = pixel * channels + c
          var g = Double(gradient[i]) + (adds ? Double(addend[i]) : 0)
          if masks && activation[i] <= 0 { g = 0 }
          if writes { #expect(close(masked[i], g)) }
          let term = g * (Double(input[i]) - Double(mean[c]))
          sum += g
          product += term
          magnitude += abs(g) / Double(channels)
          productMagnitude += abs(term) / Double(channels)
        }
        expectedSums.append(sum)
        expectedProducts.append(product)
      }
      // The terms cancel: errors are relative to the sum of their magnitudes.
      for c in 0..<channels {
        #expect(abs(Double(sums[c]) - expectedSums[c]) <= 1e-6 * magnitude)
        #expect(abs(Double(products[c]) - expectedProducts[c]) <= 1e-6 * productMagnitude)
      }
      if writes { for i in 0..<part.lowerBound * channels { #expect(masked[i].isNaN) } }
    }
  }

  @Test(arguments: NamedLibrary.all, extents)
  func `input gradient and channel sums`(_ library: NamedLibrary, _ shape: (Int, Int)) {
    let (pixels, channels) = shape
    let count = pixels * channels
    let gradient = Buffer(random: count, seed: 13)
    let input = Buffer(random: count, seed: 14)
    let coefficients = (0..<3).map { Buffer(random: channels, seed: 15 + $0) }
    let output = Buffer(count)
    library.kernels.normalizationInputGradient(
      gradient.input, input: input.input, a: coefficients[0].input, b: coefficients[1].input,
      c: coefficients[2].input, output: output.pointer, channels: channels, pixels: 0..<pixels)
    var expected = [Double]()
    for i in 0..<count {
      let c = i % channels
      expected.append(
        Double(gradient[i]) * Double(coefficients[0][c])
          + Double(input[i]) * Double(coefficients[1][c]) + Double(coefficients[2][c]))
    }
    #expect(relativeError(output, expected) < 1e-6)

    let sums = Buffer(channels)
    library.kernels.channelSums(
      input.input, channels: channels, pixels: 0..<pixels, sums: sums.pointer)
    for c in 0..<channels {
      let column = (0..<pixels).map { Double(input[$0 * channels + c]) }
      #expect(
        abs(Double(sums[c]) - column.reduce(0, +)) <= 1e-6 * column.reduce(1e-30) { $0 + abs($1) })
    }
  }

  @Test(arguments: NamedLibrary.all, [(1, 1), (64, 64), (49, 17), (12, 10), (1, 3)])
  func `global average and its gradient`(_ library: NamedLibrary, _ shape: (Int, Int)) {
    let (pixels, channels) = shape
    let images = 5
    let input = Buffer(random: images * pixels * channels, seed: 18, mean: 1)
    let output = Buffer(images * channels)
    let gradient = Buffer(images * pixels * channels)
    for part in [0..<2, 2..<5] {
      library.kernels.globalAverage(
        input.input, output: output.pointer, pixels: pixels, channels: channels, images: part)
      library.kernels.globalAverageGradient(
        output.input, inputGradient: gradient.pointer, pixels: pixels, channels: channels,
        images: part)
    }
    for n in 0..<images {
      for c in 0..<channels {
        let column = (0..<pixels).map { Double(input[(n * pixels + $0) * channels + c]) }
        #expect(close(output[n * channels + c], column.reduce(0, +) / Double(pixels)))
        for pixel in 0..<pixels {
          #expect(
            close(
              gradient[(n * pixels + pixel) * channels + c],
              Double(output[n * channels + c]) / Double(pixels)))
        }
      }
    }
  }
}

/// Equal to a few units in the last place of numbers about one.
func close(_ computed: Float, _ expected: Double) -> Bool {
  abs(Double(computed) - expected) <= 1e-6 * max(1, abs(expected))
}
