import ResidualExecution

/// Nodes that share a launch with another one. Fusion is a partition of the graph: it changes
/// nothing of what is computed.
struct CUDARegions {
  /// Statistics with the variances and moving averages made of them. Runs at the statistics' place.
  struct Statistics: Hashable {
    let node: Int
    var variance: Int?, unbiased: Int?, movingMean: Int?, movingVariance: Int?
  }
  /// What makes a gradient as it is read: perhaps an addition, perhaps a rectifier's gradient.
  struct MaskedGradient: Hashable {
    let add: Int?, reluGradient: Int
    /// Whether the masked gradient is stored, because others than the backward pass of one
    /// normalisation read it.
    var isStored = true
  }
  /// The sums of a normalisation's backward pass, perhaps of a gradient that is masked as it is
  /// read, and the scale's gradient made of them. Runs at the sums' place.
  struct Sums: Hashable {
    let node: Int
    var masked: MaskedGradient?
    var scaleGradient: Int?
  }
  /// Updates of parameters, with the tensor of their squares. Runs at the place of what gathers these.
  struct Updates {
    let nodes: [Int], squares: Value, place: Int
  }
  /// Slices, paddings and their gradients that follow one another, each along an axis of its own.
  /// Runs at the place of the last.
  struct Gather {
    var nodes: [Int], moves: [AxisMove]
    var first: Int { nodes[0] }
    var last: Int { nodes[nodes.count - 1] }

    /// Whether a node may follow. All numbers around must be zeros: a chain has one.
    func takes(_ move: AxisMove) -> Bool {
      (moves + [move]).allSatisfy { ($0.around ?? 0) == 0 }
        && moves.allSatisfy { $0.axis != move.axis }
    }
  }

  /// By their last nodes, at whose places they run.
  private(set) var normalizations: [Int: NormalizationChain] = [:]
  private(set) var statistics: [Int: Statistics] = [:]
  private(set) var sums: [Int: Sums] = [:]
  /// Masked gradients that nothing stores, by the rectifier's gradient.
  private(set) var unstored: [Int: MaskedGradient] = [:]
  /// By their last nodes.
  private(set) var gathers: [Int: Gather] = [:]
  /// By the nodes at whose places they run.
  private(set) var updates: [Int: Updates] = [:]
  /// For each node the node at whose place it is computed; its own index if it is not absorbed.
  private var places: [Int]

  func place(_ node: Int) -> Int { places[node] }
  func isAbsorbed(_ node: Int) -> Bool { places[node] != node }

  init(_ graph: Graph, _ uses: GraphUses) {
    places = Array(graph.nodes.indices)
    for region in uses.normalizations() {
      normalizations[region.last] = region
      for node in region.nodes { places[node] = region.last }
    }
    var search = Search(graph: graph, uses: uses)
    search.claimed = Set(graph.nodes.indices.filter { places[$0] != $0 })
    search.claimed.formUnion(normalizations.keys)
    for region in search.statistics() {
      statistics[region.node] = region
      for node in [region.variance, region.unbiased, region.movingMean, region.movingVariance] {
        if let node { places[node] = region.node }
      }
    }
    for region in search.sums() {
      sums[region.node] = region
      if let masked = region.masked {
        places[masked.reluGradient] = region.node
        if let add = masked.add { places[add] = region.node }
        if !masked.isStored { unstored[masked.reluGradient] = masked }
      }
      if let scale = region.scaleGradient { places[scale] = region.node }
    }
    for chain in search.gathers() {
      gathers[chain.last] = chain
      for node in chain.nodes { places[node] = chain.last }
    }
    for region in search.updates() {
      updates[region.place] = region
      for node in region.nodes { places[node] = region.place }
    }
  }
}

/// How a result's numbers lie along one axis of the operand: number i is that at
/// (i · factor + offset) / divisor, and `around` where there is none.
struct AxisMove {
  let axis: Int
  var factor = 1, offset = 0, divisor = 1
  var around: Float?
}

extension Operation {
  /// Of slices, paddings and gradients of slices.
  fileprivate var axisMove: AxisMove? {
    switch self {
    case .slice(let slice):
      AxisMove(axis: slice.axis, factor: slice.stride, offset: slice.start)
    case .sliceGradient(let gradient):
      AxisMove(
        axis: gradient.slice.axis, offset: -gradient.slice.start, divisor: gradient.slice.stride)
    case .pad(let pad): AxisMove(axis: pad.axis, offset: -pad.before, around: pad.value)
    default: nil
    }
  }
}

private struct Search {
  let graph: Graph
  let uses: GraphUses
  var claimed: Set<Int> = []

