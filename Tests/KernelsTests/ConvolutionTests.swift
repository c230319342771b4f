import ResidualKernelInterface
import Testing

/// A convolution's extents with a name.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
  let name: String
  let extents: ConvolutionExtents

  var testDescription: String { name }

  init(
    _ name: String, batch: Int = 2, _ height: Int, _ width: Int, _ channels: Int, to k: Int,
    filter: (Int, Int), stride: (Int, Int) = (1, 1), top: Int = 0, left: Int = 0,
    bottom: Int? = nil,
    right: Int? = nil
  ) {
    self.name = name
    let p = (height + top + (bottom ?? top) - filter.0) / stride.0 + 1
    let q = (width + left + (right ?? left) - filter.1) / stride.1 + 1
    extents = ConvolutionExtents(
      batch: batch, input: (height, width, channels), output: (p, q, k), filter: filter,
      stride: stride, padding: (top, left))
  }

  static let all =
    [
      ConvolutionCase("CIFAR first layer", 32, 32, 3, to: 16, filter: (3, 3), top: 1, left: 1),
      ConvolutionCase("CIFAR 16 channels", 32, 32, 16, to: 16, filter: (3, 3), top: 1, left: 1),
      ConvolutionCase(
        "CIFAR 16 to 32, stride 2", 32, 32, 16, to: 32, filter: (3, 3), stride: (2, 2), top: 1,
        left: 1),
      ConvolutionCase("CIFAR 32 channels", 16, 16, 32, to: 32, filter: (3, 3), top: 1, left: 1),
      ConvolutionCase(
        "CIFAR 32 to 64, stride 2", 16, 16, 32, to: 64, filter: (3, 3), stride: (2, 2), top: 1,
        left: 1),
      ConvolutionCase("CIFAR 64 channels", 8, 8, 64, to: 64, filter: (3, 3), top: 1, left: 1),
      ConvolutionCase(
        "shortcut 16 to 32", 32, 32, 16, to: 32, filter: (1, 1), stride: (2, 2)),
      ConvolutionCase("classifier", batch: 128, 1, 1, 64, to: 10, filter: (1, 1)),
      ConvolutionCase("pointwise 7×7", batch: 3, 7, 7, 64, to: 40, filter: (1, 1)),
      ConvolutionCase(
        "ImageNet first layer, small", batch: 1, 37, 41, 3, to: 64, filter: (7, 7), stride: (2, 2),
        top: 3, left: 3),
      ConvolutionCase("14×14", batch: 1, 14, 14, 48, to: 80, filter: (3, 3), top: 1, left: 1),
      ConvolutionCase("odd 5×7, 3 to 17", 5, 7, 3, to: 17, filter: (3, 3), top: 1, left: 1),
      ConvolutionCase(
        "odd 5×7, 17 to 3, stride 2", 5, 7, 17, to: 3, filter: (3, 3), stride: (2, 2), top: 1,
        left: 1),
      ConvolutionCase(
        "one pixel, padded", batch: 5, 1, 1, 17, to: 5, filter: (3, 3), top: 1, left: 1),
      ConvolutionCase("one channel", batch: 1, 6, 6, 1, to: 1, filter: (3, 3), top: 1, left: 1),
      ConvolutionCase(
        "padding at the bottom right only", 8, 9, 5, to: 6, filter: (3, 3), stride: (2, 2),
        bottom: 1,
        right: 1),
      ConvolutionCase(
        "padding at the top left only", 8, 9, 5, to: 6, filter: (3, 3), stride: (2, 2), top: 1,
        left: 1, bottom: 0, right: 0),
      ConvolutionCase("no padding", batch: 1, 11, 6, 20, to: 33, filter: (3, 3)),
      ConvolutionCase("5×5", 9, 12, 4, to: 24, filter: (5, 5), top: 2, left: 2),
      ConvolutionCase("1×3", 6, 9, 16, to: 16, filter: (1, 3), top: 0, left: 1),
      ConvolutionCase("4×2, stride 3×1", 11, 10, 7, to: 9, filter: (4, 2), stride: (3, 1), top: 1),
      ConvolutionCase(
        "1×1, stride 2, odd", 7, 5, 16, to: 32, filter: (1, 1), stride: (2, 2)),
      ConvolutionCase("stride 3 over 2×2", 2, 2, 3, to: 4, filter: (1, 1), stride: (3, 3)),
      ConvolutionCase("one row of 13 pixels", batch: 1, 1, 13, 40, to: 72, filter: (1, 1)),
    ] + resNet50

  /// The shapes of ResNet-50's layers that are computed directly, some of one image's rows.
  static let resNet50 = [
    ConvolutionCase(
      "stem", batch: 1, 64, 224, 3, to: 64, filter: (7, 7), stride: (2, 2), top: 3, left: 3),
    ConvolutionCase("56 px, 64 to 256", batch: 1, 28, 56, 64, to: 256, filter: (1, 1)),
    ConvolutionCase("56 px, 256 to 64", batch: 1, 28, 56, 256, to: 64, filter: (1, 1)),
    ConvolutionCase("28 px, 512 to 128", batch: 1, 28, 28, 512, to: 128, filter: (1, 1)),
    ConvolutionCase("14 px, 256 to 1024", batch: 1, 14, 14, 256, to: 1024, filter: (1, 1)),
    ConvolutionCase("7 px, 2048 to 512", batch: 1, 7, 7, 2048, to: 512, filter: (1, 1)),
    ConvolutionCase(
      "28 to 14 px, 512 to 1024", batch: 1, 28, 28, 512, to: 1024, filter: (1, 1), stride: (2, 2)),
    ConvolutionCase(
      "28 to 14 px, 3×3, 256", batch: 1, 28, 28, 256, to: 256, filter: (3, 3), stride: (2, 2),
      top: 1, left: 1),
    ConvolutionCase("classifier of ResNet-50", batch: 1, 1, 16, 2048, to: 1000, filter: (1, 1)),
    ConvolutionCase("classifier, one image", batch: 1, 1, 1, 512, to: 1000, filter: (1, 1)),
  ]
}

