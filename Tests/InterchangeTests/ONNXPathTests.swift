#if ONNX
  import Foundation
  import ResidualFormats
  import ResidualInterchange
  import ResidualTestSupport
  import Testing

  /// A file may call its nodes as rewrites call theirs: paths are for people, and mean nothing.
  @Suite struct ONNXPathTests {
    private static func step(_ network: Network) throws -> Graph {
      var graph = network.graph(.training)
      let loss = graph.appendObjective(
        labels: graph.input("labels", .int32), weights: graph.input("weights"), path: "loss")
      graph.output("loss", loss)
      let gradients = graph.differentiate(
        loss, withRespectTo: graph.slots.filter(\.trainable).map(\.name))
      graph.updateByMomentumSGD(gradients: gradients, weightDecay: 1e-4)
      return graph.pruned().recomputing(.convolutions(every: 1)).updatingEarly()
    }

    @Test func nodesNamedAsThoseOfRewrites() throws {
      let folder = try TemporaryFolder()
      let network = Network(
        name: "custom", inputSide: 32, classes: 3, depth: 3
      ) {
        Convolution("stem", 4, size: 3)
        BatchNormalization("norm")
        ReLU()
        Convolution("middle", 6, size: 3)
        BatchNormalization("norm2")
        ReLU("relu2")
        GlobalAveragePooling()
        FullyConnected("head", 3)
      }
      try Sample.onnxModel(network).writeONNX(to: folder["plain.onnx"])
      var message = try ONNXFile(FileBytes(at: folder["plain.onnx"])).model
      let names = [
        "gradient/loss", "gradient/stem", "repeated/relu", "update/stem.weight", "update/lossScale",
        "gradient/gradient/loss", "loss", "tap/loss",
      ]
      for index in message.graph.node.indices {
        message.graph.node[index].name = names[index % (names.count - 1)]
      }
      let bytes: Data = try message.serializedBytes()
      try bytes.write(to: URL(filePath: folder["hostile.onnx"]))

      let graphs = try ["plain.onnx", "hostile.onnx"].map { name in
        try Self.step(try OpenedModel(at: folder[name]).model.network)
      }
      let (plain, hostile) = (graphs[0], graphs[1])
      #expect(hostile.nodes.contains { $0.path == "gradient/loss" && $0.pass == .forward })
      #expect(plain.nodes.contains { $0.pass == .repeated })
      #expect(plain.nodes.map(\.operation) == hostile.nodes.map(\.operation))
      #expect(plain.nodes.map(\.operands) == hostile.nodes.map(\.operands))
      #expect(plain.nodes.map(\.pass) == hostile.nodes.map(\.pass))
      #expect(plain.bindings.map(\.value) == hostile.bindings.map(\.value))
      let inputs: [String: Shape] = [
        Network.imagesInput: network.imagesShape(batch: 2), "labels": [2], "weights": [2],
        "learningRate": .scalar, "momentum": .scalar,
      ]
      #expect(hostile.violation(inputs: inputs) == nil)
    }
  }
#endif
