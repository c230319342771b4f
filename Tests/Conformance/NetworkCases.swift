import ResidualNetworks
import ResidualReference

extension ConformanceCase {
  /// Most results differ by 10⁻⁷ to 10⁻⁵. Three digits go where gradients nearly cancel: that of a
  /// shift before a convolution and its normalisation, which removes all but what borders leave.
  static let network = 1e-3

  /// Whole steps of the paper's smallest network with every kind of shortcut, and of the baseline.
  static let networks: [ConformanceCase] =
    [.padding(.end), .padding(.both), .projection, .projectionEverywhere, nil].flatMap {
      (shortcut: Shortcut?) -> [ConformanceCase] in
      guard let network = CIFARResNet.network(depth: 20, shortcut: shortcut) else {
        preconditionFailure("no network has 20 layers")
      }
      let full = network.imagesShape(batch: 4)
      return [
        .trainingStep(network, images: full, taps: false),
        .evaluation(network, .inference, images: full),
        .evaluation(network, .statistics, images: full),
        .trainingStep(network, images: [3, 9, 7, 3], taps: true),
      ]
    } + imageNet + frozen + [
      .trainingStep(LinearClassifier.network(), images: [4, 32, 32, 3], taps: false)
    ]

  /// Networks in inference and for statistics.
  static let forwardNetworks = networks.filter { $0.graph.bindings.isEmpty }

  /// Networks of one block a stage, on odd images. Bottlenecks only in inference: after the maximum
  /// pooling of numbers that are nearly all positive, the first shift's gradient vanishes in training.
  private static let imageNet: [ConformanceCase] =
    [Block.basic, .bottleneck(.first1x1), .bottleneck(.middle3x3)].map { block in
      let network = ImageNetResNet.network(
        name: "resnet of one \(block) a stage", block: block, blocks: [1, 1, 1, 1],
        shortcut: .projection, inputSide: 64, classes: 10)
      return block == .basic
        ? .trainingStep(network, images: [2, 67, 61, 3], taps: false)
        : .evaluation(network, .inference, images: [2, 67, 61, 3])
    }

  /// Layers that are frozen before all others, between others, and all but the last.
  private static let frozen: [ConformanceCase] = [
    ["conv1", "bn1", "layer1"], ["layer2", "layer3.0"], [Network.allButHead],
  ].map { patterns in
    guard
      let network = try? CIFARResNet.network(depth: 20, shortcut: .projection)?
        .freezing(patterns)
    else { preconditionFailure("no network has \(patterns)") }
    return .trainingStep(
      network, images: network.imagesShape(batch: 4), taps: false,
      remark: ", \(patterns.joined(separator: ", ")) frozen")
  }

  /// A training step; with taps, every value is an output: errors are found where they arise.
  static func trainingStep(
    _ network: Network, images: Shape, taps: Bool, remark: String = ""
  ) -> ConformanceCase {
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
      for (name, gradient) in gradients.sorted(by: { $0.key < $1.key }) {
        graph.output("gradient/" + name, gradient)
      }
    }
    let scalars: [String: Shape] = ["learningRate": .scalar, "momentum": .scalar]
    return ConformanceCase(
      name: "\(network.name), \(network.shortcut.map { "\($0)" } ?? "no") shortcuts, "
        + "training on \(images)" + (taps ? " with taps" : "") + remark,
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

  static func evaluation(_ network: Network, _ form: NetworkForm, images: Shape) -> ConformanceCase
  {
    ConformanceCase(
      name: "\(network.name), \(network.shortcut.map { "\($0)" } ?? "no") shortcuts, \(form)",
      graph: network.graph(form), shapes: [Network.imagesInput: images], bound: 1e-5)
  }
}
