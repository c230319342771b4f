#if ONNX
  import Foundation
  import ResidualFormats
  import ResidualInterchange
  import ResidualTensors
  import ResidualTestSupport
  import Testing

  /// Networks that come back from ONNX files.
  @Suite struct ONNXNetworkTests {
    struct Case: Sendable, CustomTestStringConvertible {
      let network: String
      var shortcut: Shortcut?
      var placement: StridePlacement?
      var branch: InceptionBranch?
      var side: Int?

      var testDescription: String {
        [network, shortcut.map { "\($0)" }, placement?.rawValue, branch?.rawValue]
          .compactMap { $0 }.joined(separator: " ")
      }
    }

    /// Everything that tensors alone do not tell is told by the graph.
    @Test(arguments: [
      Case(network: "cifar-resnet8", shortcut: .padding(.end)),
      Case(network: "cifar-resnet8", shortcut: .padding(.both)),
      Case(network: "cifar-resnet8", shortcut: .projection),
      Case(network: "cifar-resnet8", shortcut: .projectionEverywhere),
      Case(network: "cifar-plain8"), Case(network: "cifar-single8"),
      Case(network: "cifar-highway8"), Case(network: "cifar-preact18"),
      Case(network: "cifar-bottleneck11", placement: .first1x1),
      Case(network: "cifar-bottleneck11", placement: .middle3x3),
      Case(network: "resnet18", shortcut: .padding(.both), side: 32),
      Case(network: "plain18", side: 32), Case(network: "highway18", side: 32),
      Case(network: "resnet50", placement: .first1x1, side: 32),
      Case(network: "resnet50", placement: .middle3x3, side: 32),
      Case(network: "resnet-bottleneck-1-1-1-1", side: 32),
      Case(network: "googlenet", branch: .five, side: 64),
      Case(network: "googlenet", branch: .three, side: 64),
    ])
    func recognized(_ given: Case) throws {
      let folder = try TemporaryFolder()
      let network = try NetworkCatalog.network(
        named: given.network,
        variant: .init(
          given.shortcut, stridePlacement: given.placement, inceptionBranch: given.branch),
        inputSide: given.side, classes: 7)
      let model = try Sample.onnxModel(network, Sample.pixelMeans(side: network.inputSide))
      try model.writeONNX(to: folder["network.onnx"])
      let opened = try OpenedModel(at: folder["network.onnx"])
      let found = opened.model.network
      #expect(found.name == network.name)
      #expect(found.shortcut == network.shortcut)
      #expect(found.stridePlacement == network.stridePlacement)
      #expect(found.inceptionBranch == network.inceptionBranch)
      #expect(found.inputSide == network.inputSide && found.definition == nil)
      #expect(opened.model.classNames == model.classNames && opened.model.classNameSource == .own)
      #expect(opened.model.preparation == model.preparation)
      for slot in network.graph(.inference).slots {
        #expect(opened.model.tensors[slot.name] == model.tensors[slot.name])
      }
    }

    /// Layers that no catalogue has.
    private static func custom(classes: Int = 4) -> Network {
      Network(name: "custom", inputSide: 32, classes: classes, depth: 3) {
        Convolution("stem", 4, size: 3, stride: 2, bias: 0)
        BatchNormalization("norm")
        ReLU()
        Convolution("middle", 6, size: 3)
        BatchNormalization("norm2", epsilon: 1e-3)
        ReLU("relu2")
        GlobalAveragePooling()
        FullyConnected("head", classes)
      }
    }

    private static func opened(_ network: Network, in folder: TemporaryFolder) throws -> ModelFile {
      try Sample.onnxModel(network).writeONNX(to: folder["custom.onnx"])
      return try OpenedModel(at: folder["custom.onnx"]).model
    }

    /// A network without a name is kept as a graph in the model's file, and comes back from it.
    @Test func unnamed() throws {
      let folder = try TemporaryFolder()
      let model = try Self.opened(Self.custom(), in: folder)
      #expect(model.network.definition != nil)
      #expect(model.network.depth == 3 && model.network.classes == 4)
      #expect(model.network.classifierParameters == ["head.weight", "head.bias"])
      #expect(
        model.network.graph(.inference).computes(
          Network.logitsOutput, as: Self.custom().graph(.inference)))
      try model.write(to: folder["custom.safetensors"])
      let again = try ModelFile(at: folder["custom.safetensors"])
      #expect(again.network.definition == model.network.definition)
      #expect(again.tensors == model.tensors)
      #expect(again.preparation == model.preparation)
      try again.writeONNX(to: folder["again.onnx"])
      #expect(try OpenedModel(at: folder["again.onnx"]).model.tensors == model.tensors)
    }

    /// In training, its normalisations are those of the same layers written here.
    @Test func training() throws {
      let network = try Self.opened(Self.custom(), in: TemporaryFolder()).network
      let (own, given) = (network.graph(.training), Self.custom().graph(.training))
      #expect(own.computes(Network.logitsOutput, as: given))
      #expect(Set(own.bindings.map(\.slot)) == Set(given.bindings.map(\.slot)))
      #expect(
        own.bindings.map(\.slot).sorted() == [
          "norm.running_mean", "norm.running_var", "norm2.running_mean", "norm2.running_var",
        ])
      #expect(
        Set(network.statisticsGraph().statistics) == Set(Self.custom().statisticsGraph().statistics)
      )
      for (slot, same) in zip(own.slots, given.slots) {
        #expect(slot.name == same.name && slot.role == same.role)
        #expect(slot.trainable == same.trainable && slot.decayed == same.decayed)
      }
    }

    @Test func frozen() throws {
      let network = try Self.opened(Self.custom(), in: TemporaryFolder()).network
      let frozen = try network.freezing(["stem", "norm"])
      let graph = frozen.graph(.training)
      let trained = graph.slots.filter(\.trainable).map(\.name)
      let rest = ["middle.weight", "norm2.weight", "norm2.bias", "head.weight", "head.bias"]
      #expect(Set(trained) == Set(rest))
      #expect(
        graph.bindings.map(\.slot).sorted() == ["norm2.running_mean", "norm2.running_var"])
    }

    /// Another number of classes changes the last layer and nothing else.
    @Test func otherClasses() throws {
      let network = try Self.opened(Self.custom(), in: TemporaryFolder()).network
      let definition = try #require(network.definition)
      let other = try Network(definition: definition, classes: 9)
      #expect(other.classes == 9)
      #expect(
        other.graph(.inference).computes(
          Network.logitsOutput, as: Self.custom(classes: 9).graph(.inference)))
      for (slot, before) in zip(other.slots, network.slots) {
        #expect(slot.name == before.name)
        #expect((slot.shape == before.shape) == !slot.name.hasPrefix("head."))
      }
      #expect(other.slots.first { $0.name == "head.weight" }?.shape == [9, 6])
    }

    @Test func classNames() throws {
      let folder = try TemporaryFolder()
      _ = try Self.opened(Self.custom(), in: folder)
      let opened = try OpenedModel(at: folder["custom.onnx"])
      let names = folder["names"]
      try Data("a\r\nb c\nç\nd\n".utf8).write(to: URL(filePath: names))
      let named = try opened.naming(classesBy: names)
      #expect(
        named.model.classNames == ["a", "b c", "ç", "d"] && named.model.classNameSource == .given)
      #expect(named.model.tensors == opened.model.tensors)
      for (text, found) in [("a\nb\nc\n", 3), ("a\n\nc\nd\n", 3), ("\n", 0)] {
        try Data(text.utf8).write(to: URL(filePath: names))
        #expect(throws: WeightsError.wrongClassNames(file: names, found: found, classes: 4)) {
          _ = try opened.naming(classesBy: names)
        }
      }
    }

    /// A safetensors file whose length looks like the start of an ONNX model.
    @Test func lengthsAreNoVersions() throws {
      let folder = try TemporaryFolder()
      for count in [0x0808, 0x3A_0808] {
        let header = "{" + String(repeating: " ", count: count - 2) + "}"
        let bytes = withUnsafeBytes(of: UInt64(count).littleEndian) { Array($0) } + header.utf8
        try AtomicFile.write(bytes, to: folder["empty.safetensors"])
        #expect(throws: WeightsError.self) {
          _ = try OpenedModel(at: folder["empty.safetensors"])
        }
      }
    }

    /// A network of the catalogue's names and operations, but half as many channels.
    @Test func otherWidthsAreNotRecognized() throws {
      let folder = try TemporaryFolder()
      let network = try NetworkCatalog.network(named: "cifar-plain8", classes: 7)
      try Sample.onnxModel(network).writeONNX(to: folder["network.onnx"])
      var model = try ONNXFile(FileBytes(at: folder["network.onnx"])).model
      model.graph.initializer = model.graph.initializer.map { tensor in
        guard tensor.dims.contains(16) else { return tensor }
        var tensor = tensor
        tensor.dims = tensor.dims.map { $0 == 16 ? 8 : $0 }
        tensor.rawData = Data(count: 4 * Int(tensor.dims.reduce(1, *)))
        return tensor
      }
      let bytes: Data = try model.serializedBytes()
      try bytes.write(to: URL(filePath: folder["half.onnx"]))
      let found = try OpenedModel(at: folder["half.onnx"]).model
      #expect(found.network.name == Network.unnamed && found.network.definition != nil)
      #expect(found.tensors["conv1.weight"]?.shape == [8, 3, 3, 3])
    }

    /// A layer from a file may have a parameter of the name that PyTorch's counter has.
    @Test func aParameterNamedAsACounter() throws {
      let folder = try TemporaryFolder()
      let network = try NetworkCatalog.network(named: "cifar-plain8", classes: 7)
      try Sample.onnxModel(network).writeONNX(to: folder["network.onnx"])
      var model = try ONNXFile(FileBytes(at: folder["network.onnx"])).model
      let (bias, counter) = ("bn1.bias", "bn1.num_batches_tracked")
      model.graph.initializer = model.graph.initializer.map { tensor in
        var tensor = tensor
        if tensor.name == bias { tensor.name = counter }
        return tensor
      }
      model.graph.node = model.graph.node.map { node in
        var node = node
        node.input = node.input.map { $0 == bias ? counter : $0 }
        return node
      }
      let bytes: Data = try model.serializedBytes()
      try bytes.write(to: URL(filePath: folder["odd.onnx"]))
      try OpenedModel(at: folder["odd.onnx"]).model.writeTorch(to: folder["odd.pth"])
      let file = try TorchFile(FileBytes(at: folder["odd.pth"]))
      #expect(file.root.tensors.first { $0.name == counter }?.tensor.shape == [16])
      #expect(file.root.tensors.count { $0.name.hasSuffix("num_batches_tracked") } == 7)
    }

    @Test func refusals() throws {
      let folder = try TemporaryFolder()
      _ = try Self.opened(Self.custom(), in: folder)
      let path = folder["custom.onnx"]
      var options = WeightsOptions()
      options.model = "resnet18"
      #expect(throws: WeightsError.describesLayers(file: path, given: [.model])) {
        _ = try OpenedModel(at: path, options)
      }
      options = WeightsOptions()
      options.mean = [0, 0, 0]
      #expect(throws: WeightsError.describesItself(file: path, given: [.mean])) {
        _ = try OpenedModel(at: path, options)
      }
    }
  }
#endif
