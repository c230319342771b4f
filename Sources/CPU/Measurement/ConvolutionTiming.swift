import ResidualExecution
import ResidualKernelInterface

/// The time of a convolution by each algorithm that applies to it.
package struct ConvolutionTiming: Sendable {
  package let direction: ConvolutionDirection
  /// The extents of the forward convolution.
  package let extents: ConvolutionExtents
  /// What a plan takes.
  package let choice: ConvolutionAlgorithm
  /// The least seconds of each algorithm, the choice's among them.
  package let seconds: [ConvolutionAlgorithm: Double]

  /// The least seconds of what a plan takes; NaN where it was not measured.
  package var secondsOfChoice: Double { seconds[choice] ?? .nan }
  /// The fastest of the other algorithms.
  package var rival: (algorithm: ConvolutionAlgorithm, seconds: Double)? {
    seconds.filter { $0.key != choice }.min { $0.value < $1.value }
      .map { ($0.key, $0.value) }
  }
  /// Whether another algorithm is faster by more than measurements scatter: a twentieth.
  package var disagrees: Bool { rival.map { $0.seconds < 0.95 * secondsOfChoice } ?? false }
  /// The rival's time relative to the choice's, marked where the choice is wrong: `direct ×0.81!`.
  package var otherText: String {
    guard let rival else { return "" }
    let hundredths = Int((100 * rival.seconds / secondsOfChoice).rounded())
    let ratio = "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
    return "\(rival.algorithm.rawValue) ×\(ratio)" + (disagrees ? "!" : "")
  }
  /// Floating-point operations a second of the plain convolution, 2 for each multiply-add, whatever
  /// the algorithm.
  package func directEquivalent(_ seconds: Double) -> Double {
    2 * Double(extents.multiplyAdds) / seconds
  }
}

extension CPUDevice {
  /// Times a convolution on this device's threads, the algorithms in turns.
  ///
  /// - Parameters:
  ///   - packsFilter: whether the filter is packed in the time, as in every training step, or
  ///     before, as for inference. A filter gradient's time includes the sum over its parts.
  ///   - budget: roughly how long to measure, after one run of each algorithm; three runs at least.
  /// - Throws: ``AllocationError``.
  package func time(
    _ direction: ConvolutionDirection, _ extents: ConvolutionExtents, packsFilter: Bool,
    budget: Duration = .milliseconds(150)
  ) throws -> ConvolutionTiming {
    let lanes = kernels.lanes
    let computed = direction == .inputGradient ? extents.inputGradient : extents
    let candidates = ConvolutionAlgorithm.allCases.filter { $0.applies(to: computed, lanes: lanes) }
    let plans = try candidates.map { algorithm in
      (
        algorithm,
        try MeasuredPlan(
          direction, computed, algorithm, packsFilter: packsFilter, on: self)
      )
    }
    let clock = ContinuousClock()
    var seconds: [ConvolutionAlgorithm: Double] = [:]
    for (_, plan) in plans { plan.run() }
    let begin = clock.now
    var rounds = 0
    repeat {
      for (algorithm, plan) in plans {
        let time = clock.measure { plan.run() } / .seconds(1)
        seconds[algorithm] = min(seconds[algorithm] ?? .infinity, time)
      }
      rounds += 1
    } while rounds < 3 || clock.now - begin < budget
    return ConvolutionTiming(
      direction: direction, extents: extents,
      choice: direction == .filterGradient
        ? .filterGradient(computed, lanes: lanes)
        : .output(computed, lanes: lanes),
      seconds: seconds)
  }

  /// The arithmetic peak of this device's threads together, measured in registers, in
  /// floating-point operations a second.
  package func measuredPeakOfAllThreads() throws -> Double {
    var builder = PlanBuilder<CPUStep>()
    let parts = 8 * threads
    builder.append(CPUStep(path: "peak", work: MeasuredPeak(parts: parts)), touching: [])
    builder.nameInput("none", builder.boundary("none", .scalar, .float32, byteCount: 4))
    let loaded = try Session(device: self, store: Store(for: self)).load(builder.finish())
    let clock = ContinuousClock()
    let best = (0..<20).map { _ in clock.measure { loaded.run() } }.min() ?? .zero
    let operations = kernels.peakOperations(iterations: MeasuredPeak.iterations) * parts
    return Double(operations) / (best / .seconds(1))
  }
}

