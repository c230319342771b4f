package import ResidualNetworks

extension Network {
  /// The graph of training with its loss, which is also the output `loss`; the labels and the weight
  /// of each sample are the inputs `labels` and `weights`. Auxiliary classifiers' losses count
  /// ``Network/auxiliaryWeight`` times.
  package func graphWithLoss(dropsOut: Bool = true) -> (graph: Graph, loss: Value) {
    var graph = graph(.training, dropsOut: dropsOut)
    let loss = graph.appendObjective(
      labels: graph.input("labels", .int32), weights: graph.input("weights"), path: "loss")
    graph.output("loss", loss)
    return (graph, loss)
  }
}
