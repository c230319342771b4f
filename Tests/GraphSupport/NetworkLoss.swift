package import ResidualNetworks

extension Network {
  /// The graph of training with its loss, which is also the output `loss`; the labels and the weight
  /// of each sample are the inputs `labels` and `weights`.
  package func graphWithLoss() -> (graph: Graph, loss: Value) {
    var graph = graph(.training)
    guard let logits = graph.output(Network.logitsOutput) else {
      preconditionFailure("the graph has no output \(Network.logitsOutput)")
    }
    let loss = graph.append(
      .softmaxCrossEntropy(.init()),
      [logits, graph.input("labels", .int32), graph.input("weights")], path: "loss")
    graph.output("loss", loss)
    return (graph, loss)
  }
}
