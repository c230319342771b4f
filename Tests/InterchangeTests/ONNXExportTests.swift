#if ONNX
  import Foundation
  import ResidualInterchange
  import ResidualONNXSchema
  import ResidualTensors
  import ResidualTestSupport
  import Testing

  /// What stands in a file, counted and compared from outside.
  @Suite struct ONNXExportTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func network(_ name: String) throws -> Network {
      if name.hasPrefix("vgg") {
        return try #require(
          VGG.network(
            depth: 16, normalizes: name.hasSuffix("bn"), hidden: 8, inputSide: 32, classes: 10))
      }
      let side = name.hasPrefix("cifar") ? nil : 64
      return try NetworkCatalog.network(named: name, inputSide: side, classes: 10)
    }

    private func written(
      _ model: ModelFile, _ options: ONNXOptions = .init()
    ) throws -> Onnx_ModelProto {
      try model.writeONNX(to: folder["model.onnx"], options)
      return try Onnx_ModelProto(serializedBytes: try folder.data("model.onnx"))
    }

    private func options(opset: Int = 17, folds: Bool = false) -> ONNXOptions {
      var options = ONNXOptions()
      (options.opset, options.foldsNormalization) = (opset, folds)
      return options
    }

    /// Convolutions as the papers count them, projections added; the normalisations that stand behind
    /// none: of pre-activation networks those that a sum or a shortcut comes before.
    static let families: [(String, convolutions: Int, normalizations: Int, unfolded: Int)] = [
      ("resnet18", 17 + 3, 20, 0), ("resnet50", 49 + 4, 53, 0), ("plain18", 17, 17, 0),
      ("highway18", 17 + 3 + 8, 20, 0), ("vgg16", 13, 0, 0), ("vgg16-bn", 13, 13, 0),
      ("googlenet", 57, 57, 0), ("cifar-resnet20", 19, 19, 0), ("cifar-plain20", 19, 19, 0),
      ("cifar-single20", 19, 19, 0), ("cifar-bottleneck29", 28, 28, 0),
      ("cifar-preact18", 17 + 3, 17, 9), ("cifar-linear", 1, 0, 0),
    ]

    @Test(arguments: families)
    func structure(name: String, convolutions: Int, normalizations: Int, unfolded: Int) throws {
      let model = try Sample.onnxModel(try network(name))
      let file = try written(model)
      func count(_ type: String, in file: Onnx_ModelProto) -> Int {
        file.graph.node.count { $0.opType == type }
      }
      #expect(count("Conv", in: file) == convolutions)
      #expect(count("BatchNormalization", in: file) == normalizations)
      #expect(
        count("Gemm", in: file) == (name.hasPrefix("vgg") ? 3 : name == "cifar-linear" ? 0 : 1))
      try wellFormed(file, of: model)
      // Every slot under its own name, to the bit.
      let initializers = Dictionary(
        uniqueKeysWithValues: file.graph.initializer.map { ($0.name, $0) })
      for slot in model.network.graph(.inference).slots {
        let bits = model.tensors[slot.name]?.scalars.withUnsafeBytes { Data($0) }
        #expect(initializers[slot.name]?.rawData == bits, "\(slot.name)")
        #expect(initializers[slot.name]?.dims == slot.shape.extents.map(Int64.init))
      }
      // Nodes are called as layers are.
      let names = Set(file.graph.node.map(\.name))
      for slot in model.network.graph(.inference).slots where slot.shape.rank > 1 {
        #expect(names.contains(String(slot.name.dropLast(".weight".count))), "\(slot.name)")
      }

      let folded = try written(model, options(folds: true))
      #expect(count("Conv", in: folded) == convolutions)
      #expect(count("BatchNormalization", in: folded) == unfolded)
      try wellFormed(folded, of: model)
    }

    /// Names are unique, every operand comes before its reader, nothing is left over, and the batch
    /// has a name.
    private func wellFormed(_ file: Onnx_ModelProto, of model: ModelFile) throws {
      let graph = file.graph
      let given = graph.initializer.map(\.name)
      var known = Set(given + ["input"])
      #expect(known.count == given.count + 1)
      #expect(Set(graph.node.map(\.name)).count == graph.node.count)
      for node in graph.node {
        let missing = node.input.filter { !known.contains($0) }
        #expect(missing.isEmpty, "\(node.name)")
        for output in node.output { #expect(known.insert(output).inserted, "\(output)") }
      }
      let read = Set(graph.node.flatMap(\.input))
      #expect(read == known.subtracting(["output"]))
      let side = Int64(model.network.inputSide)
      func extents(_ info: Onnx_ValueInfoProto) -> [String] {
        info.type.tensorType.shape.dim.map {
          $0.dimParam + ($0.dimValue == 0 ? "" : "\($0.dimValue)")
        }
      }
      #expect(graph.input.map(\.name) == ["input"] && graph.output.map(\.name) == ["output"])
      #expect(graph.input.map(extents) == [["batch", "3", "\(side)", "\(side)"]])
      #expect(graph.output.map(extents) == [["batch", "10"]])
      #expect(graph.name == model.network.name)
    }

    @Test(arguments: [
      (9, 4), (10, 5), (11, 6), (12, 7), (13, 7), (14, 7), (15, 8), (16, 8), (17, 8), (18, 8),
      (19, 9), (20, 9), (21, 10), (22, 10),
    ])
    func versions(opset: Int, fileVersion: Int) throws {
      var options = options(opset: opset)
      options.producerVersion = "1.2.3"
      let file = try written(try Sample.onnxModel(try network("cifar-resnet20")), options)
      #expect(file.opsetImport.map(\.version) == [Int64(opset)])
      #expect(file.opsetImport.map(\.domain) == [""])
      #expect(file.irVersion == Int64(fileVersion))
      #expect(file.producerName == "residual" && file.producerVersion == "1.2.3")
    }

    /// A folded convolution is the convolution and its normalisation, by the formula in double
    /// precision.
    @Test func folding() throws {
      let model = try Sample.onnxModel(try network("vgg16-bn"))
      let file = try written(model, options(folds: true))
      func numbers(_ name: String) throws -> [Float] {
        let tensor = try #require(file.graph.initializer.first { $0.name == name })
        return tensor.rawData.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
      }
      func slot(_ name: String) throws -> [Double] {
        try #require(model.tensors["features.\(name)"]).scalars.map(Double.init)
      }
      let (filter, bias) = (try numbers("features.0.weight"), try numbers("features.0.bias"))
      let (weight, shift) = (try slot("0.weight"), try slot("0.bias"))
      let (mean, variance) = (try slot("1.running_mean"), try slot("1.running_var"))
      let (scale, offset) = (try slot("1.weight"), try slot("1.bias"))
      for index in filter.indices {
        let k = index / 27
        let expected = weight[index] * scale[k] / (variance[k] + Double(Float(1e-5))).squareRoot()
        #expect(abs(Double(filter[index]) - expected) <= 1e-7 * abs(expected))
      }
      for k in bias.indices {
        let factor = scale[k] / (variance[k] + Double(Float(1e-5))).squareRoot()
        let expected = (shift[k] - mean[k]) * factor + offset[k]
        #expect(abs(Double(bias[k]) - expected) <= 1e-7 * max(1, abs(expected)))
      }
      let left = file.graph.initializer.filter { $0.name.contains("running") }
      #expect(left.isEmpty)
    }

    @Test func metadata() throws {
      let model = try Sample.onnxModel(try network("cifar-resnet20"))
      let file = try written(model)
      let fields = Dictionary(uniqueKeysWithValues: file.metadataProps.map { ($0.key, $0.value) })
      #expect(file.metadataProps.map(\.key) == fields.keys.sorted())
      #expect(fields["residual.format"] == "residual-model")
      #expect(fields["residual.network"] == "cifar-resnet20")
      #expect(fields["residual.shortcut"] == "A" && fields["residual.shortcut_padding"] == "end")
      #expect(fields["residual.preprocessing"] == "channels")
      #expect(fields["residual.provenance.steps"] == "7")
      #expect(fields["residual.onnx.preprocessing"] == "metadata")
      let names = try JSONDecoder().decode(
        [String].self, from: Data((fields["residual.class_names"] ?? "").utf8))
      #expect(names == model.classNames)
      let std = try JSONDecoder().decode(
        [Float].self, from: Data((fields["residual.std"] ?? "").utf8))
      #expect(std == [0.229, 0.224, 0.225])
    }

    @Test func preprocessing() throws {
      var options = ONNXOptions()
      options.preprocessing = .nodes
      let file = try written(try Sample.onnxModel(try network("cifar-linear")), options)
      #expect(file.graph.node.prefix(3).map(\.opType) == ["Div", "Sub", "Div"])
      #expect(file.graph.node.prefix(3).allSatisfy { $0.name.hasPrefix("preprocessing.") })
      #expect(file.graph.node.first?.input.first == "input")

      // A mean for each pixel stands in nodes unless something else is asked for.
      let mean = Sample.pixelMeans(side: 32)
      guard case .perPixelMean(let numbers) = mean else {
        Issue.record("the sample has no mean for each pixel")
        return
      }
      let model = try Sample.onnxModel(try network("cifar-linear"), mean)
      let other = try written(model)
      #expect(other.graph.node.prefix(2).map(\.opType) == ["Div", "Sub"])
      let tensor = try #require(
        other.graph.initializer.first { $0.name == "preprocessing.mean" })
      #expect(tensor.dims == [3, 32, 32])
      let found = tensor.rawData.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
      #expect(found[(2 * 32 + 5) * 32 + 7] == numbers[(5 * 32 + 7) * 3 + 2])
      options.preprocessing = .metadata
      #expect(throws: ONNXExportError.meanOfPixels) {
        try model.writeONNX(to: folder["other.onnx"], options)
      }
      #expect(!folder.contains("other.onnx"))
    }

    @Test func refusals() throws {
      let network = try network("cifar-resnet20")
      let model = try Sample.onnxModel(network)
      let inputs = [Network.imagesInput: network.imagesShape(batch: 1)]
      #expect(
        throws: ONNXExportError.notForInference(
          node: "bn1.count", operation: "channelStatistics")
      ) {
        var export = try ONNXExport(
          network.graph(.training), inputs: inputs, tensors: model.tensors, opset: 17)
        try export.run()
      }
      // The first filter alone has 1,728 bytes.
      #expect(throws: ONNXExportError.tooLarge(byteCount: 1728)) {
        var export = try ONNXExport(
          network.graph(.inference), inputs: inputs, tensors: model.tensors, opset: 17,
          maximumByteCount: 1727)
        try export.run()
      }
      var graph = Graph()
      let x = graph.input("x")
      let pooling = ResidualGraphs.Operation.MaxPooling(
        windowHeight: 2, windowWidth: 2, strideHeight: 1, strideWidth: 1, dilationHeight: 2)
      graph.output("y", graph.append(.maxPooling(pooling), [x], path: "pool"))
      #expect(throws: ONNXExportError.needsOpset(node: "pool", opset: 10)) {
        var export = try ONNXExport(graph, inputs: ["x": [1, 5, 5, 1]], tensors: [:], opset: 9)
        try export.run()
      }
    }

    /// A file that has changed since is found out, and the same model gives the same bytes.
    @Test func changedBytes() throws {
      let model = try Sample.onnxModel(try network("cifar-linear"))
      try model.writeONNX(to: folder["a.onnx"])
      try model.writeONNX(to: folder["b.onnx"])
      var bytes = try folder.bytes("a.onnx")
      #expect(bytes == (try folder.bytes("b.onnx")))
      #expect(try folder.names == ["a.onnx", "b.onnx"])
      try model.checkONNX(at: folder["a.onnx"])
      bytes[bytes.count / 2] ^= 1
      try folder.write(bytes, "a.onnx")
      #expect(throws: ONNXExportError.self) { try model.checkONNX(at: folder["a.onnx"]) }
      try folder.write(Array(bytes.dropLast(9)), "a.onnx")
      #expect(throws: ONNXExportError.self) { try model.checkONNX(at: folder["a.onnx"]) }
    }
  }
#endif
