import ResidualGraphs

extension Graph {
  /// Appends what training minimises: the mean cross-entropy of the logits, and
  /// ``Network/auxiliaryWeight`` times that of each auxiliary classifier's.
  ///
  /// - Parameters:
  ///   - labels: `[N]` (int32): the index of each sample's class.
  ///   - weights: `[N]`: of each sample in the mean.
  ///   - path: of the node of the classifier's own loss.
  /// - Returns: a scalar, in nats.
  /// - Precondition: the graph is a network's.
  public mutating func appendObjective(labels: Value, weights: Value, path: String) -> Value {
    guard let logits = output(Network.logitsOutput) else {
      preconditionFailure("the graph has no output \(Network.logitsOutput)")
    }
    func loss(of logits: Value, _ path: String, in graph: inout Graph) -> Value {
      graph.append(.softmaxCrossEntropy(.init()), [logits, labels, weights], path: path)
    }
    var sum = loss(of: logits, path, in: &self)
    for (name, logits) in outputs where name.hasPrefix(Network.auxiliaryPrefix) {
      let weighted = append(
        .scale(.init(Network.auxiliaryWeight)), [loss(of: logits, name + ".loss", in: &self)],
        path: name + ".weighted")
      sum = append(.add(.init()), [sum, weighted], path: name + ".sum")
    }
    return sum
  }
}
