import ResidualGraphs

/// The regions of a graph, in the order in which they run.
///
/// A region runs at the place of its last node, so everything that reads one of its results has to
/// come later. What a region needs from outside comes before its last node as in every graph.
/// - Complexity: O(nodes + edges), apart from the sort.
package struct RegionPartition {
  /// Every node of the graph lies in exactly one.
  package private(set) var regions: [Region] = []
  /// Normalisations whose result is never stored: every reader makes it again from the convolution's
  /// output while that is in the cache. By the node of the result.
  package private(set) var recomputed: [Int: NormalizationChain] = [:]

  /// For each node the node at whose place in the schedule it is computed.
  var places: [Int] {
    var places = [Int](repeating: 0, count: regions.reduce(0) { $0 + $1.nodes.count })
    for region in regions { for node in region.nodes { places[node] = region.last } }
    return places
  }

  /// - Parameter shapes: of every result, as ``Graph/shapes(inputs:)`` gives them.
  package init(_ graph: Graph, shapes: [[Shape]]) {
    var search = RegionSearch(graph, shapes: shapes)
    search.findNormalizations()
    search.findConvolutionGradients()
    search.findMaskedGradients()
    search.findConvolutions()
    search.findRecomputed()
    (regions, recomputed) = (search.regions, search.recomputed)
  }
}

/// The search for regions: each pass claims nodes that earlier ones have left.
private struct RegionSearch {
  let graph: Graph
  private let shapes: [[Shape]]
  private let uses: GraphUses
  private var claimed: [Bool]
  /// By their first and by their last nodes.
  private var normalizations: [Int: NormalizationChain] = [:]
  private var normalizationsByResult: [Int: NormalizationChain] = [:]
  private var convolutions: [Region.FusedConvolution] = []
  private var gradients: [Region.FusedConvolutionGradient] = []
  private var maskedGradients: [Region.MaskedGradient] = []
  /// The first nodes of the normalisations that belong to a convolution.
  private var absorbed: Set<Int> = []
  private(set) var recomputed: [Int: NormalizationChain] = [:]

  init(_ graph: Graph, shapes: [[Shape]]) {
    self.graph = graph
    self.shapes = shapes
    uses = GraphUses(graph)
    claimed = [Bool](repeating: false, count: graph.nodes.count)
  }

  var regions: [Region] {
    var regions: [Region] =
      normalizations.values.filter { !absorbed.contains($0.node) }.map(Region.normalization)
      + maskedGradients.map(Region.maskedGradient) + convolutions.map(Region.convolution)
      + gradients.map(Region.convolutionGradient)
    for node in graph.nodes.indices where !claimed[node] { regions.append(.single(node)) }
    return regions.sorted { $0.last < $1.last }
  }

  private func operation(_ node: Int) -> Operation { graph.nodes[node].operation }
  private func operands(_ node: Int) -> [Value] { graph.nodes[node].operands }

  private mutating func claim(_ nodes: [Int]) { for node in nodes { claimed[node] = true } }

  // MARK: Passes

  mutating func findNormalizations() {
    for normalization in uses.normalizations() {
      normalizations[normalization.node] = normalization
      normalizationsByResult[normalization.last] = normalization
      claim(normalization.nodes)
    }
  }

  /// Later gradients come first: of two that are added up, the later one takes the addition.
  mutating func findConvolutionGradients() {
    for index in graph.nodes.indices.reversed() where !claimed[index] {
      var region = Region.FusedConvolutionGradient()
      switch operation(index) {
      case .convolutionFilterGradient:
        region.filterGradient = index
        region.inputGradient = twin(of: index)
      case .convolutionInputGradient:
        region.inputGradient = index
        region.filterGradient = twin(of: index)
      default: continue
      }
      let gradient = operands(index)[0].node
      if case .batchNormalizationInputGradient = operation(gradient), !uses.isObserved(gradient),
        uses[gradient].allSatisfy({ region.nodes.contains($0.node) })
      {
        region.outputGradient = gradient
      }
      var extended = region
      extended.masked = region.inputGradient.flatMap(maskedGradient)
      if uses.isClosed(extended.nodes, last: extended.last) { region = extended }
      if !uses.isClosed(region.nodes, last: region.last) { region = .init(only: index, of: graph) }
      claim(region.nodes)
      gradients.append(region)
    }
  }

  /// The other gradient of the convolution whose input's or filter's gradient a node is.
  ///
  /// The input's gradient reads the input for its shape alone, so that the filter's may read a
  /// repetition of it.
  private func twin(of index: Int) -> Int? {
    uses[operands(index)[0].node].lazy.map(\.node).first { other in
      guard other != index, !claimed[other] else { return false }
      switch (operation(index), operation(other)) {
      case (.convolutionFilterGradient(let a), .convolutionInputGradient(let b)):
        return a.convolution == b.convolution && areTwins(filterGradient: index, other)
      case (.convolutionInputGradient(let a), .convolutionFilterGradient(let b)):
        return a.convolution == b.convolution && areTwins(filterGradient: other, index)
      default: return false
      }
    }
  }