/// A plan of one convolution by a given algorithm, with random numbers.
private struct MeasuredPlan {
  private let loaded: LoadedPlan<CPUDevice>

  init(
    _ direction: ConvolutionDirection, _ extents: ConvolutionExtents,
    _ algorithm: ConvolutionAlgorithm, packsFilter: Bool, on device: CPUDevice
  ) throws {
    var parts = PlanParts(kernels: device.kernels)
    switch direction {
    case .output, .inputGradient:
      parts.appendConvolution(
        PlannedConvolution(extents: extents, algorithm: algorithm),
        direction == .output ? .forward : .rotated, packsFilter: packsFilter)
    case .filterGradient: parts.appendFilterGradient(extents, algorithm)
    }
    loaded = try Session(device: device, store: Store(for: device)).load(parts.builder.finish())
    var source = RandomSource(RandomKey(seed: 1).derived(.benchmark))
    // A period that is no power of two, so that rows differ.
    let numbers = (0..<4999).map { _ in source.uniform() - 0.5 }
    for name in loaded.plan.inputs.keys {
      loaded.withInput(name, of: Float.self) { elements in
        for index in elements.indices { elements[index] = numbers[index % numbers.count] }
      }
    }
  }

  func run() { loaded.run() }
}

private struct PlanParts {
  let kernels: any KernelLibrary
  var builder = PlanBuilder<CPUStep>()

  mutating func input(_ name: String, _ count: Int) -> BufferID {
    let buffer = builder.boundary(name, [count], .float32, byteCount: 4 * count)
    builder.nameInput(name, buffer)
    return buffer
  }

  mutating func appendConvolution(
    _ convolution: PlannedConvolution, _ packing: FilterPacking, packsFilter: Bool
  ) {
    let e = convolution.extents
    let source = input("input", e.batch * e.inputHeight * e.inputWidth * e.inputChannels)
    let output = input("output", e.outputRows * e.outputWidth * e.outputChannels)
    // Any numbers are a packed filter.
    let packed = input(
      "packed", kernels.packedFilterCount(e, algorithm: convolution.algorithm))
    if packsFilter {
      let filter = input("filter", e.filterCount)
      append(
        PackFilter(
          filter: filter, packed: packed, convolution: convolution, packing: packing,
          lanes: kernels.lanes))
    }
    let work = Convolve(
      convolution, of: .stored(source), packedFilter: packed, output: output,
      parts: ConvolutionParts(
        convolution, isStored: true, gathersStatistics: false, kernels: kernels), epilogue: .none)
    append(work, scratch: work.scratchCount(kernels))
  }

  mutating func appendFilterGradient(_ e: ConvolutionExtents, _ algorithm: ConvolutionAlgorithm) {
    let stride = kernels.partialFilterGradientCount(e)
    let blocks = DifferentiateConvolution.blocks(e, partialCount: stride, algorithm: algorithm)
    let source = input("input", e.batch * e.inputHeight * e.inputWidth * e.inputChannels)
    let gradient = input("gradient", e.outputRows * e.outputWidth * e.outputChannels)
    let result = input("result", e.filterCount)
    let partials = input("partials", stride * blocks.parts)
    let work = DifferentiateConvolution(
      .stored(gradient), inputGradient: nil,
      filterGradient: .init(
        input: .stored(source), algorithm: algorithm, partials: partials, stride: stride),
      extents: e, blocks: blocks, kernels: kernels)
    append(work, scratch: work.scratchCount)
    append(
      ReduceFilterGradient(
        partials: partials, filterGradient: result, extents: e, algorithm: algorithm,
        count: blocks.parts, lanes: kernels.lanes))
  }

  private mutating func append(_ work: any Work, scratch: Int = 0) {
    builder.append(
      CPUStep(path: "measured", work: work), touching: [],
      scratchByteCount: scratch * MemoryLayout<Float>.stride)
  }
}

/// Multiply-adds in registers.
private struct MeasuredPeak: Work {
  let parts: Int
  static let iterations = 50_000

  func run(part: Int, in context: StepContext) {
    _ = context.kernels.peakOperations(iterations: Self.iterations)
  }
}
