import ResidualExecution

/// A way to compute a convolution.
enum CUDAConvolution: Sendable {
  case cudnn(ConvolutionPlan)
  case small(SmallConvolution)
  /// One thread a number: for what the others lack.
  case plain

  /// How the filter must be packed.
  var filterLayout: FilterLayout {
    if case .small(let small) = self { small.filterLayout } else { .channelsInnermost }
  }

  /// Bytes of memory that it needs besides the tensors.
  var workspaceByteCount: Int {
    switch self {
    case .cudnn(let plan): plan.workspaceByteCount
    case .small(let small): small.partialCount * 4
    case .plain: 0
    }
  }

  /// The choice as it is recorded.
  var rank: Int {
    switch self {
    case .cudnn(let plan): plan.rank
    case .small: AlgorithmChoices.own
    case .plain: AlgorithmChoices.plain
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
  /// By the convolution's direction, type and extents; -1 stands for our own kernels,
  /// -2 for the plain ones.
  public fileprivate(set) var ranks: [String: Int] = [:]

  init(machine: String) { self.machine = machine }

  static let own = -1, plain = -2

  /// Whether choices of one count for the other.
  public func isOfSameMachine(_ other: AlgorithmChoices) -> Bool { machine == other.machine }

  mutating func record(_ rank: Int, for problem: ConvolutionProblem) { ranks[problem.name] = rank }
}