  private func areTwins(filterGradient: Int, _ inputGradient: Int) -> Bool {
    let (own, other) = (operands(filterGradient), operands(inputGradient))
    return own[0] == other[0] && own[2] == other[1] && shape(own[1]) == shape(other[2])
  }

  private func shape(_ value: Value) -> Shape { shapes[value.node][value.result] }

  /// The region of a rectifier's gradient that reads a gradient, perhaps after an addition, and is
  /// the only one to read it.
  private func maskedGradient(after gradient: Int) -> Region.MaskedGradient? {
    guard let reader = uses.soleReader(of: gradient), !claimed[reader] else { return nil }
    var add: Int?
    var mask = reader
    if case .add = operation(reader) {
      guard let next = uses.soleReader(of: reader), !claimed[next] else { return nil }
      (add, mask) = (reader, next)
    }
    guard case .reluGradient = operation(mask), operands(mask)[0].node == add ?? gradient else {
      return nil
    }
    return Region.MaskedGradient(add: add, reluGradient: mask, sums: sums(of: mask))
  }

  /// The sums that read a masked gradient before anything else does.
  private func sums(of reluGradient: Int) -> Int? {
    guard let first = uses[reluGradient].first, first.operand == 0, !claimed[first.node],
      case .batchNormalizationSums = operation(first.node)
    else { return nil }
    return first.node
  }

  mutating func findMaskedGradients() {
    for index in graph.nodes.indices where !claimed[index] {
      guard case .reluGradient = operation(index) else { continue }
      var add: Int?
      let gradient = operands(index)[0].node
      if case .add = operation(gradient), !claimed[gradient], uses.soleReader(of: gradient) == index
      {
        add = gradient
      }
      let region = Region.MaskedGradient(add: add, reluGradient: index, sums: sums(of: index))
      claim(region.nodes)
      maskedGradients.append(region)
    }
  }

  mutating func findConvolutions() {
    for index in graph.nodes.indices {
      guard case .convolution = operation(index) else { continue }
      var region = Region.FusedConvolution(node: index)
      if let first = uses[index].first, case .channelStatistics = operation(first.node) {
        region.statistics = first.node
      } else if let reader = uses.soleReader(of: index), let normalization = normalizations[reader],
        case .batchNormalization(let attributes) = operation(reader),
        attributes.statistics == .fixed, !absorbed.contains(reader)
      {
        region.output = normalization
      }
      // The first to read a normalised tensor makes it; the others find it in memory.
      let input = operands(index)[0].node
      if let normalization = normalizationsByResult[input],
        !absorbed.contains(normalization.node), uses.readers(of: input).first?.node == index
      {
        region.input = normalization
        if !uses.isClosed(region.nodes, last: region.last) { region.input = nil }
      }
      absorbed.formUnion([region.input?.node, region.output?.node].compactMap { $0 })
      claim(region.nodes)
      convolutions.append(region)
    }
  }

  /// A normalised tensor need not be stored where only the convolution that makes it and gradients
  /// that make it again read it.
  mutating func findRecomputed() {
    let makers = Dictionary(
      uniqueKeysWithValues: convolutions.compactMap { region in
        region.input.map { ($0.last, region.node) }
      })
    let makersInGradients = Set(gradients.compactMap(\.filterGradient))
    // A mask is at hand where the filter's gradient makes the same tensor.
    let masks = Set(
      gradients.compactMap { region -> Int? in
        guard let masked = region.masked, let filterGradient = region.filterGradient,
          operands(masked.reluGradient)[1] == operands(filterGradient)[1]
        else { return nil }
        return masked.reluGradient
      })
    for (last, normalization) in normalizationsByResult
    where normalization.add == nil && !uses.isObserved(last) {
      let isInConvolution = absorbed.contains(normalization.node)
      guard !isInConvolution || makers[last] != nil else { continue }
      let isRecomputed = uses.readers(of: last).allSatisfy { reader in
        makers[last] == reader.node || makersInGradients.contains(reader.node)
          || masks.contains(reader.node)
      }
      if isRecomputed { recomputed[last] = normalization }
    }
  }
}

extension Region.FusedConvolutionGradient {
  /// One gradient by itself.
  fileprivate init(only index: Int, of graph: Graph) {
    self.init()
    if case .convolutionInputGradient = graph.nodes[index].operation {
      inputGradient = index
    } else {
      filterGradient = index
    }
  }
}
