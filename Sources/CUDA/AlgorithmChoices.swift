import ResidualExecution

/// A way to compute a convolution.
enum ConvolutionAlgorithm: Sendable {
  case cudnn(ConvolutionPlan)
  case small(SmallConvolution)
  /// One thread a number: for what the others lack.
  case plain

  /// How the filter must be packed.
  var filterLayout: FilterLayout {
    if case .small(let small) = self { small.filterLayout } else { .channelsInnermost }
  }

  /// Bytes of memory that it needs besides the tensors.
  fileprivate var workspaceByteCount: Int {
    switch self {
    case .cudnn(let plan): plan.workspaceByteCount
    case .small(let small): small.partialCount * 4
    case .plain: 0
    }
  }

  fileprivate var rank: Int? {
    switch self {
    case .cudnn(let plan): plan.rank
    case .small: AlgorithmChoices.own
    case .plain: nil
    }
  }
}

/// Which of cuDNN's proposals each convolution takes, or whether it takes our own kernels, on one
/// GPU with one version of the libraries.
///
/// Choices are made by measurement, which differs from run to run. With the choices of an earlier
/// run, a later one gives the same bits and need not measure.
public struct AlgorithmChoices: Codable, Hashable, Sendable {
  /// The GPU and the versions that the choices belong to.
  public let machine: String
  /// By the convolution's direction, type and extents; -1 stands for our own kernels.
  public fileprivate(set) var ranks: [String: Int] = [:]

  init(machine: String) { self.machine = machine }

  static let own = -1

  mutating func record(_ rank: Int, for problem: ConvolutionProblem) { ranks[problem.name] = rank }
}

/// Chooses algorithms of convolutions, and keeps those that are chosen.
final class AlgorithmSelection {
  private let context: CUDAContext
  private let library: ConvolutionPlans
  private let prefersOwn: Bool
  private(set) var choices: AlgorithmChoices
  private var algorithms: [ConvolutionProblem: ConvolutionAlgorithm] = [:]
  /// Seconds that measuring has taken.
  private(set) var seconds = 0.0

  /// Runs that are timed together.
  private static let repetitions = 4
  /// Proposals that are measured.
  private static let limit = 24

  /// - Parameters:
  ///   - known: choices of an earlier run; those of another machine do not count.
  ///   - prefersOwn: whether our own kernels are taken wherever they can be.
  init(_ context: CUDAContext, known: AlgorithmChoices?, prefersOwn: Bool) {
    self.context = context
    self.prefersOwn = prefersOwn
    library = ConvolutionPlans(library: context.cudnn, handle: context.cudnnHandle)
    let machine =
      "\(context.name), compute \(context.capability.0).\(context.capability.1), "
      + "driver \(context.driver.version), cuDNN \(context.cudnn.version)"
    choices =
      known.flatMap { $0.machine == machine ? $0 : nil } ?? AlgorithmChoices(machine: machine)
  }

  /// The way to compute a convolution.
  func algorithm(for problem: ConvolutionProblem) -> ConvolutionAlgorithm {
    if let known = algorithms[problem] { return known }
    let clock = ContinuousClock()
    let begin = clock.now
    let algorithm = known(problem) ?? choose(problem)
    seconds += (clock.now - begin) / .seconds(1)
    if let rank = algorithm.rank { choices.record(rank, for: problem) }
    algorithms[problem] = algorithm
    return algorithm
  }

  /// What an earlier run has chosen.
  private func known(_ problem: ConvolutionProblem) -> ConvolutionAlgorithm? {
    guard let rank = choices.ranks[problem.name] else { return nil }
    if rank == AlgorithmChoices.own { return own(problem).map { .small($0) } }
    return (try? library.plans(for: problem, ranks: [rank], limit: 1))?.first.map { .cudnn($0) }
  }

  private func own(_ problem: ConvolutionProblem) -> SmallConvolution? {
    // Before, the units for matrix products have other instructions.
    context.capability.0 >= 8 ? SmallConvolution(problem) : nil
  }

  private func choose(_ problem: ConvolutionProblem) -> ConvolutionAlgorithm {
    let own = own(problem).map { ConvolutionAlgorithm.small($0) }
    if prefersOwn, let own { return own }
    let proposals = (try? library.plans(for: problem, limit: Self.limit)) ?? []
    let candidates = proposals.map { ConvolutionAlgorithm.cudnn($0) } + (own.map { [$0] } ?? [])
    return fastest(of: candidates, problem) ?? .plain
  }

  /// The fastest of some algorithms, by the least of three times each.
  private func fastest(of algorithms: [ConvolutionAlgorithm], _ problem: ConvolutionProblem)
    -> ConvolutionAlgorithm?
  {
    guard !algorithms.isEmpty else { return nil }
    let sizes = problem.byteCounts
    let largest = algorithms.map(\.workspaceByteCount).max() ?? 0
    var tensors: [CUDABuffer] = []
    for byteCount in [sizes.input, sizes.filter, sizes.output, largest] {
      guard let tensor = try? CUDABuffer(byteCount: byteCount, for: .workspace, in: context)
      else {
        // Too large to measure beside what is there: the first of those that need no more memory,
        // cuDNN's own favourite among its proposals.
        return algorithms.min { $0.workspaceByteCount < $1.workspaceByteCount }
      }
      tensors.append(tensor)
    }
    for tensor in tensors.dropLast() { tensor.fillForMeasurement() }
    let addresses = tensors.map(\.address)
    var best: (algorithm: ConvolutionAlgorithm, seconds: Double)?
    for algorithm in algorithms {
      let bound = best?.seconds ?? .infinity
      if let seconds = seconds(algorithm, addresses, bound: bound), seconds < bound {
        best = (algorithm, seconds)
      }
    }
    return best?.algorithm
  }

  /// Seconds that some runs take as they do in a plan, which is captured: a call takes the processor
  /// longer than a small convolution takes the GPU.
  ///
  /// - Parameter bound: what is far slower is measured less often.
  private func seconds(
    _ algorithm: ConvolutionAlgorithm, _ addresses: [DeviceAddress], bound: Double
  ) -> Double? {
    // The first run loads the kernels.
    guard (try? run(algorithm, addresses)) != nil else { return nil }
    var failures = 0
    let graph = context.captured {
      for _ in 0..<Self.repetitions where (try? run(algorithm, addresses)) == nil { failures += 1 }
    }
    guard let graph else { return nil }
    defer { _ = context.driver.destroyExecutableGraph(graph) }
    guard failures == 0 else { return nil }
    var least = Double.infinity
    for _ in 0..<3 {
      let seconds = context.seconds { _ = context.driver.launchGraph(graph, context.stream) }
      least = min(least, seconds)
      if least > 2 * bound { break }
    }
    return least
  }

  /// - Parameter addresses: of input, filter, output and workspace.
  private func run(_ algorithm: ConvolutionAlgorithm, _ addresses: [DeviceAddress])
    throws(CUDNNError)
  {
    switch algorithm {
    case .cudnn(let plan):
      try plan.run(
        input: addresses[0], filter: addresses[1], output: addresses[2], workspace: addresses[3])
    case .small(let small):
      let buffers = addresses.indices.map { BufferID(index: $0) }
      let launches = small.launches(
        input: buffers[0], filter: buffers[1], output: buffers[2], parts: buffers[3])
      for launch in launches {
        context.enqueue(launch, path: "measuring") { addresses[$0.index] }
      }
    case .plain: break
    }
  }
}
