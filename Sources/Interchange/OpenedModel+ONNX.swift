import ResidualFormats
import ResidualImages
import ResidualNetworks
import ResidualTensors

#if ONNX
  import ResidualONNXSchema
#endif

extension OpenedModel {
  /// Opens a network from an ONNX file. One whose graph is that of a network here becomes that one.
  ///
  /// - Throws: ``ONNXError``, ``WeightsError``, ``ModelFileError``.
  package init(onnx bytes: FileBytes, _ options: WeightsOptions) throws {
    #if ONNX
      let file = try ONNXFile(bytes)
      let ofLayers = options.given.filter {
        [.model, .shortcutPadding, .stridePlacement].contains($0)
      }
      guard ofLayers.isEmpty else {
        throw WeightsError.describesLayers(file: bytes.name, given: ofLayers)
      }
      let description = try ONNXDescription(of: file)
      guard description == nil || options.given.isEmpty else {
        throw WeightsError.describesItself(file: bytes.name, given: options.given)
      }
      let found = try ONNXNetwork(
        description?.file ?? file, inputSide: options.inputSide)
      var remarks = found.remarks
      let network = RecognizedNetwork.network(of: found) ?? found.network
      remarks.append(
        network.definition == nil
          ? "its graph is that of \(network.name), of \(network.classes) classes"
          : "a network of \(network.depth) layers and \(network.classes) classes that has no name "
            + "here")
      let preparation =
        try description?.preparation(of: network)
        ?? Self.preparation(options, of: network, &remarks)
      try self.init(
        network, found.tensors, preparation,
        named: description?.classNames(network.classes), options, remarks)
    #else
      _ = try ONNXFile(bytes)
      preconditionFailure("no ONNX file is read without the trait ONNX")
    #endif
  }
}

#if ONNX
  /// What a file that this program has written says of its model.
  private struct ONNXDescription {
    /// The file without the nodes that prepare images.
    let file: ONNXFile
    private let metadata: ModelMetadata
    private let mean: Onnx_TensorProto?

    /// `nil` for files of other programs.
    init?(of file: ONNXFile) throws {
      let prefix = ModelFile.onnxPrefix
      var fields: [String: String] = [:]
      for entry in file.model.metadataProps where entry.key.hasPrefix(prefix) {
        let key = String(entry.key.dropFirst(prefix.count))
        guard fields.updateValue(entry.value, forKey: key) == nil else {
          throw ONNXError(file.name, .duplicateField(entry.key))
        }
      }
      guard ModelMetadata.describes(fields) else { return nil }
      metadata = try ModelMetadata(fields, file: file.name)
      mean = file.model.graph.initializer.first { $0.name == ModelFile.meanTensor }
      var model = file.model
      let prepares = { (name: String) in name.hasPrefix("preprocessing.") }
      let preparation = model.graph.node.prefix { prepares($0.name) }
      if let input = model.graph.input.first?.name, let prepared = preparation.last?.output.first {
        model.graph.node = model.graph.node.dropFirst(preparation.count).map { node in
          guard node.input.contains(prepared) else { return node }
          var node = node
          node.input = node.input.map { $0 == prepared ? input : $0 }
          return node
        }
        model.graph.initializer.removeAll { prepares($0.name) }
      }
      self.file = try ONNXFile(model, name: file.name)
    }

    func classNames(_ count: Int) throws(ModelFileError) -> ([String], ClassNameSource) {
      guard metadata.classNames.count == count else {
        throw .badField(
          file: file.name, field: "class_names", value: "\(metadata.classNames.count) names")
      }
      return (metadata.classNames, metadata.classNameSource)
    }

    func preparation(of network: Network) throws -> Preparation {
      let side = network.inputSide
      return try metadata.preparation(of: network, file: file.name) {
        guard let mean else {
          throw ModelFileError.missingTensor(
            file: file.name, name: ModelFile.meanTensor, network: file.model.graph.name)
        }
        let tensor: ONNXTensor
        do throws(ONNXProblem) { tensor = try ONNXTensor(mean) } catch {
          throw ONNXError(file.name, error)
        }
        guard tensor.kind == .reals, tensor.shape == [3, side, side] else {
          throw ModelFileError.wrongShape(
            file: file.name, name: mean.name, found: tensor.shape, expected: [3, side, side])
        }
        let numbers = tensor.reals
        let pixels = side * side
        return (0..<3 * pixels).map { numbers[$0 % 3 * pixels + $0 / 3] }
      }
    }
  }

  extension RecognizedNetwork {
    /// The network of the catalogue that computes what a graph does; `nil` if none does.
    static func network(of found: ONNXNetwork) -> Network? {
      let shapes = Dictionary(
        uniqueKeysWithValues: found.graph.slots.map { ($0.name, $0.shape) })
      for padding in Shortcut.ZeroPadding.allCases {
        for placement in StridePlacement.allCases {
          guard
            let recognized = try? RecognizedNetwork(
              shapes, padding: padding, stridePlacement: placement)
          else { return nil }
          for name in recognized.names {
            let network = try? NetworkCatalog.network(
              named: name, variant: recognized.variant(placement, isNamed: name == recognized.name),
              inputSide: found.network.inputSide, classes: recognized.classes)
            if let network, isSame(found.graph, network, shapes) { return network }
          }
        }
      }
      return nil
    }

    /// Whether a graph with slots of these shapes computes what a network does on images of its size.
    private static func isSame(_ graph: Graph, _ network: Network, _ shapes: [String: Shape])
      -> Bool
    {
      // Few operations know how wide they are.
      let fits = network.slots.allSatisfy { (shapes[$0.name] ?? $0.shape) == $0.shape }
      guard fits else { return false }
      let inputs = [Network.imagesInput: network.imagesShape(batch: 1)]
      guard let graph = try? graph.fixed(inputs: inputs),
        let other = try? network.graph(.inference).fixed(inputs: inputs)
      else { return false }
      return graph.computes(Network.logitsOutput, as: other)
    }

    /// The networks that have such tensors: the one that was recognised, and its plain twin.
    private var names: [String] {
      guard variant.shortcut == .a else { return [name] }
      return [name, name.replacing("resnet", with: "plain")]
    }

    private func variant(_ placement: StridePlacement, isNamed: Bool) -> NetworkVariant {
      var variant = variant
      variant.stridePlacement = placement
      if !isNamed { (variant.shortcut, variant.shortcutPadding) = (nil, nil) }
      return variant
    }
  }
#endif