/// Every algorithm that applies, the one of choice and the others, in buffers of just their sizes.
struct ConvolutionTests {
  @Test(arguments: NamedLibrary.all, ConvolutionCase.all)
  func `output is the formula's`(_ library: NamedLibrary, _ example: ConvolutionCase) {
    let e = example.extents
    let input = Buffer(random: e.batch * e.inputHeight * e.inputWidth * e.inputChannels, seed: 1)
    let filter = Buffer(random: e.filterCount, seed: 2)
    let expected = NaiveConvolution.output(input, filter: filter, e)
    for algorithm in library.kernels.algorithms(for: e) {
      let run = Convolving(
        library.kernels, e, filter: filter, packing: .forward, algorithm: algorithm)
      let output = run.output(input, parts: [0..<e.outputRows])
      #expect(relativeError(output, expected) < tolerance, "\(algorithm)")
      #expect(output.bits == run.output(input, parts: run.unevenParts).bits, "\(algorithm)")
    }
  }

  @Test(arguments: NamedLibrary.all, ConvolutionCase.all)
  func `input gradient is the transpose of the output`(
    _ library: NamedLibrary, _ example: ConvolutionCase
  ) {
    let e = example.extents
    let gradient = Buffer(random: e.outputRows * e.outputWidth * e.outputChannels, seed: 3)
    let filter = Buffer(random: e.filterCount, seed: 4)
    let expected = NaiveConvolution.inputGradient(gradient, filter: filter, e)
    for algorithm in library.kernels.algorithms(for: e.inputGradient) {
      let run = Convolving(
        library.kernels, e.inputGradient, filter: filter, packing: .rotated, algorithm: algorithm)
      let inputGradient = run.output(gradient, parts: [0..<e.inputGradient.outputRows])
      #expect(relativeError(inputGradient, expected) < tolerance, "\(algorithm)")
      #expect(
        inputGradient.bits == run.output(gradient, parts: run.unevenParts).bits, "\(algorithm)")
    }
  }

  @Test(arguments: NamedLibrary.all, [1, 2, 3])
  func `dilated and strided at once`(_ library: NamedLibrary, _ stride: Int) {
    // Dilation 2 × 3 of a 5×4 input: 9 × 10 with the zeros.
    let e = ConvolutionExtents(
      batch: 2, input: (5, 4, 6), output: ((9 + 2 - 3) / stride + 1, (10 + 2 - 3) / stride + 1, 7),
      filter: (3, 3), stride: (stride, stride), padding: (1, 1), inputDilation: (2, 3))
    let input = Buffer(random: 2 * 5 * 4 * 6, seed: 5)
    let filter = Buffer(random: e.filterCount, seed: 6)
    let run = Convolving(library.kernels, e, filter: filter, packing: .forward)
    let output = run.output(input, parts: run.unevenParts)
    #expect(relativeError(output, NaiveConvolution.output(input, filter: filter, e)) < tolerance)
  }

  @Test(arguments: NamedLibrary.all)
  func `rows outside the part are left alone`(_ library: NamedLibrary) {
    let e = ConvolutionCase.all[1].extents
    let input = Buffer(random: 2 * 32 * 32 * 16, seed: 7)
    let filter = Buffer(random: e.filterCount, seed: 8)
    let output = Convolving(library.kernels, e, filter: filter, packing: .forward)
      .output(input, parts: [5..<37])
    let row = 32 * 16
    for i in 0..<output.count { #expect(output[i].isNaN == !(5 * row..<37 * row).contains(i)) }
  }

  @Test(arguments: NamedLibrary.all, ConvolutionCase.all)
  func `filter gradient is the formula's`(_ library: NamedLibrary, _ example: ConvolutionCase) {
    let e = example.extents
    let kernels = library.kernels
    let input = Buffer(random: e.batch * e.inputHeight * e.inputWidth * e.inputChannels, seed: 9)
    let gradient = Buffer(random: e.outputRows * e.outputWidth * e.outputChannels, seed: 10)
    let expected = NaiveConvolution.filterGradient(input, outputGradient: gradient, e)
    for algorithm in kernels.algorithms(for: e) {
      for parts in [[0..<e.outputRows], unevenParts(of: e.outputRows)] {
        let filterGradient = kernels.filterGradient(
          input, outputGradient: gradient, e, parts: parts, algorithm: algorithm)
        #expect(relativeError(filterGradient, expected) < tolerance, "\(algorithm)")
      }
    }
  }
}