  private func operation(_ node: Int) -> Operation { graph.nodes[node].operation }
  private func operands(_ node: Int) -> [Value] { graph.nodes[node].operands }
  func statistics() -> [CUDARegions.Statistics] {
    graph.nodes.indices.compactMap { index in
      guard case .channelStatistics = operation(index) else { return nil }
      var region = CUDARegions.Statistics(node: index)
      for use in uses[index] {
        switch operation(use.node) {
        case .variance(let variance) where operands(use.node) == [value(index), value(index, 2)]:
          if variance.correction == 0, region.variance == nil { region.variance = use.node }
          if variance.correction == 1, region.unbiased == nil { region.unbiased = use.node }
        case .movingAverage where operands(use.node)[1] == value(index, 1) && isOldValue(use.node):
          if region.movingMean == nil { region.movingMean = use.node }
        default: break
        }
      }
      if let unbiased = region.unbiased {
        region.movingVariance =
          uses[unbiased].first { use in
            if case .movingAverage = operation(use.node) {
              return use.operand == 1 && isOldValue(use.node)
            }
            return false
          }?.node
      }
      return region
    }
  }

  /// Whether a moving average is of a slot's or input's value, which is there from the start.
  private func isOldValue(_ node: Int) -> Bool { operation(operands(node)[0].node).isGiven }

  private func value(_ node: Int, _ result: Int = 0) -> Value { Value(node: node, result: result) }

  func sums() -> [CUDARegions.Sums] {
    var taken: Set<Int> = []
    return graph.nodes.indices.compactMap { index in
      guard case .batchNormalizationSums = operation(index) else { return nil }
      var region = CUDARegions.Sums(node: index)
      region.scaleGradient =
        uses[index].first { use in
          guard case .batchNormalizationScaleGradient = operation(use.node) else { return false }
          return operands(use.node)[0] == value(index, 1)
            && isComputed(operands(use.node)[1], index)
        }?.node
      let gradient = operands(index)[0].node
      // The sums must be the first to read the masked gradient.
      if case .reluGradient = operation(gradient), uses[gradient].first?.node == index,
        !taken.contains(gradient), isComputed(operands(gradient)[1], index)
      {
        taken.insert(gradient)
        region.masked = masked(gradient, for: index)
      }
      return region
    }
  }

  /// Whether a value is there when a node runs, wherever its own region runs.
  private func isComputed(_ value: Value, _ node: Int) -> Bool { value.node < node }

  private func masked(_ gradient: Int, for sums: Int) -> CUDARegions.MaskedGradient {
    var add: Int?
    let source = operands(gradient)[0].node
    if case .add = operation(source), uses.soleReader(of: source) == gradient,
      !claimed.contains(source)
    {
      add = source
    }
    let others = uses[gradient].filter { use in
      if use.node == sums { return false }
      guard case .batchNormalizationInputGradient = operation(use.node) else { return true }
      // The same normalisation's: of the same x, with these sums.
      return use.operand != 0 || operands(use.node)[1] != operands(sums)[1]
        || operands(use.node)[5] != value(sums)
    }
    let isStored = add != nil || !others.isEmpty || uses.isObserved(gradient)
    return .init(add: add, reluGradient: gradient, isStored: isStored)
  }

  func gathers() -> [CUDARegions.Gather] {
    var chains: [Int: CUDARegions.Gather] = [:]
    for index in graph.nodes.indices {
      guard let move = operation(index).axisMove else { continue }
      let source = operands(index)[0].node
      var chain = CUDARegions.Gather(nodes: [], moves: [])
      if let before = chains[source], uses.soleReader(of: source) == index, before.takes(move) {
        chain = before
        chains[source] = nil
      }
      chain.nodes.append(index)
      chain.moves.append(move)
      chains[index] = chain
    }
    return chains.values.sorted { $0.last < $1.last }
  }

  /// Updates with the same operands behind the gradient share a launch, if their squares, and nothing
  /// else, are put one behind another; each runs by itself if not.
  func updates() -> [CUDARegions.Updates] {
    var groups: [[Value]: [Int]] = [:]
    for index in graph.nodes.indices {
      guard case .momentumUpdate = operation(index) else { continue }
      groups[Array(operands(index).dropFirst(3)), default: []].append(index)
    }
    let outputs = Set(graph.outputs.map(\.value))
    return groups.values.flatMap { group in
      gathered(group, outputs).map { [$0] }
        ?? group.map { .init(nodes: [$0], squares: value($0, 2), place: $0) }
    }.sorted { $0.place < $1.place }
  }

  private func gathered(_ group: [Int], _ outputs: Set<Value>) -> CUDARegions.Updates? {
    guard let reader = uses[group[0]].first?.node, case .concatenate = operation(reader),
      Set(operands(reader)) == Set(group.map { value($0, 2) }),
      group.allSatisfy({ uses[$0].map(\.node) == [reader] && !outputs.contains(value($0, 2)) })
    else { return nil }
    return .init(nodes: operands(reader).map(\.node), squares: value(reader), place: reader)
  }
}
