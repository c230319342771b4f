import ResidualNetworks
import ResidualReference

extension ConformanceCase {
  /// Differences of float32 grow with depth, and a rectifier's gradient jumps where an activation
  /// differs about zero, so that single images weigh much in small batches.
  static let network = 2e-4

  /// Whole steps of the paper's smallest network.
  static let networks: [ConformanceCase] =
    [
      ("cifar-resnet20", Shortcut.padding(.end)), ("cifar-resnet20", .padding(.both)),
      ("cifar-resnet20", .projection), ("cifar-resnet20", .projectionEverywhere),
      ("cifar-plain20", .padding(.end)),
    ].flatMap { name, shortcut -> [ConformanceCase] in
      guard let network = try? NetworkCatalog.network(named: name, shortcut: shortcut) else {
        return []
      }
      let full = network.imagesShape(batch: 4)
      return [
        .trainingStep(network, images: full, taps: false),
        .evaluation(network, .inference, images: full),
        .evaluation(network, .statistics, images: full),
        .trainingStep(network, images: [3, 9, 7, 3], taps: true),
      ]
    }

  /// A training step; with taps, every value is an output, so that errors are found where they arise.
  static func trainingStep(_ network: Network, images: Shape, taps: Bool) -> ConformanceCase {
    var graph = network.graph(.training)
    guard let logits = graph.output(Network.logitsOutput) else {
      preconditionFailure("\(network.name) has no logits")
    }
    let (labels, weights) = (graph.input("labels", .int32), graph.input("weights"))
    let loss = graph.append(.softmaxCrossEntropy(.init()), [logits, labels, weights], path: "loss")
    graph.output("loss", loss)
    graph.output(
      "correct",
      graph.append(.correctCount(.init(top: 1)), [logits, labels, weights], path: "correct"))
    let gradients = graph.differentiate(
      loss, withRespectTo: graph.slots.filter(\.trainable).map(\.name))
    graph.updateByMomentumSGD(gradients: gradients, weightDecay: 1e-4)
    if taps {
      for (index, node) in graph.nodes.enumerated() {
        for result in 0..<node.operation.resultCount {
          graph.output("\(index).\(result) \(node.path)", Value(node: index, result: result))
        }
      }
    } else {
      for (name, gradient) in gradients.sorted(by: { $0.key < $1.key }) where name.hasPrefix("layer") {
        graph.output("gradient/" + name, gradient)
      }
    }
    let scalars: [String: Shape] = ["learningRate": .scalar, "momentum": .scalar]
    return ConformanceCase(
      name: "\(network.name), \(network.shortcut.map { "\($0)" } ?? "no") shortcuts, "
        + "training on \(images)" + (taps ? " with taps" : ""),
      graph: graph.pruned(),
      shapes: scalars.merging([
        Network.imagesInput: images, "labels": [images[0]], "weights": [images[0]],
      ]) { $1 },
      bound: Self.network,
      values: [
        "learningRate": [0.1], "momentum": [0.9],
        // The last sample only fills the batch up.
        "weights": [Float](repeating: 1, count: images[0] - 1) + [0],
      ])
  }

  static func evaluation(_ network: Network, _ form: NetworkForm, images: Shape) -> ConformanceCase {
    ConformanceCase(
      name: "\(network.name), \(network.shortcut.map { "\($0)" } ?? "no") shortcuts, \(form)",
      graph: network.graph(form), shapes: [Network.imagesInput: images], bound: 1e-5)
  }
}
