import ResidualExecution

/// Chooses algorithms of convolutions, and keeps those that are chosen.
final class AlgorithmSelection {
  private let context: CUDAContext
  private let library: ConvolutionPlans
  private let prefersOwn: Bool
  private(set) var choices: AlgorithmChoices
  private var algorithms: [ConvolutionProblem: CUDAConvolution] = [:]
  /// Algorithms that gave other numbers than the first of their kind, by problem and rank.
  private(set) var disagreements: Set<String> = []

  /// Proposals that are measured.
  private static let limit = 16

  /// - Parameters:
  ///   - known: choices of an earlier run; those of another machine do not count.
  ///   - prefersOwn: whether our own kernels are taken wherever they can be.
  init(_ context: CUDAContext, known: AlgorithmChoices?, prefersOwn: Bool) {
    self.context = context
    self.prefersOwn = prefersOwn
    library = ConvolutionPlans(context: context)
    let machine =
      "\(context.name), compute \(context.capability.0).\(context.capability.1), "
      + "driver \(context.driver.version), cuDNN \(context.cudnn.version), "
      + "NVRTC \(context.compiler.version.0).\(context.compiler.version.1)"
    choices =
      known.flatMap { $0.machine == machine ? $0 : nil } ?? AlgorithmChoices(machine: machine)
  }

  /// The way to compute a convolution.
  func algorithm(for problem: ConvolutionProblem) -> CUDAConvolution {
    if let known = algorithms[problem] { return known }
    let (algorithm, isMeasured) = known(problem).map { ($0, true) } ?? choose(problem)
    if isMeasured { choices.record(algorithm.rank, for: problem) }
    algorithms[problem] = algorithm
    return algorithm
  }

  /// What an earlier run has chosen.
  private func known(_ problem: ConvolutionProblem) -> CUDAConvolution? {
    guard let rank = choices.ranks[problem.name] else { return nil }
    if rank == AlgorithmChoices.own { return own(problem).map { .small($0) } }
    if rank == AlgorithmChoices.plain { return .plain }
    return (try? library.plans(for: problem, ranks: [rank], limit: 1))?.first.map { .cudnn($0) }
  }

  private func own(_ problem: ConvolutionProblem) -> SmallConvolution? {
    // Before, the units for matrix products have other instructions.
    context.capability.0 >= 8 ? SmallConvolution(problem) : nil
  }

  /// - Returns: an algorithm, and whether it is the fastest of those that were tried.
  private func choose(_ problem: ConvolutionProblem) -> (CUDAConvolution, Bool) {
    let own = own(problem).map { CUDAConvolution.small($0) }
    if prefersOwn, let own { return (own, true) }
    let proposals = (try? library.plans(for: problem, limit: Self.limit)) ?? []
    let candidates = proposals.map { CUDAConvolution.cudnn($0) } + (own.map { [$0] } ?? [])
    guard let measurement = AlgorithmMeasurement(context, problem, candidates) else {
      // Too large to measure beside what is there: the first of those that need no more memory,
      // cuDNN's own favourite among its proposals.
      let leanest = candidates.min { $0.workspaceByteCount < $1.workspaceByteCount }
      return (leanest ?? .plain, false)
    }
    let fastest = measurement.fastest(of: candidates) {
      disagreements.insert("\(problem.name): \($0.rank)")
    }
    return (fastest ?? .plain, true)
  }
}
