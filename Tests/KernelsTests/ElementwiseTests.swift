import CIntrinsics
import Foundation
import ResidualKernelInterface
import Testing

struct ElementwiseTests {
  @Test(arguments: NamedLibrary.all, [1, 3, 16, 33, 1000])
  func `sum and rectifier`(_ library: NamedLibrary, _ count: Int) {
    let a = Buffer(random: count, seed: 1)
    let b = Buffer(random: count, seed: 2)
    let part = count / 3..<count
    let (sum, positive, masked, maskedSum) = (
      Buffer(count), Buffer(count), Buffer(count), Buffer(count)
    )
    library.kernels.add(a.input, b.input, output: sum.pointer, elements: part)
    library.kernels.rectify(a.input, output: positive.pointer, elements: part)
    library.kernels.rectifyGradient(
      a.input, addend: nil, activation: b.input, output: masked.pointer, elements: part)
    library.kernels.rectifyGradient(
      a.input, addend: a.input, activation: b.input, output: maskedSum.pointer, elements: part)
    for i in 0..<count {
      guard part.contains(i) else {
        #expect([sum, positive, masked, maskedSum].allSatisfy { $0[i].isNaN })
        continue
      }
      #expect(sum[i] == a[i] + b[i])
      #expect(positive[i] == max(a[i], 0))
      #expect(masked[i] == (b[i] > 0 ? a[i] : 0))
      #expect(maskedSum[i] == (b[i] > 0 ? a[i] + a[i] : 0))
    }
  }

  @Test(arguments: NamedLibrary.all, [1, 3, 16, 33, 1000])
  func `difference, product, scale`(_ library: NamedLibrary, _ count: Int) {
    let (a, b) = (Buffer(random: count, seed: 1), Buffer(random: count, seed: 2))
    let part = count / 3..<count
    let (difference, product, scaled, sum) = (
      Buffer(count), Buffer(count), Buffer(count), Buffer(count)
    )
    library.kernels.subtract(a.input, b.input, output: difference.pointer, elements: part)
    library.kernels.multiply(a.input, b.input, output: product.pointer, elements: part)
    library.kernels.scale(a.input, by: -3, addend: nil, output: scaled.pointer, elements: part)
    library.kernels.scale(a.input, by: -3, addend: b.input, output: sum.pointer, elements: part)
    for i in 0..<count {
      guard part.contains(i) else {
        #expect([difference, product, scaled, sum].allSatisfy { $0[i].isNaN })
        continue
      }
      #expect(difference[i] == a[i] - b[i])
      #expect(product[i] == a[i] * b[i])
      #expect(scaled[i] == -3 * a[i])
      #expect(abs(sum[i] - (b[i] - 3 * a[i])) <= 1e-6)
    }
  }

  /// From where it is all but 0 to where it is all but 1, and beyond.
  @Test(arguments: NamedLibrary.all)
  func `sigmoid has the stated error`(_ library: NamedLibrary) {
    let count = 40_001
    let x = Buffer((0..<count).map { (Float($0) - 20_000) / 230 })
    let (y, gradient) = (Buffer(count), Buffer(count))
    library.kernels.sigmoid(x.input, output: y.pointer, elements: 0..<count)
    library.kernels.sigmoidGradient(
      x.input, result: y.input, output: gradient.pointer, elements: 0..<count)
    for i in 0..<count {
      let exact = 1 / (1 + exp(-Double(x[i])))
      #expect(abs(Double(y[i]) - exact) <= 3e-7 * exact)
      let expected = x[i] * (y[i] * (1 - y[i]))
      #expect(abs(gradient[i] - expected) <= 1e-6 * abs(expected))
    }
    let odd = Float(bitPattern: 0xFFFF_FFFF)
    let edges = Buffer([-.infinity, .infinity, .nan, -1000, 1000, odd])
    let results = Buffer(6)
    library.kernels.sigmoid(edges.input, output: results.pointer, elements: 0..<6)
    #expect(results[5].isNaN)
    #expect(results[0] >= 0 && results[0] < 1e-37 && results[1] == 1 && results[2].isNaN)
    #expect(results[3] == results[0] && results[4] == 1)
  }

  @Test(arguments: NamedLibrary.all, [1, 5, 16, 33])
  func `bias for each channel`(_ library: NamedLibrary, _ channels: Int) {
    let (x, bias) = (Buffer(random: 7 * channels, seed: 1), Buffer(random: channels, seed: 2))
    let output = Buffer(7 * channels)
    library.kernels.addBias(
      x.input, bias: bias.input, output: output.pointer, channels: channels, pixels: 2..<6)
    for i in 0..<7 * channels {
      if 2..<6 ~= i / channels {
        #expect(output[i] == x[i] + bias[i % channels])
      } else {
        #expect(output[i].isNaN)
      }
    }
  }

