import ResidualGraphs

/// Nodes that one step computes together. Fusion is a partition of the graph: regions say which
/// nodes share a pass over memory, and change nothing of what is computed.
package enum Region: Hashable, Sendable {
  case single(Int)
  case normalization(NormalizationChain)
  case maskedGradient(MaskedGradient)
  case convolution(FusedConvolution)
  case convolutionGradient(FusedConvolutionGradient)

  /// Perhaps an addition of gradients, a rectifier's gradient, then perhaps the sums of a batch
  /// normalisation's backward pass.
  package struct MaskedGradient: Hashable, Sendable {
    /// Indices of nodes, as all numbers in regions are.
    package let add: Int?, reluGradient: Int, sums: Int?
    package var nodes: [Int] { [add, reluGradient, sums].compactMap { $0 } }
    package var last: Int { sums ?? reluGradient }
  }

  /// A convolution that normalises its input as it reads it, and either gathers the statistics of
  /// its output or normalises that too, while it is in the cache.
  package struct FusedConvolution: Hashable, Sendable {
    /// The convolution.
    package let node: Int
    /// What makes the input, if it is made here.
    package var input: NormalizationChain?
    /// The statistics of the output's channels, if they are gathered here.
    package var statistics: Int?
    /// With fixed statistics.
    package var output: NormalizationChain?

    package var nodes: [Int] {
      (input?.nodes ?? []) + [node] + [statistics].compactMap { $0 } + (output?.nodes ?? [])
    }
    package var last: Int { output?.last ?? statistics ?? node }
  }

  /// The two gradients of one convolution, from an output gradient that is made as it is read, and
  /// the first pass of the backward normalisation before it.
  package struct FusedConvolutionGradient: Hashable, Sendable {
    /// The backward normalisation that makes the output gradient, if it is made here.
    package var outputGradient: Int?
    /// The input gradient's node, if it is computed here.
    package var inputGradient: Int?
    /// The filter gradient's node, if it is computed here.
    package var filterGradient: Int?
    /// What becomes of the input's gradient, if it is the last to read it.
    package var masked: MaskedGradient?

    package var nodes: [Int] {
      [outputGradient, inputGradient, filterGradient].compactMap { $0 } + (masked?.nodes ?? [])
    }
    package var last: Int { max(inputGradient ?? 0, filterGradient ?? 0, masked?.last ?? 0) }
  }

  /// All nodes of the region.
  package var nodes: [Int] {
    switch self {
    case .single(let node): [node]
    case .normalization(let region): region.nodes
    case .maskedGradient(let region): region.nodes
    case .convolution(let region): region.nodes
    case .convolutionGradient(let region): region.nodes
    }
  }

  /// The node whose place in the schedule the region takes: all its operands come before.
  package var last: Int {
    switch self {
    case .single(let node): node
    case .normalization(let region): region.last
    case .maskedGradient(let region): region.last
    case .convolution(let region): region.last
    case .convolutionGradient(let region): region.last
    }
  }
}