/// Three parts of different sizes that cover `0 ..< count`, without the empty ones.
func unevenParts(of count: Int) -> [Range<Int>] {
  let (a, b) = (count / 5, count / 5 + (count + 1) / 2)
  return [0..<a, a..<b, b..<count].filter { !$0.isEmpty }
}

extension KernelLibrary {
  func algorithms(for extents: ConvolutionExtents) -> [ConvolutionAlgorithm] {
    ConvolutionAlgorithm.allCases.filter { $0.applies(to: extents, lanes: lanes) }
  }
}

/// A packed filter and scratch memory of just their sizes.
struct Convolving {
  let kernels: any KernelLibrary
  let extents: ConvolutionExtents
  let algorithm: ConvolutionAlgorithm
  let packed: Buffer

  /// - Parameter algorithm: that of choice by default.
  init(
    _ kernels: any KernelLibrary, _ extents: ConvolutionExtents, filter: Buffer,
    packing: FilterPacking, algorithm: ConvolutionAlgorithm? = nil
  ) {
    self.kernels = kernels
    self.extents = extents
    self.algorithm = algorithm ?? .output(extents, lanes: kernels.lanes)
    packed = Buffer(kernels.packedFilterCount(extents, algorithm: self.algorithm))
    // In the smallest parts, two vectors of output channels each.
    for start in stride(from: 0, to: extents.outputChannels, by: 2 * kernels.lanes) {
      kernels.packFilter(
        filter.input, into: packed.pointer, extents: extents, packing: packing,
        channels: start..<min(start + 2 * kernels.lanes, extents.outputChannels),
        algorithm: self.algorithm)
    }
  }

  var unevenParts: [Range<Int>] { ResidualKernelsTests.unevenParts(of: extents.outputRows) }

  /// Two parts that cut the channels, if there are enough of them.
  var unevenChannelParts: [Range<Int>] {
    let first = min(2 * kernels.lanes, extents.outputChannels)
    return [0..<first, first..<extents.outputChannels].filter { !$0.isEmpty }
  }

  /// - Parameter channelParts: all channels at once by default.
  func output(
    _ input: Buffer, parts: [Range<Int>], channelParts: [Range<Int>]? = nil,
    epilogue: ConvolutionEpilogue? = nil
  ) -> Buffer {
    let output = Buffer(extents.outputRows * extents.outputWidth * extents.outputChannels)
    for rows in parts {
      for channels in channelParts ?? [0..<extents.outputChannels] {
        let scratch = Buffer(kernels.convolutionScratchCount(extents, algorithm: algorithm))
        kernels.convolve(
          ConvolutionTask(
            input: input.input, filter: packed.input, output: output.pointer, extents: extents,
            rows: rows, channels: channels, epilogue: epilogue, scratch: scratch.pointer),
          algorithm: algorithm)
      }
    }
    return output
  }
}
