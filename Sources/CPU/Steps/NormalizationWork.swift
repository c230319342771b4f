import ResidualExecution
import ResidualKernelInterface

// Statistics are computed for parts of the pixels and merged in the order of the parts, in Double,
// so that neither the number of threads nor a large mean changes them.

struct StatisticsParts: Work {
  let input: BufferID
  /// For each part: mean and M2, `channels` floats each.
  let partials: BufferID
  let channels: Int
  let pixels: Partition

  var parts: Int { pixels.parts }

  func run(part: Int, in context: StepContext) {
    let mean = context.output(partials) + part * 2 * channels
    context.kernels.channelStatistics(
      context.input(input), channels: channels, pixels: pixels.range(part), mean: mean,
      m2: mean + channels)
  }
}

/// Merges the parts' statistics (Chan, Golub, LeVeque 1979, eq. 2.1).
struct MergeStatistics: SerialWork {
  let partials: BufferID
  let count: BufferID, mean: BufferID, m2: BufferID
  let channels: Int
  /// The pixels of each part.
  let counts: [Int]

  func run(in context: StepContext) {
    let source = context.input(partials)
    let (means, m2s) = (context.output(mean), context.output(m2))
    for channel in 0..<channels {
      var count = 0.0
      var mean = 0.0
      var m2 = 0.0
      for (part, pixels) in counts.enumerated() {
        let partCount = Double(pixels)
        let partMean = Double(source[part * 2 * channels + channel])
        let partM2 = Double(source[(part * 2 + 1) * channels + channel])
        let delta = partMean - mean
        let total = count + partCount
        mean += delta * partCount / total
        m2 += partM2 + delta * delta * count * partCount / total
        count = total
      }
      means[channel] = Float(mean)
      m2s[channel] = Float(m2)
    }
    context.output(count).pointee = Float(counts.reduce(0, +))
  }
}

struct ComputeVariance: SerialWork {
  let count: BufferID, m2: BufferID, output: BufferID
  let correction: Int
  let channels: Int

  func run(in context: StepContext) {
    let divisor = max(context.input(count).pointee - Float(correction), 1)
    let (m2, output) = (context.input(m2), context.output(output))
    for channel in 0..<channels { output[channel] = m2[channel] / divisor }
  }
}

struct UpdateMovingAverage: SerialWork {
  let old: BufferID, new: BufferID, output: BufferID
  let weight: Float
  let count: Int

  func run(in context: StepContext) {
    let (old, new, output) = (context.input(old), context.input(new), context.output(output))
    for index in 0..<count { output[index] = old[index] + weight * (new[index] - old[index]) }
  }
}

/// Normalisation as an affine map: `scale / √(variance + ε)` and `shift − mean · that`.
struct NormalizationCoefficients: SerialWork {
  let mean: BufferID, variance: BufferID, scale: BufferID, shift: BufferID
  /// Both coefficients, `channels` floats each.
  let output: BufferID
  let epsilon: Float
  let channels: Int

  func run(in context: StepContext) {
    let (mean, variance) = (context.input(mean), context.input(variance))
    let (scale, shift) = (context.input(scale), context.input(shift))
    let output = context.output(output)
    for channel in 0..<channels {
      let factor = scale[channel] / (variance[channel] + epsilon).squareRoot()
      output[channel] = factor
      output[channels + channel] = shift[channel] - mean[channel] * factor
    }
  }
}

/// Batch normalisation, and optionally the addition and the rectifier after it, in one pass.
struct Normalize: Work {
  let input: BufferID, coefficients: BufferID, output: BufferID
  let residual: BufferID?
  let rectifies: Bool
  let channels: Int
  let pixels: Partition

  var parts: Int { pixels.parts }

  func run(part: Int, in context: StepContext) {
    let scale = context.input(coefficients)
    context.kernels.affine(
      context.input(input), scale: scale, shift: scale + channels,
      residual: residual.map(context.input), rectify: rectifies, output: context.output(output),
      channels: channels, pixels: pixels.range(part))
  }
}

