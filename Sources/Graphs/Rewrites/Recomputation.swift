// A training step keeps what its backward pass reads. Some of that is cheap to compute again from
// what else is kept, and with it all but a few checkpoints can be (Chen, Xu, Zhang, Guestrin:
// Training Deep Nets with Sublinear Memory Cost, 2016). No operation writes, so computing a node
// again changes nothing: neither a running statistic nor a bit of the result.

/// Which results of the forward pass a training step computes again in its backward pass.
public enum Recomputation: Hashable, Sendable {
  /// None: everything that the backward pass reads is kept.
  case nothing
  /// Normalised and rectified activations inside blocks. Kept are convolutions and block outputs.
  case activations
  /// These and block outputs: kept are convolutions and the output of every so many-th block, from
  /// which the additions between are repeated.
  case blockOutputs(every: Int)
  /// Convolutions too: kept is the output of every so many-th block. The last `keeping` blocks
  /// repeat no convolution.
  case convolutions(every: Int, keeping: Int = 0)
}

extension Graph {
  /// The same step with nodes of the forward pass repeated for the backward pass, which begins with
  /// the loss's gradient.
  ///
  /// Each repeated node stands just before the first node that needs it. What the forward pass
  /// computes, binds and names stays as it is.
  ///
  /// - Complexity: O(nodes + edges).
  public func recomputing(_ recomputation: Recomputation) -> Graph {
    guard recomputation != .nothing else { return self }
    let schedule = RepeatingSchedule(RepeatableNodes(self), recomputation)
    var copy = GraphCopy(of: self)
    var repeated = [Int](repeating: -1, count: 3 * nodes.count)
    for run in schedule.runs {
      let node = nodes[run.node]
      let operands = node.operands.enumerated().map { position, operand in
        let source = schedule.source(of: operand.node, for: run)
        // What is read for its shape alone need not be kept for it.
        return source.use == .first || node.operation.readsOnlyShape(ofOperand: position)
          ? copy.value(operand) : Value(node: repeated[source.index], result: operand.result)
      }
      if run.use == .first {
        copy.append(run.node, operands)
      } else {
        repeated[run.index] = copy.repeat(run.node, operands)
      }
    }
    return copy.finish()
  }
}

/// The order in which a step's nodes run, some of them more than once.
///
/// Normalised and rectified activations are cheap, so each use in the backward pass gets its own
/// repetition, apart from the one that leads to other repetitions, and neither is kept for long.
struct RepeatingSchedule {
  /// What a node runs for.
  enum Use: Int { case first, repetition, backward }

  struct Run {
    let node: Int
    let use: Use
    var index: Int { 3 * node + use.rawValue }
    init(node: Int, use: Use) { (self.node, self.use) = (node, use) }
    init(index: Int) { self.init(node: index / 3, use: Use(rawValue: index % 3) ?? .first) }
  }

  private(set) var runs: [Run] = []
  private let nodes: RepeatableNodes
  private let choice: RepeatableNodes.Choice

  init(_ nodes: RepeatableNodes, _ recomputation: Recomputation) {
    self.nodes = nodes
    choice = nodes.choice(recomputation)
    runs.reserveCapacity(nodes.reads.count * 3 / 2)
    var isDone = [Bool](repeating: false, count: 3 * nodes.reads.count)
    var open: [Int] = []
    for node in nodes.reads.indices {
      let run = Run(node: node, use: .first)
      if !nodes.isForward[node] {
        var missing: [Int] = []
        func require(_ run: Run) {
          for operand in nodes.reads[run.node] {
            let source = source(of: operand, for: run)
            guard source.use != .first, !isDone[source.index] else { continue }
            isDone[source.index] = true
            missing.append(source.index)
            open.append(source.index)
          }
        }
        require(run)
        while let next = open.popLast() { require(Run(index: next)) }
        // Operands have smaller indices, and so come first.
        runs += missing.sorted().map(Run.init(index:))
      }
      runs.append(run)
    }
  }

  /// Which run of a node another run reads.
  func source(of node: Int, for reader: Run) -> Run {
    let use: Use =
      switch reader.use {
      case .first where nodes.isForward[reader.node]: .first
      case .repetition: choice.isRepeated[node] ? .repetition : .first
      default:
        choice.isRepeatedForBackward[node]
          ? .backward : choice.isRepeated[node] ? .repetition : .first
      }
    return Run(node: node, use: use)
  }

  /// The most bytes of results that are needed at one time. Inputs and slots do not count.
  ///
  /// - Parameter byteCounts: the bytes of each node's results.
  func peakByteCount(_ byteCounts: [Int]) -> Int {
    var last = [Int](repeating: 0, count: 3 * byteCounts.count)
    for (position, run) in runs.enumerated() {
      last[run.index] = position
      for operand in nodes.reads[run.node] { last[source(of: operand, for: run).index] = position }
    }
    var change = [Int](repeating: 0, count: runs.count + 1)
    for (position, run) in runs.enumerated() {
      change[position] += byteCounts[run.node]
      change[last[run.index] + 1] -= byteCounts[run.node]
    }
    var (live, most) = (0, 0)
    for difference in change {
      live += difference
      most = max(most, live)
    }
    return most
  }
}
