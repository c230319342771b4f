import ResidualKernelInterface
import Testing

struct WinogradTests {
  /// The matrices of F(4, 3) with the points 0, 1, −1, 1/2, −2 and ∞, written out.
  static func matrix(_ transform: WinogradTransform) -> [[Double]] {
    switch transform {
    case .input:
      [
        [1, -1.5, -2, 1.5, 1, 0],
        [0, -1, 0.5, 2.5, 1, 0],
        [0, 1, -2.5, 0.5, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 0.5, -1, -0.5, 1, 0],
        [0, 1, -1.5, -2, 1.5, 1],
      ]
    case .filter:
      [
        [1, 0, 0],
        [1.0 / 3, 1.0 / 3, 1.0 / 3],
        [-1.0 / 3, 1.0 / 3, -1.0 / 3],
        [-16.0 / 15, -8.0 / 15, -4.0 / 15],
        [1.0 / 15, -2.0 / 15, 4.0 / 15],
        [0, 0, 1],
      ]
    case .output:
      [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 0.5, -2, 0],
        [0, 1, 1, 0.25, 4, 0],
        [0, 1, -1, 0.125, -8, 1],
      ]
    case .outputGradient: transposed(matrix(.output))
    case .filterGradient: transposed(matrix(.filter))
    }
  }

  static func transposed(_ matrix: [[Double]]) -> [[Double]] {
    matrix[0].indices.map { column in matrix.map { $0[column] } }
  }

  @Test(arguments: NamedLibrary.all, WinogradTransform.allCases)
  func `transform is the product with its matrix`(
    _ library: NamedLibrary, _ transform: WinogradTransform
  ) {
    let matrix = Self.matrix(transform)
    // Unit vectors give the columns; a vector of different sizes, that they are added up.
    let inputs = matrix[0].indices.map { column in matrix[0].indices.map { $0 == column ? 1 : 0 } }
    for input in inputs + [
      [1, -20, 300, -4_000, 50_000, -600_000].prefix(matrix[0].count).map { $0 }
    ] {
      let source = Buffer(input.map { Float($0) })
      let target = Buffer(matrix.count)
      library.kernels.winogradTransform(transform, source.input, into: target.pointer)
      for (row, number) in zip(matrix, target.numbers) {
        let terms = zip(row, input).map { $0 * Double($1) }
        let size = terms.reduce(0) { $0 + abs($1) }
        #expect(abs(Double(number) - terms.reduce(0, +)) <= 4e-7 * size)
      }
    }
  }

  /// Six products filter four outputs: Aᵀ [(G g) ⊙ (Bᵀ d)] is the sliding product, exactly.
  @Test func `matrices are those of minimal filtering`() {
    func product(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
      matrix.map { zip($0, vector).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    let taps = [3.0, -5, 7]
    let inputs = [1.0, -2, 4, 8, -16, 32]
    let products = zip(
      product(Self.matrix(.filter), taps), product(Self.matrix(.input), inputs)
    ).map { $0 * $1 }
    let outputs = product(Self.matrix(.output), products)
    for i in 0..<4 {
      let expected = (0..<3).reduce(0) { $0 + inputs[i + $1] * taps[$1] }
      #expect(abs(outputs[i] - expected) < 1e-12)
    }
  }

  @Test func `choice takes whole vectors, one pixel of padding, enough pixels`() {
    func extents(_ size: Int, _ channels: Int, batch: Int = 128) -> ConvolutionExtents {
      ConvolutionExtents(
        batch: batch, input: (size, size, channels), output: (size, size, channels),
        filter: (3, 3), padding: (1, 1))
    }
    for lanes in [4, 8, 16] {
      for (size, channels) in [(32, 16), (16, 32), (8, 64), (56, 64), (7, 512)] {
        let e = extents(size, channels)
        #expect(ConvolutionAlgorithm.output(e, lanes: lanes) == .winograd)
        #expect(ConvolutionAlgorithm.output(e.inputGradient, lanes: lanes) == .winograd)
        #expect(ConvolutionAlgorithm.filterGradient(e, lanes: lanes) == .winograd)
      }
      #expect(ConvolutionAlgorithm.output(extents(32, lanes + 1), lanes: lanes) == .direct)
      #expect(ConvolutionAlgorithm.output(extents(1, 64), lanes: lanes) == .direct)
      #expect(ConvolutionAlgorithm.output(extents(2, 64), lanes: lanes) == .direct)
      #expect(ConvolutionAlgorithm.output(extents(6, 512, batch: 1), lanes: lanes) == .direct)
      #expect(ConvolutionAlgorithm.output(extents(7, 512, batch: 1), lanes: lanes) == .winograd)
      #expect(ConvolutionAlgorithm.output(extents(14, 256, batch: 1), lanes: lanes) == .winograd)
      var strided = extents(32, 64)
      (strided.strideHeight, strided.strideWidth) = (2, 2)
      (strided.outputHeight, strided.outputWidth) = (16, 16)
      #expect(ConvolutionAlgorithm.output(strided, lanes: lanes) == .direct)
      #expect(ConvolutionAlgorithm.output(strided.inputGradient, lanes: lanes) == .direct)
    }
  }

  /// Layers of the networks and awkward sizes: heights and widths that cut tiles, images wider than
  /// a run and than a block, odd numbers of vectors, more input than output channels.
  static let shapes = [
    ConvolutionCase("7×7, 64", batch: 9, 7, 7, 64, to: 64, filter: (3, 3), top: 1, left: 1),
    ConvolutionCase("14×14, 32", batch: 3, 14, 14, 32, to: 32, filter: (3, 3), top: 1, left: 1),
    ConvolutionCase("56×56, 16", batch: 1, 56, 56, 16, to: 16, filter: (3, 3), top: 1, left: 1),
    ConvolutionCase("5×7, 16 to 48", batch: 50, 5, 7, 16, to: 48, filter: (3, 3), top: 1, left: 1),
    ConvolutionCase("6×3, 48 to 16", batch: 90, 6, 3, 48, to: 16, filter: (3, 3), top: 1, left: 1),
    ConvolutionCase("3×3, 32", batch: 130, 3, 3, 32, to: 32, filter: (3, 3), top: 1, left: 1),
    ConvolutionCase("9×70, 16", batch: 1, 9, 70, 16, to: 32, filter: (3, 3), top: 1, left: 1),
    ConvolutionCase("4×201, 16", batch: 2, 4, 201, 16, to: 16, filter: (3, 3), top: 1, left: 1),
    ConvolutionCase("8×8, 80 to 96", batch: 4, 8, 8, 80, to: 96, filter: (3, 3), top: 1, left: 1),
    ConvolutionCase("7×7, 144 to 48", batch: 1, 7, 7, 144, to: 48, filter: (3, 3), top: 1, left: 1),
    ConvolutionCase("11×9, 64", batch: 1, 11, 9, 64, to: 64, filter: (3, 3), top: 1, left: 1),
  ]

  @Test(arguments: NamedLibrary.all, shapes)
  func `all directions are the formula's`(_ library: NamedLibrary, _ example: ConvolutionCase) {
    let e = example.extents
    let lanes = library.kernels.lanes
    #expect(ConvolutionAlgorithm.output(e, lanes: lanes) == .winograd)
    let input = Buffer(random: e.batch * e.inputHeight * e.inputWidth * e.inputChannels, seed: 1)
    let filter = Buffer(random: e.filterCount, seed: 2)
    let gradient = Buffer(random: e.outputRows * e.outputWidth * e.outputChannels, seed: 3)

    let forward = Convolving(library.kernels, e, filter: filter, packing: .forward)
    let output = forward.output(input, parts: [0..<e.outputRows])
    #expect(relativeError(output, NaiveConvolution.output(input, filter: filter, e)) < tolerance)
    #expect(output.bits == forward.output(input, parts: forward.unevenParts).bits)

    let backward = Convolving(library.kernels, e.inputGradient, filter: filter, packing: .rotated)
    let inputGradient = backward.output(gradient, parts: [0..<e.outputRows])
    let expected = NaiveConvolution.inputGradient(gradient, filter: filter, e)
    #expect(relativeError(inputGradient, expected) < tolerance)
    #expect(inputGradient.bits == backward.output(gradient, parts: backward.unevenParts).bits)

    let filterGradient = library.kernels.filterGradient(
      input, outputGradient: gradient, e, parts: unevenParts(of: e.outputRows))
    let expectedFilter = NaiveConvolution.filterGradient(input, outputGradient: gradient, e)
    #expect(relativeError(filterGradient, expectedFilter) < tolerance)
  }

  /// The filter of few tiles is transformed when it is used, that of many when it is packed.
  @Test(arguments: NamedLibrary.all)
  func `an image alone has the bits that it has among others`(_ library: NamedLibrary) {
    func extents(batch: Int) -> ConvolutionExtents {
      ConvolutionExtents(
        batch: batch, input: (7, 7, 144), output: (7, 7, 48), filter: (3, 3), padding: (1, 1))
    }
    let filter = Buffer(random: 48 * 144 * 9, seed: 8)
    let input = Buffer(random: 6 * 7 * 7 * 144, seed: 9)
    let (one, six) = (extents(batch: 1), extents(batch: 6))
    #expect(ConvolutionAlgorithm.transformsFilterWhenUsed(one))
    #expect(!ConvolutionAlgorithm.transformsFilterWhenUsed(six))
    for packing in [FilterPacking.forward, .rotated] {
      func output(_ e: ConvolutionExtents) -> Buffer {
        Convolving(
          library.kernels, packing == .forward ? e : e.inputGradient, filter: filter,
          packing: packing, algorithm: .winograd
        ).output(input, parts: [0..<e.outputRows])
      }
      let alone = output(one).bits
      #expect(Array(output(six).bits.prefix(alone.count)) == alone)
    }
  }

  /// The longest sums of a network, in parts of a sixteenth as the plan cuts them.
  @Test(arguments: NamedLibrary.all)
  func `filter gradient of a batch of 128`(_ library: NamedLibrary) {
    let e = ConvolutionExtents(
      batch: 128, input: (32, 32, 16), output: (32, 32, 16), filter: (3, 3), padding: (1, 1))
    let input = Buffer(random: 128 * 32 * 32 * 16, seed: 4)
    let gradient = Buffer(random: 128 * 32 * 32 * 16, seed: 5)
    let parts = (0..<16).map { $0 * 256..<($0 + 1) * 256 }
    let filterGradient = library.kernels.filterGradient(
      input, outputGradient: gradient, e, parts: parts)
    let expected = NaiveConvolution.filterGradient(input, outputGradient: gradient, e)
    #expect(relativeError(filterGradient, expected) < tolerance)
  }

  @Test(arguments: NamedLibrary.all)
  func `filter gradient of no rows is zero`(_ library: NamedLibrary) {
    let e = Self.shapes[0].extents
    let zeros = library.kernels.filterGradient(
      Buffer(random: 9 * 7 * 7 * 64, seed: 6),
      outputGradient: Buffer(random: 9 * 7 * 7 * 64, seed: 7),
      e, parts: [7..<7])
    #expect(zeros.numbers.allSatisfy { $0 == 0 })
  }
}

extension KernelLibrary {
  /// The filter gradient as the sum of its parts, by the algorithm of choice by default.
  func filterGradient(
    _ input: Buffer, outputGradient: Buffer, _ e: ConvolutionExtents, parts: [Range<Int>],
    algorithm: ConvolutionAlgorithm? = nil
  ) -> Buffer {
    let algorithm = algorithm ?? .filterGradient(e, lanes: lanes)
    let size = partialFilterGradientCount(e)
    let scratch = Buffer(filterGradientScratchCount(e, algorithm: algorithm))
    let partials = Buffer(size * parts.count)
    for (i, rows) in parts.enumerated() {
      // Two calls where a whole image ends inside the part, else one.
      let imageEnd = (rows.lowerBound / e.outputHeight + 1) * e.outputHeight
      let middle = imageEnd < rows.upperBound ? imageEnd : rows.upperBound
      for call in [rows.lowerBound..<middle, middle..<rows.upperBound]
      where !call.isEmpty || rows.isEmpty {
        filterGradient(
          input.input, outputGradient: outputGradient.input, partial: partials.pointer + i * size,
          extents: e, rows: call, of: rows, lookahead: Lookahead(),
          scratch: scratch.pointer, algorithm: algorithm)
      }
    }
    let result = Buffer(e.filterCount)
    for channels in unevenParts(of: e.outputChannels) {
      reduceFilterGradient(
        partials.input, count: parts.count, filterGradient: result.pointer, extents: e,
        channels: channels, algorithm: algorithm)
    }
    return result
  }
}
