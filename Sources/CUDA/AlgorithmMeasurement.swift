import ResidualExecution

/// Ways to compute one convolution, tried on noise: what they give is compared before they are timed.
struct AlgorithmMeasurement {
  private let context: CUDAContext
  private let problem: ConvolutionProblem
  /// Input, filter, output and workspace; then another output, and a counter; then the filter as
  /// parameters lie and as our kernels read it.
  private let buffers: [CUDABuffer]

  /// What a convolution writes, as an index into the buffers.
  private let written: Int
  private static let workspace = 3, other = 4, counter = 5, parameter = 6, fragments = 7

  /// - Returns: `nil` if there is too little memory.
  init?(
    _ context: CUDAContext, _ problem: ConvolutionProblem, _ algorithms: [CUDAConvolution]
  ) {
    self.context = context
    self.problem = problem
    let sizes = problem.byteCounts
    let tensors = [sizes.input, sizes.filter, sizes.output]
    written =
      switch problem.direction {
      case .inputGradient: 0
      case .filterGradient: 1
      case .forward: 2
      }
    let workspace = algorithms.map(\.workspaceByteCount).max() ?? 0
    var buffers: [CUDABuffer] = []
    for byteCount in tensors + [workspace, tensors[written]] {
      guard let buffer = try? CUDABuffer(byteCount: byteCount, for: .workspace, in: context) else {
        return nil
      }
      buffers.append(buffer)
    }
    guard let counter = try? CUDABuffer(byteCount: 4, for: .boundary, in: context) else {
      return nil
    }
    buffers.append(counter)
    for byteCount in [problem.filter.count * 4, sizes.filter] {
      guard let buffer = try? CUDABuffer(byteCount: byteCount, for: .workspace, in: context) else {
        return nil
      }
      buffers.append(buffer)
    }
    self.buffers = buffers
    for (index, byteCount) in tensors.enumerated() where index != written && index != 1 {
      makeNoise(index, problem.type, byteCount / problem.type.size)
    }
    guard written != 1 else { return }
    makeNoise(Self.parameter, .float32, problem.filter.count)
    pack(.channelsInnermost, into: 1)
    for case .small(let small) in algorithms { pack(small.filterLayout, into: Self.fragments) }
  }

  private func makeNoise(_ index: Int, _ type: ElementType, _ count: Int) {
    launch(
      "noise", .elements(count), [.buffer(id(index)), .wide(count), .wide(index)], type: type)
  }

  private func pack(_ layout: FilterLayout, into target: Int) {
    let filter = problem.filter
    launch(
      "packFilters", .elements(filter.count),
      [
        .buffer(id(Self.parameter)), .buffer(id(target)), .int(filter.count),
        .int(filter[2] * filter[3]), .int(filter[1]), .int(filter[1]), .int(layout.rawValue),
      ])
  }

  private func id(_ buffer: Int) -> BufferID { BufferID(index: buffer) }

  private func launch(
    _ kernel: String, _ grid: Grid, _ arguments: [Argument], type: ElementType? = nil
  ) {
    let launch = Launch(
      kernel: kernel, type: type ?? problem.type, grid: grid, arguments: arguments)
    context.enqueue(launch, path: "measuring") { buffers[$0.index].address }
  }

  /// The fastest of the algorithms that agree with the reference: engines have been seen that leave out
  /// the padding on one side.
  ///
  /// - Parameter disagrees: is told of the others.
  func fastest(
    of algorithms: [CUDAConvolution], disagrees: (CUDAConvolution) -> Void
  ) -> CUDAConvolution? {
    guard hasReference(among: algorithms) else { return nil }
    var best: (algorithm: CUDAConvolution, seconds: Double)?
    for algorithm in algorithms {
      guard runs(algorithm) else { continue }
      guard agreesWithReference() else {
        disagrees(algorithm)
        continue
      }
      let bound = best?.seconds ?? .infinity
      if let seconds = seconds(algorithm, bound: bound), seconds < bound {
        best = (algorithm, seconds)
      }
    }
    return best?.algorithm
  }

  /// Keeps the result of the first algorithm that another one agrees with, or of the only one. A result
  /// that is not a number agrees with none, not even with itself.
  private func hasReference(among algorithms: [CUDAConvolution]) -> Bool {
    for (index, algorithm) in algorithms.enumerated() {
      guard runs(algorithm) else { continue }
      buffers[Self.other].copy(buffers[written])
      guard agreesWithReference() else { continue }
      var isOnlyOne = true
      for other in algorithms.indices where other != index && runs(algorithms[other]) {
        if agreesWithReference() { return true }
        isOnlyOne = false
      }
      if isOnlyOne { return true }
    }
    return false
  }

  /// Whether an algorithm can be run; the first run loads its kernels.
  private func runs(_ algorithm: CUDAConvolution) -> Bool {
    buffers[written].poison()
    return (try? run(algorithm)) != nil
  }

  /// Whether no number of a result is further from the reference than rounding explains: a
  /// twentieth of the deviation of sums of so many products of noise.
  private func agreesWithReference() -> Bool {
    let (filter, output) = (problem.filter, problem.output)
    let terms =
      switch problem.direction {
      case .forward: filter.count / filter[0]
      case .inputGradient: filter.count / filter[1]
      case .filterGradient: output.count / output[3]
      }
    let counter = buffers[Self.counter]
    counter.clear()
    let count = buffers[written].byteCount / problem.type.size
    launch(
      "disagreement", .elements(count),
      [
        .buffer(id(written)), .buffer(id(Self.other)), .buffer(id(Self.counter)), .wide(count),
        .float(0.05 * Float(terms).squareRoot() / 3),
      ])
    counter.download(byteCount: 4)
    return counter.host.load(as: UInt32.self) == 0
  }

  /// Runs that are timed together where one is short, and what counts as short, in seconds: a call
  /// takes the processor longer than a small convolution takes the GPU.
  private static let repetitions = 10, short = 5e-4

  /// Seconds of a run, the least of three. Short runs are captured, as they are in a plan.
  ///
  /// - Parameter bound: what is far slower is measured once.
  private func seconds(_ algorithm: CUDAConvolution, bound: Double) -> Double? {
    var failures = 0
    func time(_ body: () -> Void) -> Double {
      var least = context.seconds(body)
      for _ in 0..<2 where least < 1.5 * bound { least = min(least, context.seconds(body)) }
      return least
    }
    func run(times: Int) {
      for _ in 0..<times where (try? self.run(algorithm)) == nil { failures += 1 }
    }
    let single = time { run(times: 1) }
    guard single < Self.short else { return failures == 0 ? single : nil }
    guard let graph = context.captured({ run(times: Self.repetitions) }) else { return nil }
    defer { _ = context.driver.destroyExecutableGraph(graph) }
    guard failures == 0 else { return nil }
    return time { _ = context.driver.launchGraph(graph, context.stream) }
      / Double(Self.repetitions)
  }

  private func run(_ algorithm: CUDAConvolution) throws(CUDNNError) {
    switch algorithm {
    case .cudnn(let plan):
      try plan.run(
        input: buffers[0].address, filter: buffers[1].address, output: buffers[2].address,
        workspace: buffers[Self.workspace].address)
    case .small(let small):
      let launches = small.launches(
        input: id(0), filter: id(written == 1 ? 1 : Self.fragments), output: id(2),
        parts: id(Self.workspace))
      for launch in launches {
        context.enqueue(launch, path: "measuring") { buffers[$0.index].address }
      }
    case .plain: break
    }
  }
}
