import ResidualExecution

/// Nodes that share a launch with another one. Fusion is a partition of the graph: it changes
/// nothing of what is computed.
struct CUDARegions {
  /// A batch normalisation, perhaps an addition and a rectifier. Runs at the place of the last.
  struct Normalization: Hashable {
    let node: Int, add: Int?, relu: Int?
    var last: Int { relu ?? add ?? node }
  }
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
  private(set) var normalizations: [Int: Normalization] = [:]
  private(set) var statistics: [Int: Statistics] = [:]
  private(set) var sums: [Int: Sums] = [:]
  /// Masked gradients that nothing stores, by the rectifier's gradient.
  private(set) var unstored: [Int: MaskedGradient] = [:]
  /// Slices, paddings and their gradients that follow one another, first to last, by the last.
  private(set) var gathers: [Int: [Int]] = [:]
  /// Updates of parameters in groups, by the last of each.
  private(set) var updates: [Int: [Int]] = [:]
  /// For each node the node at whose place it is computed; its own index if it is not absorbed.
  private var places: [Int]

  func place(_ node: Int) -> Int { places[node] }
  func isAbsorbed(_ node: Int) -> Bool { places[node] != node }

  init(_ graph: Graph, uses: [[(node: Int, operand: Int)]]) {
    places = Array(graph.nodes.indices)
    var search = Search(graph: graph, uses: uses)
    for region in search.normalizations() {
      normalizations[region.last] = region
      for node in [region.node, region.add].compactMap({ $0 }) where node != region.last {
        places[node] = region.last
      }
    }
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
      guard let last = chain.last else { continue }
      gathers[last] = chain
      for node in chain { places[node] = last }
    }
    for group in search.updates() {
      guard let last = group.last else { continue }
      updates[last] = group
      for node in group { places[node] = last }
    }
  }
}

private struct Search {
  let graph: Graph
  let uses: [[(node: Int, operand: Int)]]
  var claimed: Set<Int> = []
  private let kept: Set<Int>

  init(graph: Graph, uses: [[(node: Int, operand: Int)]]) {
    self.graph = graph
    self.uses = uses
    kept = Set((graph.outputs.map(\.value) + graph.bindings.map(\.value)).map(\.node))
  }

  private func operation(_ node: Int) -> Operation { graph.nodes[node].operation }
  private func operands(_ node: Int) -> [Value] { graph.nodes[node].operands }
  /// The only node that reads a node's result, if nothing else needs the result.
  private func soleReader(of node: Int) -> Int? {
    uses[node].count == 1 && !kept.contains(node) ? uses[node][0].node : nil
  }

  func normalizations() -> [CUDARegions.Normalization] {
    var taken: Set<Int> = []
    return graph.nodes.indices.compactMap { index in
      guard case .batchNormalization = operation(index) else { return nil }
      var add: Int?
      if let reader = soleReader(of: index), case .add = operation(reader),
        operands(reader)[0] != operands(reader)[1], taken.insert(reader).inserted
      {
        add = reader
      }
      var relu: Int?
      if let reader = soleReader(of: add ?? index), case .relu = operation(reader) {
        relu = reader
      }
      return .init(node: index, add: add, relu: relu)
    }
  }

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
  private func isOldValue(_ node: Int) -> Bool {
    switch operation(operands(node)[0].node) {
    case .state, .input: true
    default: false
    }
  }

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
    if case .add = operation(source), soleReader(of: source) == gradient, !claimed.contains(source)
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
    let isStored = add != nil || !others.isEmpty || kept.contains(gradient)
    return .init(add: add, reluGradient: gradient, isStored: isStored)
  }

  /// Chains of nodes that move numbers along one axis each, no axis twice.
  func gathers() -> [[Int]] {
    var chains: [Int: [Int]] = [:]
    for index in graph.nodes.indices {
      guard let axis = movedAxis(index) else { continue }
      let source = operands(index)[0].node
      if let chain = chains[source], soleReader(of: source) == index,
        chain.allSatisfy({ movedAxis($0) != axis }), fillsAlike(chain + [index])
      {
        chains[source] = nil
        chains[index] = chain + [index]
      } else {
        chains[index] = [index]
      }
    }
    return chains.values.sorted { ($0.last ?? 0) < ($1.last ?? 0) }
  }

  private func movedAxis(_ node: Int) -> Int? {
    switch operation(node) {
    case .slice(let slice): slice.axis
    case .sliceGradient(let gradient): gradient.slice.axis
    case .pad(let pad): pad.axis
    default: nil
    }
  }

  /// Whether all numbers around are zeros; a chain has one.
  private func fillsAlike(_ chain: [Int]) -> Bool {
    chain.allSatisfy { node in
      if case .pad(let pad) = operation(node) { return pad.value == 0 }
      return true
    }
  }

  /// Updates with the same operands behind the gradient, which share a launch.
  func updates() -> [[Int]] {
    var groups: [[Value]: [Int]] = [:]
    for index in graph.nodes.indices {
      guard case .momentumUpdate = operation(index) else { continue }
      groups[Array(operands(index).dropFirst(3)), default: []].append(index)
    }
    // An update whose result something else reads stays by itself.
    return groups.values.flatMap { group -> [[Int]] in
      let (together, alone) = (
        group.filter { uses[$0].isEmpty }, group.filter { !uses[$0].isEmpty }
      )
      return (together.isEmpty ? [] : [together]) + alone.map { [$0] }
    }.sorted { ($0.last ?? 0) < ($1.last ?? 0) }
  }
}
