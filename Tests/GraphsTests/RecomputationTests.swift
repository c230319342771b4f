import ResidualNetworks
import ResidualReference
import ResidualTestSupport
import Testing

/// Repeating nodes for the backward pass changes memory and time, and nothing else.
@Suite struct RecomputationTests {
  static let rewrites: [Recomputation] = [
    .nothing, .activations, .blockOutputs(every: 1), .blockOutputs(every: 2),
    .blockOutputs(every: 100), .convolutions(every: 1), .convolutions(every: 2),
    .convolutions(every: 2, keeping: 1), .convolutions(every: 1, keeping: 100),
  ]

  static func network(_ name: String) throws -> Network {
    guard name == "bottleneck" else {
      return try NetworkCatalog.network(named: name, variant: .init(.padding(.both)))
    }
    return Network(
      name: name, inputSide: 8, classes: 3, variant: .init(.projection), depth: 11
    ) {
      Convolution("conv1", 4, size: 3)
      BatchNormalization("bn1")
      ReLU()
      for block in 0..<3 {
        ResidualBlock(
          "layer1.\(block)", shortcut: .projection, channels: 16, stride: block == 1 ? 2 : 1
        ) {
          Convolution("conv1", 4, size: 1)
          BatchNormalization("bn1")
          ReLU("relu1")
          Convolution("conv2", 4, size: 3, stride: block == 1 ? 2 : 1)
          BatchNormalization("bn2")
          ReLU("relu2")
          Convolution("conv3", 16, size: 1)
          BatchNormalization("bn3")
        }
      }
      GlobalAveragePooling()
      FullyConnected("fc", 3)
    }
  }

  /// A training step with its loss as an output.
  static func step(_ network: Network) throws -> Graph {
    var (graph, loss) = network.graphWithLoss()
    let gradients = graph.differentiate(
      loss, withRespectTo: graph.slots.filter(\.trainable).map(\.name))
    graph.updateByMomentumSGD(gradients: gradients, weightDecay: 1e-4)
    return graph.pruned()
  }

  static func inputs(_ network: Network, batch: Int) -> [String: Shape] {
    [
      Network.imagesInput: network.imagesShape(batch: batch), "labels": [batch],
      "weights": [batch], "learningRate": .scalar, "momentum": .scalar,
    ]
  }

  /// All outputs and slots after three steps on the reference device.
  private func results(_ graph: Graph, _ network: Network) throws -> [String: [Double]] {
    let device = ReferenceDevice()
    let session = Session(device: device, store: Store(realType: device.realType))
    let loaded = try session.load(graph, inputs: Self.inputs(network, batch: 2), seed: 5)
    var source = RandomSource(RandomKey(seed: 6))
    for _ in 0..<3 {
      loaded.write(
        (0..<network.imagesShape(batch: 2).count).map { _ in source.uniform() - 0.5 },
        to: Network.imagesInput)
      loaded.write([0, 2] as [Int32], to: "labels")
      loaded.write([1, 1] as [Float], to: "weights")
      loaded.write(0.1, to: "learningRate")
      loaded.write(0.9, to: "momentum")
      loaded.poison()
      loaded.run()
    }
    var results: [String: [Double]] = [:]
    for (name, _) in graph.outputs { results[name] = loaded.readDouble(name) }
    for slot in graph.slots { results["slot " + slot.name] = session.store.readDouble(slot.name) }
    return results
  }

  @Test(arguments: ["cifar-resnet8", "cifar-plain8", "bottleneck"])
  func everyBitStays(name: String) throws {
    let network = try Self.network(name)
    let graph = try Self.step(network)
    let expected = try results(graph, network)
    for rewrite in Self.rewrites {
      let repeated = try results(graph.recomputing(rewrite).updatingEarly(), network)
      #expect(repeated == expected, "\(name), \(rewrite)")
    }
  }