/// The sums of the backward pass, and optionally the addition and the rectifier's mask before them.
struct NormalizationSumsParts: Work {
  let gradient: BufferID, addend: BufferID?, activation: BufferID?
  let input: BufferID, mean: BufferID
  let maskedGradient: BufferID?
  /// For each part: both sums, `channels` floats each.
  let partials: BufferID
  let channels: Int
  let pixels: Partition

  var parts: Int { pixels.parts }

  func run(part: Int, in context: StepContext) {
    let sums = context.output(partials) + part * 2 * channels
    context.kernels.normalizationSums(
      context.input(gradient), addend: addend.map(context.input),
      activation: activation.map(context.input), input: context.input(input),
      mean: context.input(mean), maskedGradient: maskedGradient.map(context.output), sums: sums,
      products: sums + channels, channels: channels, pixels: pixels.range(part))
  }
}

/// Adds the parts' sums in order, in Double. A part holds `channels` sums, or twice as many where
/// there is a second output. Those of the first output begin at a place in it.
struct MergeSums: SerialWork {
  let partials: BufferID
  let first: BufferID
  var place = 0
  let second: BufferID?
  let channels: Int
  let partCount: Int

  func run(in context: StepContext) {
    let source = context.input(partials)
    let stride = (second == nil ? 1 : 2) * channels
    add(source, stride, into: context.output(first) + place)
    if let second { add(source + channels, stride, into: context.output(second)) }
  }

  private func add(
    _ source: UnsafePointer<Float>, _ stride: Int, into output: UnsafeMutablePointer<Float>
  ) {
    for channel in 0..<channels {
      var sum = 0.0
      for part in 0..<partCount { sum += Double(source[part * stride + channel]) }
      output[channel] = Float(sum)
    }
  }
}

struct ScaleGradient: SerialWork {
  let products: BufferID, variance: BufferID, output: BufferID
  let epsilon: Float
  let channels: Int

  func run(in context: StepContext) {
    let (products, variance) = (context.input(products), context.input(variance))
    let output = context.output(output)
    for channel in 0..<channels {
      output[channel] = products[channel] / (variance[channel] + epsilon).squareRoot()
    }
  }
}

/// The input's gradient as `g · a + x · b + c`; see `Operations/BatchNormalization.swift`.
struct InputGradientCoefficients: SerialWork {
  let mean: BufferID, variance: BufferID, scale: BufferID, sums: BufferID, products: BufferID
  /// a, b and c, `channels` floats each.
  let output: BufferID
  let epsilon: Float
  let statistics: Operation.NormalizationStatistics
  let channels: Int
  /// Pixels of the batch.
  let count: Int

  func run(in context: StepContext) {
    let (mean, variance) = (context.input(mean), context.input(variance))
    let (sums, products) = (context.input(sums), context.input(products))
    let scale = context.input(scale)
    let output = context.output(output)
    for channel in 0..<channels {
      let inverse = 1 / (Double(variance[channel]) + Double(epsilon)).squareRoot()
      let a = Double(scale[channel]) * inverse
      var b = 0.0
      var c = 0.0
      if statistics == .batch {
        b = -a * inverse * inverse * Double(products[channel]) / Double(count)
        c = -a * Double(sums[channel]) / Double(count) - b * Double(mean[channel])
      }
      output[channel] = Float(a)
      output[channels + channel] = Float(b)
      output[2 * channels + channel] = Float(c)
    }
  }
}

struct NormalizationInputGradient: Work {
  let gradient: BufferID, input: BufferID, coefficients: BufferID, output: BufferID
  let channels: Int
  let pixels: Partition

  var parts: Int { pixels.parts }

  func run(part: Int, in context: StepContext) {
    let a = context.input(coefficients)
    context.kernels.normalizationInputGradient(
      context.input(gradient), input: context.input(input), a: a, b: a + channels,
      c: a + 2 * channels, output: context.output(output), channels: channels,
      pixels: pixels.range(part))
  }
}

struct ChannelSumParts: Work {
  let input: BufferID, partials: BufferID
  let channels: Int
  let pixels: Partition

  var parts: Int { pixels.parts }

  func run(part: Int, in context: StepContext) {
    context.kernels.channelSums(
      context.input(input), channels: channels, pixels: pixels.range(part),
      sums: context.output(partials) + part * channels)
  }
}
