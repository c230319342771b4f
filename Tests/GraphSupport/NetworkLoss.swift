package import ResidualNetworks

extension Network {
  /// The graph of training with its loss, which is also the output `loss`; the labels and the weight
  /// of each sample are the inputs `labels` and `weights`. Auxiliary classifiers' losses count
  /// ``Network/auxiliaryWeight`` times.
  package func graphWithLoss(dropsOut: Bool = true) -> (graph: Graph, loss: Value) {
    var graph = graph(.training, dropsOut: dropsOut)
    guard let logits = graph.output(Network.logitsOutput) else {
      preconditionFailure("the graph has no output \(Network.logitsOutput)")
    }
    let (labels, weights) = (graph.input("labels", .int32), graph.input("weights"))
    func append(_ logits: Value, _ name: String) -> Value {
      graph.append(.softmaxCrossEntropy(.init()), [logits, labels, weights], path: name)
    }
    var loss = append(logits, "loss")
    for (name, logits) in graph.outputs where name.hasPrefix(Network.auxiliaryPrefix) {
      let weighted = graph.append(
        .scale(.init(Network.auxiliaryWeight)), [append(logits, name + ".loss")],
        path: name + ".weighted")
      loss = graph.append(.add(.init()), [loss, weighted], path: name + ".sum")
    }
    graph.output("loss", loss)
    return (graph, loss)
  }
}