  @Test(arguments: ["cifar-resnet20", "cifar-plain20", "bottleneck"])
  func theForwardPassStays(name: String) throws {
    let graph = try Self.step(try Self.network(name))
    /// Nodes by their path, with the paths of what they read.
    func lines(_ graph: Graph) -> [String] {
      graph.nodes.map { node in
        let operands = node.operands.map { "\(graph.nodes[$0.node].path).\($0.result)" }
        return "\(node.path) = \(node.operation) \(operands)"
      }
    }
    let forward = lines(graph).filter { !$0.contains("gradient/") && !$0.hasPrefix("momentum/") }
    for rewrite in Self.rewrites {
      let repeated = graph.recomputing(rewrite)
      let rest = lines(repeated).filter { !$0.hasPrefix("repeated/") }
      #expect(rest.filter(Set(forward).contains) == forward, "\(rewrite)")
      #expect(rest.count == graph.nodes.count)
      // Slots are bound once, to what the forward pass computed.
      #expect(repeated.bindings.map(\.slot) == graph.bindings.map(\.slot))
      #expect(
        repeated.bindings.map { repeated.nodes[$0.value.node].path }
          == graph.bindings.map { graph.nodes[$0.value.node].path })
      #expect(repeated.outputs.map(\.name) == graph.outputs.map(\.name))
      #expect(repeated.pruned().nodes.count == repeated.nodes.count, "nothing is repeated in vain")
    }
  }

  @Test func onlyWhatTheScopeSaysIsRepeated() throws {
    let graph = try Self.step(try Self.network("cifar-resnet20"))
    func repeated(_ rewrite: Recomputation) -> [String: Int] {
      let nodes = graph.recomputing(rewrite).nodes.filter { $0.path.hasPrefix("repeated/") }
      return Dictionary(grouping: nodes) { $0.operation.name }.mapValues(\.count)
    }
    #expect(repeated(.nothing) == [:])
    // The stem's activation and one in each of nine blocks.
    #expect(repeated(.activations) == ["batchNormalization": 10, "relu": 10])
    let additions = repeated(.blockOutputs(every: 3))
    // Six blocks lie before the last checkpoint and are none themselves or follow it.
    #expect(additions["add"] == 6 && additions["convolution"] == nil)
    let convolutions = repeated(.convolutions(every: 3))
    #expect(convolutions["convolution"] == 19 && convolutions["channelStatistics"] == nil)
    #expect(repeated(.convolutions(every: 3, keeping: 5))["convolution"] == 9)
  }

  @Test func updatesFollowTheirGradients() throws {
    let graph = try Self.step(try Self.network("cifar-resnet20")).updatingEarly()
    let uses = graph.uses()
    for (index, node) in graph.nodes.enumerated() {
      guard case .momentumUpdate = node.operation else { continue }
      // Nothing reads the old parameter later, so the update can take its place.
      #expect(uses[node.operands[0].node].allSatisfy { $0.node <= index })
    }
    // All but those of the last two convolutions come before the end of the backward pass.
    let end = try #require(graph.nodes.lastIndex { $0.path.hasPrefix("gradient/") })
    let late = graph.nodes[end...].filter { $0.operation.name == "momentumUpdate" }
    let last = ["conv1.", "bn1.", "layer1.0."].map { "update/" + $0 }
    #expect(late.allSatisfy { update in last.contains { update.path.hasPrefix($0) } })
  }

  /// The choice of the distance weighs checkpoints against what lies between two of them.
  @Test func distancesOfCheckpoints() throws {
    // With 2.8 GiB of block outputs, 2 MiB each in the last stage, √1400 = 37 is best for additions;
    // within 8 MiB each and three kept between, √(200 / 3) = 8 in the first stage for convolutions.
    for (depth, additions, convolutions) in [(20, 1...6, 1...4), (1202, 18...75, 4...16)] {
      let network = try Self.network("cifar-resnet\(depth)")
      let graph = try Self.step(network)
      let inputs = Self.inputs(network, batch: 128)
      guard
        case .blockOutputs(let outputs) = try graph.recomputation(.additions, inputs: inputs),
        case .convolutions(let blocks, 0) = try graph.recomputation(.convolutions, inputs: inputs)
      else {
        Issue.record("a rewrite of another scope")
        continue
      }
      #expect(additions.contains(outputs), "\(outputs)")
      #expect(convolutions.contains(blocks), "\(blocks)")
      // Twice the blocks, not more than twice the nodes.
      #expect(graph.recomputing(.convolutions(every: blocks)).nodes.count < 2 * graph.nodes.count)
      let kept = try graph.recomputation(.convolutions, inputs: inputs, within: .max)
      guard case .convolutions(blocks, let keeping) = kept else {
        Issue.record("\(kept)")
        continue
      }
      #expect(keeping > (depth - 2) / 2 * 9 / 10)
    }
  }
}
