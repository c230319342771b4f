import ResidualKernelInterface
import Testing

/// A convolution whose output is mapped before it is stored, and one in parts of channels.
struct EpilogueTests {
  @Test(arguments: NamedLibrary.all, ConvolutionCase.all)
  func `a mapped output is the output mapped afterwards`(
    _ library: NamedLibrary, _ example: ConvolutionCase
  ) {
    let (e, kernels) = (example.extents, library.kernels)
    let pixels = e.outputRows * e.outputWidth
    let input = Buffer(random: e.batch * e.inputHeight * e.inputWidth * e.inputChannels, seed: 1)
    let filter = Buffer(random: e.filterCount, seed: 2)
    let scale = Buffer(random: e.outputChannels, seed: 3)
    let shift = Buffer(random: e.outputChannels, seed: 4)
    let residual = Buffer(random: pixels * e.outputChannels, seed: 5)
    // What is not a number has to come out as such.
    input.pointer[0] = .nan
    for algorithm in kernels.algorithms(for: e) {
      let run = Convolving(kernels, e, filter: filter, packing: .forward, algorithm: algorithm)
      let plain = run.output(input, parts: [0..<e.outputRows])
      for (addsResidual, rectifies) in [(false, false), (false, true), (true, false), (true, true)]
      {
        let expected = Buffer(plain.count)
        kernels.affine(
          plain.input, scale: scale.input, shift: shift.input,
          residual: addsResidual ? residual.input : nil, rectify: rectifies,
          output: expected.pointer, channels: e.outputChannels, pixels: 0..<pixels)
        let mapped = run.output(
          input, parts: run.unevenParts, channelParts: run.unevenChannelParts,
          epilogue: ConvolutionEpilogue(
            scale: scale.input, shift: shift.input, residual: addsResidual ? residual.input : nil,
            rectifies: rectifies))
        #expect(mapped.bits == expected.bits, "\(algorithm) \(addsResidual) \(rectifies)")
      }
    }
  }

  @Test(arguments: NamedLibrary.all, [ConvolutionAlgorithm.direct, .winograd])
  func `channels outside the part are left alone`(
    _ library: NamedLibrary, _ algorithm: ConvolutionAlgorithm
  ) {
    let e = ConvolutionExtents(
      batch: 1, input: (7, 7, 64), output: (7, 7, 128), filter: (3, 3), padding: (1, 1))
    let run = Convolving(
      library.kernels, e, filter: Buffer(random: e.filterCount, seed: 6), packing: .forward,
      algorithm: algorithm)
    let output = run.output(
      Buffer(random: 49 * 64, seed: 7), parts: [0..<7], channelParts: [32..<96])
    for i in 0..<output.count { #expect(output[i].isNaN == !(32..<96).contains(i % 128)) }
  }

  @Test func `a lookahead gives what it was given, in order`() {
    let numbers = Buffer(100)
    var lookahead = Lookahead()
    lookahead.append(numbers.input, count: 10)
    lookahead.append(numbers.input, count: 0)
    lookahead.append(numbers.input + 50, count: 7)
    var taken: [[Int]] = []
    while let piece = lookahead.take(4) {
      taken.append([piece.start - numbers.input, piece.count])
    }
    #expect(taken == [[0, 4], [4, 4], [8, 2], [50, 4], [54, 3]])
    #expect(lookahead.count == 0)
    for _ in 0..<100 { lookahead.append(numbers.input, count: 1) }
    #expect(lookahead.count <= 8)
  }
}
