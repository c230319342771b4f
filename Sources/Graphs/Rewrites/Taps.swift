/// A value of a graph that is to be read after a run though the graph has no name for it.
public struct Tap: Hashable, Sendable {
  /// What is read.
  public enum Kind: Hashable, Sendable {
    /// The numbers, as the output `tap/<path>`.
    case value
    /// Of the channels of a value `[…, C]`: the outputs `tap/<path>/count` (scalar),
    /// `tap/<path>/mean` `[C]` and `tap/<path>/m2` `[C]`, the sum of squared deviations from the
    /// mean. Those of several runs can be merged, see ``Operation/ChannelStatistics``.
    case statistics
  }

  /// The path of the node whose first result is read.
  public let path: String
  /// What is read of it.
  public let kind: Kind

  /// A tap of the first result of the node with a path.
  public init(_ path: String, _ kind: Kind = .value) { (self.path, self.kind) = (path, kind) }

  /// The output that holds the value.
  public var output: String { "tap/" + path }
  /// The outputs that hold its statistics.
  public var count: String { output + "/count" }
  /// See ``count``.
  public var mean: String { output + "/mean" }
  /// See ``count``.
  public var m2: String { output + "/m2" }
}

/// A path that no node of a graph has.
public struct TapError: Refusal, Hashable {
  /// The path that was asked for.
  public let path: String
  /// The most similar one of the graph; `nil` if none is near enough.
  public let nearest: String?

  public var kind: RefusalKind { .usage }
  public var description: String {
    "no node has the path '\(path)'" + (nearest.map { "; the nearest is '\($0)'" } ?? "")
  }
}

extension Graph {
  /// The same graph with more outputs, which are named as ``Tap`` says; a tap that is there already
  /// is left out.
  ///
  /// What the graph computes otherwise stays as it is. A device that computes several nodes in one
  /// step may cut sums elsewhere where the value of a node among them is to be stored, which can
  /// change the last bits of statistics in training.
  ///
  /// - Throws: ``TapError`` if a path is not that of a node.
  /// - Complexity: O(nodes) for each tap.
  public func tapping(_ taps: [Tap]) throws(TapError) -> Graph {
    var graph = self
    for tap in taps {
      guard let value = value(at: tap.path) else {
        throw TapError(
          path: tap.path, nearest: Suggestion.nearest(to: tap.path, among: nodes.lazy.map(\.path)))
      }
      switch tap.kind {
      case .value: graph.name(tap.output, value)
      case .statistics:
        let statistics = graph.statistics(of: value, path: tap.output)
        for (result, name) in [tap.count, tap.mean, tap.m2].enumerated() {
          graph.name(name, statistics.result(result))
        }
      }
    }
    return graph
  }

  /// Names a result once.
  private mutating func name(_ name: String, _ value: Value) {
    if output(name) != value { output(name, value) }
  }

  /// The statistics of a value's channels: those that are there, or new ones.
  private mutating func statistics(of value: Value, path: String) -> Value {
    let known = nodes.firstIndex { node in
      if case .channelStatistics = node.operation { node.operands == [value] } else { false }
    }
    if let known { return Value(node: known) }
    let node = nodes[value.node]
    return append(
      .channelStatistics(.init()), [value], path: path, pass: node.pass, layer: node.layer)
  }
}