  @Test(arguments: NamedLibrary.all)
  func `a NaN stays a NaN, zero stops the gradient`(_ library: NamedLibrary) {
    let numbers: [Float] = [.nan, 0, -0.0, .infinity, -.infinity]
    let input = Buffer([[Float]](repeating: numbers, count: 7).flatMap { $0 })
    let output = Buffer(input.count)
    library.kernels.rectify(input.input, output: output.pointer, elements: 0..<input.count)
    let ones = Buffer([Float](repeating: 1, count: input.count))
    let gradient = Buffer(input.count)
    library.kernels.rectifyGradient(
      ones.input, addend: nil, activation: input.input, output: gradient.pointer,
      elements: 0..<input.count)
    for i in 0..<input.count {
      let x = input[i]
      #expect(x.isNaN ? output[i].isNaN : output[i] == (x > 0 ? x : 0))
      #expect(gradient[i] == (x <= 0 ? 0 : 1))
    }
  }

  @Test(arguments: NamedLibrary.all, [1, 17, 16_384, 272_474])
  func `momentum step, in place and not`(_ library: NamedLibrary, _ count: Int) {
    let parameter = Buffer(random: count, seed: 3)
    let velocity = Buffer(random: count, seed: 4)
    let gradient = Buffer(random: count, seed: 5)
    let (newParameter, newVelocity, squares) = (Buffer(count), Buffer(count), Buffer(3))
    func step(
      _ w: UnsafeMutablePointer<Float>, _ v: UnsafeMutablePointer<Float>, unscale: Float = 1,
      clip: Float = 1
    ) {
      library.kernels.momentumStep(
        parameter: parameter.input, velocity: velocity.input, gradient: gradient.input, rate: 0.1,
        momentum: 0.9, decay: 1e-4, unscale: unscale, clip: clip, newParameter: w, newVelocity: v,
        squares: squares.pointer, elements: 0..<count)
    }
    for (unscale, clip) in [(0.25, 0.7), (1, 1)] as [(Float, Float)] {
      step(newParameter.pointer, newVelocity.pointer, unscale: unscale, clip: clip)
      var (parameters, velocities) = ([Double](), [Double]())
      var sums = [0.0, 0, 0]
      for i in 0..<count {
        let w = Double(parameter[i])
        let g = Double(unscale) * Double(gradient[i])
        let v =
          Double(Float(0.9)) * Double(velocity[i])
          + Double(Float(0.1)) * (Double(clip) * g + Double(Float(1e-4)) * w)
        velocities.append(v)
        parameters.append(w - v)
        for (index, number) in [g, w, v].enumerated() { sums[index] += number * number }
      }
      #expect(relativeError(newVelocity, velocities) < 2e-7)
      #expect(relativeError(newParameter, parameters) < 2e-7)
      // A caller gives no more than some ten thousand numbers at once.
      #expect(relativeError(squares, sums) < (count > 16_384 ? 1e-4 : 3e-6))
      let sum = library.kernels.sumOfSquares(
        gradient.input, factor: unscale, elements: 0..<count)
      #expect(relativeError(Buffer([sum]), [sums[0]]) < (count > 16_384 ? 1e-4 : 3e-6))
    }
    step(parameter.pointer, velocity.pointer)
    #expect(parameter.bits == newParameter.bits && velocity.bits == newVelocity.bits)
  }

  @Test(arguments: NamedLibrary.all, [Float.nan, .infinity, -.infinity])
  func `sums of squares see what is not finite`(_ library: NamedLibrary, _ number: Float) {
    for (count, place) in [(1, 0), (37, 0), (37, 19), (37, 36), (64, 63)] {
      let numbers = Buffer([Float](repeating: 1, count: count))
      func sum() -> Float {
        library.kernels.sumOfSquares(numbers.input, factor: 2, elements: 0..<count)
      }
      #expect(sum() == Float(4 * count))
      numbers.pointer[place] = number
      #expect(!sum().isFinite)
    }
  }

  @Test(arguments: NamedLibrary.all)
  func `peak counts its operations`(_ library: NamedLibrary) {
    let kernels = library.kernels
    #expect(kernels.peakOperations(iterations: 1000) == 1000 * 24 * kernels.lanes)
  }

  @Test(arguments: NamedLibrary.all)
  func `denormals are flushed and come back`(_ library: NamedLibrary) {
    let mode = readFloatingPointMode()
    defer { setFloatingPointMode(mode) }
    let denormal = Buffer([.leastNormalMagnitude / 2])
    let zero = Buffer([0])
    let sum = Buffer(1)
    setFloatingPointMode(flushingDenormals(mode))
    library.kernels.add(denormal.input, zero.input, output: sum.pointer, elements: 0..<1)
    setFloatingPointMode(mode)
    #expect(sum[0] == 0)
    library.kernels.add(denormal.input, zero.input, output: sum.pointer, elements: 0..<1)
    #expect(sum[0] == denormal[0] && sum[0].isSubnormal)
  }
}
