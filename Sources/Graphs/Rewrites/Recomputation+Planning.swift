/// What a training step may repeat to save memory, from nothing to convolutions; each includes what
/// stands before it.
public enum RecomputationScope: String, Hashable, Sendable, CaseIterable {
  /// As ``Recomputation/nothing``.
  case nothing = "none"
  /// As ``Recomputation/activations``, ``Recomputation/blockOutputs(every:)`` and
  /// ``Recomputation/convolutions(every:keeping:)``.
  case activations, additions, convolutions
}

extension Graph {
  /// The rewrite of a scope that needs the least memory.
  ///
  /// Checkpoints far apart are few, but what lies between two of them must be held at once; the
  /// best distance is found by counting the bytes of a few.
  ///
  /// - Parameters:
  ///   - inputs: the shape of every input.
  ///   - byteCount: where fewer bytes than these are needed, convolutions of the last blocks are
  ///     kept as far as they let it.
  /// - Throws: ``ShapeError``.
  /// - Complexity: O((nodes + edges) · log blocks).
  public func recomputation(
    _ scope: RecomputationScope, inputs: [String: Shape], within byteCount: Int = 0
  ) throws(ShapeError) -> Recomputation {
    switch scope {
    case .nothing: return .nothing
    case .activations: return .activations
    case .additions:
      return try CheckpointSearch(self, inputs: inputs).least { .blockOutputs(every: $0) }
    case .convolutions:
      let search = try CheckpointSearch(self, inputs: inputs)
      let least = search.least { .convolutions(every: $0) }
      guard case .convolutions(let interval, _) = least, byteCount > 0 else { return least }
      // The more blocks, the more memory: the largest number that fits, by bisection.
      var (fitting, excess) = (0, search.blockCount + 1)
      while excess - fitting > max(1, search.blockCount / 64) {
        let keeping = (fitting + excess) / 2
        let bytes = search.peakByteCount(.convolutions(every: interval, keeping: keeping))
        if bytes <= byteCount { fitting = keeping } else { excess = keeping }
      }
      return .convolutions(every: interval, keeping: fitting)
    }
  }
}

/// Finds how far apart checkpoints should stand.
private struct CheckpointSearch {
  private let nodes: RepeatableNodes
  private let byteCounts: [Int]

  var blockCount: Int { nodes.blockOutputs.count }

  init(_ graph: Graph, inputs: [String: Shape]) throws(ShapeError) {
    nodes = RepeatableNodes(graph)
    let shapes = try graph.shapes(inputs: inputs)
    byteCounts = graph.nodes.indices.map { index in
      graph.nodes[index].operation.isGiven
        ? 0 : shapes[index].reduce(0) { $0 + $1.count } * ElementType.float32.size
    }
  }

  func peakByteCount(_ recomputation: Recomputation) -> Int {
    RepeatingSchedule(nodes, recomputation).peakByteCount(byteCounts)
  }

  /// The distance that needs the fewest bytes, descending from √blocks.
  func least(_ candidate: (_ interval: Int) -> Recomputation) -> Recomputation {
    // 1, 2, 3, 4, 6, 8, 12, …: each about √2 times the one before.
    let intervals = [1] + (0..<40).map { (2 + $0 % 2) << ($0 / 2) }.prefix { $0 <= blockCount }
    var counted: [Int: Int] = [:]
    func bytes(_ index: Int) -> Int {
      if let bytes = counted[index] { return bytes }
      let bytes = peakByteCount(candidate(intervals[index]))
      counted[index] = bytes
      return bytes
    }
    var best = intervals.lastIndex { $0 * $0 <= blockCount } ?? 0
    while best > 0, bytes(best - 1) <= bytes(best) { best -= 1 }
    while best + 1 < intervals.count, bytes(best + 1) < bytes(best) { best += 1 }
    return candidate(intervals[best])
  }
}
