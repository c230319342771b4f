#if ONNX
  import Foundation
  import ResidualCPU
  import ResidualExecution
  import ResidualFormats
  import ResidualInterchange
  import ResidualONNXSchema
  import ResidualReference
  import ResidualTensors
  import Testing

  /// The node cases that ONNX brings for the operators of residual networks.
  @Suite struct ONNXImportTests {
    @Test(arguments: NodeCase.all.filter { $0.output != nil })
    func nodeCase(_ node: NodeCase) throws {
      let expected = try #require(node.output)
      var results = [try node.result(on: ReferenceDevice())]
      results.append(try node.result(on: CPUDevice(threads: 2)))
      for result in results {
        #expect(result.shape == expected.shape)
        // ONNX's own bounds.
        let isClose = zip(result.scalars, expected.scalars).allSatisfy {
          abs($0 - $1) <= 1e-7 + 1e-3 * abs($1)
        }
        #expect(isClose)
      }
    }

    @Test func asManyCasesAsONNXBrings() {
      #expect(NodeCase.all.count == 116)
      #expect(NodeCase.all.count { $0.output != nil } == 87)
      #expect(
        Set(NodeCase.refused.keys) == Set(NodeCase.all.filter { $0.output == nil }.map(\.name)))
    }

    /// What is neither real, nor two-dimensional, nor one result, is refused with the reason.
    @Test(arguments: NodeCase.all.filter { $0.output == nil })
    func refusedCase(_ node: NodeCase) throws {
      let error = #expect(throws: ONNXProblem.self) { _ = try node.imported() }
      let reason = try #require(NodeCase.refused[node.name])
      #expect("\(try #require(error))".contains(reason))
    }

    /// The light ResNet-50 of ONNX's backend tests: as its authors trained it in structure, with
    /// constant numbers.
    @Test func lightResNet50() throws {
      let record = try #require(NodeCase.file["light_resnet50/model"])
      let light = NodeCase.file.file[record.range]
      let file = try ONNXFile(FileBytes(light, name: "light_resnet50.onnx"))
      let network = try ONNXNetwork(file)
      #expect(network.network.depth == 50)
      #expect(network.network.classes == 1000)
      #expect(network.remarks.count == 1)
      let session = Session(device: try CPUDevice(threads: 2), store: Store())
      let plan = try session.load(
        network.graph, inputs: [Network.imagesInput: [1, 224, 224, 3]])
      for (name, tensor) in network.tensors { session.store.write(tensor.scalars, to: name) }
      let (pixels, count) = (224 * 224, 3 * 224 * 224)
      plan.write(
        (0..<count).map { Float($0 % 3 * pixels + $0 / 3) / Float(count) },
        to: Network.imagesInput)
      plan.run()
      let logits = plan.read(Network.logitsOutput).scalars.map(Double.init)
      let largest = try #require(logits.max())
      let sum = logits.reduce(0) { $0 + exp($1 - largest) }
      let expected = try NodeCase.file.floats("light_resnet50/output0").scalars
      let isClose = zip(logits, expected).allSatisfy { logit, expected in
        abs(exp(logit - largest) / sum - Double(expected)) <= 1e-7 + 1e-3 * Double(expected)
      }
      #expect(isClose)
    }
  }

  /// Groups of channels, which the cases leave out, against the sums themselves.
  @Suite struct ONNXGroupTests {
    @Test(arguments: [1, 2, 4])
    func convolution(groups: Int) throws {
      let (channels, filters, side) = (4, 8, 5)
      let width = channels / groups
      var source = RandomSource(RandomKey(seed: 9))
      func numbers(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float(source.uniform()) - 0.5 }
      }
      let (image, bias) = (numbers(channels * side * side), numbers(filters))
      let filter = numbers(filters * width * 9)

      var node = Onnx_NodeProto()
      (node.opType, node.input, node.output) = ("Conv", ["x", "w", "b"], ["y"])
      node.attribute = [("group", [Int64(groups)]), ("pads", [1, 1, 1, 1])].map { name, values in
        var attribute = Onnx_AttributeProto()
        attribute.name = name
        if name == "group" {
          (attribute.type, attribute.i) = (.int, values[0])
        } else {
          (attribute.type, attribute.ints) = (.ints, values)
        }
        return attribute
      }
      var message = Onnx_ModelProto()
      var set = Onnx_OperatorSetIdProto()
      set.version = 17
      (message.irVersion, message.opsetImport) = (8, [set])
      message.graph.initializer = [
        ("w", [filters, width, 3, 3], filter), ("b", [filters], bias),
      ].map { name, extents, values in
        var tensor = Onnx_TensorProto()
        (tensor.name, tensor.dims, tensor.dataType) = (name, extents.map { Int64($0) }, 1)
        tensor.floatData = values
        return tensor
      }
      var importer = try ONNXImport(ONNXFile(message, name: "grouped"), batch: 1)
      try importer.declare(input: "x", as: "x", [1, channels, side, side], isNCHW: true)
      try importer.take(node)
      guard case .activation(let result) = importer.meaning(of: "y") else {
        Issue.record("no result")
        return
      }
      importer.graph.output("y", try importer.plain(result, "y").value)

      func pixel(_ channel: Int, _ row: Int, _ column: Int) -> Double {
        (0..<side).contains(row) && (0..<side).contains(column)
          ? Double(image[(channel * side + row) * side + column]) : 0
      }
      for device: any Device in [ReferenceDevice(), try CPUDevice(threads: 2)] {
        let found = try run(importer, on: device, image, side: side, channels: channels)
        for filterIndex in 0..<filters {
          let first = filterIndex / (filters / groups) * width
          for place in 0..<side * side {
            var sum = Double(bias[filterIndex])
            for (index, weight) in filter[filterIndex * width * 9..<(filterIndex + 1) * width * 9]
              .enumerated()
            {
              sum +=
                Double(weight)
                * pixel(
                  first + index / 9, place / side + index % 9 / 3 - 1,
                  place % side + index % 3 - 1)
            }
            #expect(abs(Double(found[filterIndex * side * side + place]) - sum) < 1e-5)
          }
        }
      }
    }

    private func run(
      _ importer: ONNXImport, on device: some Device, _ image: [Float], side: Int, channels: Int
    ) throws -> [Float] {
      let session = Session(device: device, store: Store(for: device))
      let plan = try session.load(importer.graph, inputs: ["x": [1, side, side, channels]])
      for (name, tensor) in importer.constants { session.store.write(tensor.reals, to: name) }
      plan.write(
        (0..<image.count).map { image[$0 % channels * side * side + $0 / channels] }, to: "x")
      plan.run()
      return plan.read("y").scalars
    }
  }

  /// One node in a file of its own.
  struct NodeCase: Sendable, CustomTestStringConvertible {
    let name: String
    let model: [UInt8]
    /// `nil` where the case is refused.
    let output: Tensor<Float>?

    var testDescription: String { name }

    static let file: Safetensors = {
      let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/ONNX")
      do {
        return try Safetensors(at: fixtures.appending(path: "node-cases.safetensors").path())
      } catch { preconditionFailure("\(error)") }
    }()

    static let all: [NodeCase] = file.names.compactMap { name in
      guard name.hasPrefix("test_"), name.hasSuffix("/model") else { return nil }
      let test = String(name.dropLast("/model".count))
      return NodeCase(
        name: test, model: file[name].map { file.file[$0.range] } ?? [],
        output: try? file.floats(test + "/output0"))
    }.sorted { $0.name < $1.name }

    /// The cases that are refused, and why.
    static let refused: [String: String] = {
      var reasons = [
        "test_clip_default_int8_inbounds_expanded": "elements of type int8",
        "test_identity_opt": "is no tensor", "test_identity_sequence": "is no tensor",
        "test_maxpool_2d_uint8": "elements of type uint8",
        "test_maxpool_with_argmax_2d_precomputed_pads": "more than one result",
        "test_maxpool_with_argmax_2d_precomputed_strides": "more than one result",
        "test_batchnorm_epsilon_training_mode": "more than one result",
        "test_batchnorm_example_training_mode": "more than one result",
      ]
      for type in ["int8", "int16", "uint8", "uint16", "uint32", "uint64"] {
        reasons["test_add_" + type] = "elements of type \(type)"
      }
      for mode in ["edge", "reflect", "wrap"] {
        reasons["test_\(mode)_pad"] = "elements of type int32"
      }
      for pooling in ["averagepool", "maxpool"] {
        reasons["test_\(pooling)_1d_default"] = "1 axes of pixels"
        reasons["test_\(pooling)_3d_default"] = "3 axes of pixels"
      }
      for name in ["", "_use_ref_impl", "_use_ref_impl_large"] {
        reasons["test_maxpool_3d_dilations" + name] = "3 axes of pixels"
      }
      reasons["test_averagepool_3d_dilations_small"] = "3 axes of pixels"
      for (padding, mode) in [(0, "True"), (0, "False"), (1, "True"), (1, "False")] {
        reasons[
          "test_averagepool_3d_dilations_large_count_include_pad_is_\(padding)_ceil_mode_is_\(mode)"
        ] = "3 axes of pixels"
      }
      return reasons
    }()

    /// The case as a graph, its integers and its lone numbers as constants of the file.
    func imported() throws -> (ONNXImport, inputs: [(name: String, tensor: Tensor<Float>)]) {
      var message = try Onnx_ModelProto(serializedBytes: model)
      var inputs: [(name: String, tensor: Tensor<Float>)] = []
      for (index, input) in message.graph.input.enumerated() {
        let isShape = input.type.tensorType.elemType == 7
        if !isShape { try ONNXImport.checkReal(input) }
        guard let record = Self.file["\(name)/input\(index)"] else { continue }
        let isNumber = record.shape.rank == 0 && message.graph.node[0].opType == "Pad"
        if !isShape, !isNumber {
          inputs.append((input.name, try Self.file.floats(record.name)))
        } else {
          var constant = Onnx_TensorProto()
          constant.name = input.name
          constant.dims = record.shape.extents.map { Int64($0) }
          constant.dataType = input.type.tensorType.elemType
          constant.rawData = Data(Self.file.file[record.range])
          message.graph.initializer.append(constant)
        }
      }
      var importer = try ONNXImport(ONNXFile(message, name: name), batch: 1)
      for input in message.graph.input {
        guard !message.graph.initializer.contains(where: { $0.name == input.name }) else {
          continue
        }
        let extents = input.type.tensorType.shape.dim.map { Int($0.dimValue) }
        try importer.declare(
          input: input.name, as: input.name, Shape(extents), isNCHW: extents.count == 4)
      }
      for node in message.graph.node { try importer.take(node) }
      return (importer, inputs)
    }

    /// What a device makes of the case.
    func result(on device: some Device) throws -> Tensor<Float> {
      var (importer, inputs) = try imported()
      let output = try Onnx_ModelProto(serializedBytes: model).graph.output[0].name
      switch importer.meaning(of: output) {
      case .constant(let tensor): return Tensor(tensor.shape, tensor.reals)
      case .activation(let activation):
        importer.graph.output("result", try importer.plain(activation, "result").value)
        let session = Session(device: device, store: Store(for: device))
        let ordered = inputs.map { ($0.name, channelsLast($0.tensor)) }
        let plan = try session.load(
          importer.graph, inputs: Dictionary(uniqueKeysWithValues: ordered.map { ($0, $1.shape) }))
        for (name, tensor) in importer.constants {
          session.store.write(tensor.reals, to: name)
        }
        for (name, tensor) in ordered { plan.write(tensor.scalars, to: name) }
        plan.run()
        return plan.read("result")
      default: throw ONNXProblem.outputs([])
      }
    }

    private func channelsLast(_ tensor: Tensor<Float>) -> Tensor<Float> {
      guard tensor.shape.rank == 4 else { return tensor }
      let (n, c, pixels) = (tensor.shape[0], tensor.shape[1], tensor.shape[2] * tensor.shape[3])
      let count = tensor.shape.count
      return Tensor(
        [n, tensor.shape[2], tensor.shape[3], c],
        (0..<count).map { index in
          let (image, rest) = (index / (c * pixels), index % (c * pixels))
          return tensor.scalars[(image * c + rest % c) * pixels + rest / c]
        })
    }
  }
#endif
