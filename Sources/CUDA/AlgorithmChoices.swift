import ResidualExecution

/// Which of cuDNN's proposals each convolution takes, on one GPU with one version of the libraries.
///
/// Choices are made by measurement, which differs from run to run. With the choices of an earlier
/// run, a later one gives the same bits and need not measure.
public struct AlgorithmChoices: Codable, Hashable, Sendable {
  /// The GPU and the versions that the choices belong to.
  public let machine: String
  /// By the convolution's direction, type and extents.
  public fileprivate(set) var ranks: [String: Int] = [:]

  init(machine: String) { self.machine = machine }

  mutating func record(_ rank: Int, for problem: ConvolutionProblem) { ranks[problem.name] = rank }
}

/// Chooses algorithms of convolutions, and keeps those that are chosen.
final class AlgorithmSelection {
  private let context: CUDAContext
  private let library: ConvolutionPlans
  private(set) var choices: AlgorithmChoices
  private var plans: [ConvolutionProblem: ConvolutionPlan?] = [:]
  /// Seconds that measuring has taken.
  private(set) var seconds = 0.0

  /// Proposals that are measured.
  private static let limit = 24

  /// - Parameter known: choices of an earlier run; those of another machine do not count.
  init(_ context: CUDAContext, known: AlgorithmChoices?) {
    self.context = context
    library = ConvolutionPlans(library: context.cudnn, handle: context.cudnnHandle)
    let machine =
      "\(context.name), compute \(context.capability.0).\(context.capability.1), "
      + "driver \(context.driver.version), cuDNN \(context.cudnn.version)"
    choices =
      known.flatMap { $0.machine == machine ? $0 : nil } ?? AlgorithmChoices(machine: machine)
  }

  /// The way to compute a convolution; `nil` where cuDNN has none.
  func plan(for problem: ConvolutionProblem) -> ConvolutionPlan? {
    if let known = plans[problem] { return known }
    let clock = ContinuousClock()
    let begin = clock.now
    let plan = choose(problem)
    seconds += (clock.now - begin) / .seconds(1)
    plans[problem] = .some(plan)
    return plan
  }

  private func choose(_ problem: ConvolutionProblem) -> ConvolutionPlan? {
    if let rank = choices.ranks[problem.name],
      let known = try? library.plans(for: problem, ranks: [rank], limit: 1).first
    {
      return known
    }
    guard let proposals = try? library.plans(for: problem, limit: Self.limit) else { return nil }
    guard let fastest = fastest(of: proposals, problem) else { return nil }
    choices.record(fastest.rank, for: problem)
    return fastest
  }

  /// The fastest of some plans, by the least of three times each.
  private func fastest(of plans: [ConvolutionPlan], _ problem: ConvolutionProblem)
    -> ConvolutionPlan?
  {
    let sizes = problem.byteCounts
    let largest = plans.map(\.workspaceByteCount).max() ?? 0
    func allocate(_ byteCount: Int) throws(AllocationError) -> CUDABuffer {
      try CUDABuffer(byteCount: byteCount, for: .workspace, in: context)
    }
    guard let input = try? allocate(sizes.input), let filter = try? allocate(sizes.filter),
      let output = try? allocate(sizes.output), let workspace = try? allocate(largest)
    else {
      // Too large to measure beside what is there: cuDNN's own favourite that needs no more memory.
      return plans.min { $0.workspaceByteCount < $1.workspaceByteCount }
    }
    for buffer in [input, filter, output] { buffer.fillForMeasurement() }
    var best: (plan: ConvolutionPlan, seconds: Double)?
    for plan in plans {
      func run() throws(CUDNNError) {
        try plan.run(
          input: input.address, filter: filter.address, output: output.address,
          workspace: workspace.address)
      }
      // The first run loads the kernels.
      guard (try? run()) != nil else { continue }
      var least = Double.infinity
      for _ in 0..<3 {
        least = min(least, context.seconds { try? run() })
        if let best, least > 2 * best.seconds { break }
      }
      if best.map({ least < $0.seconds }) ?? true { best = (plan, least) }
    }
    return best?.plan
  }
}
