import ResidualFormats
import ResidualNetworks

#if ONNX
  import Foundation
  import ResidualGraphs
  import ResidualONNXSchema
  import ResidualTensors

  /// A classifier as an ONNX file has it: a network given as a graph, and its numbers.
  package struct ONNXNetwork {
    /// The name of networks that no catalogue has.
    static let name = Network.unnamed
    private static let standardSide = 224

    package let network: Network
    /// From images to logits, in inference form.
    package let graph: Graph
    /// What was left out or assumed, in words.
    package let remarks: [Message]
    private let constants: [String: ONNXTensor]

    /// Parameters and running statistics by slot, if the file has its numbers.
    package var tensors: [String: Tensor<Float>] {
      var tensors: [String: Tensor<Float>] = [:]
      for slot in graph.slots {
        tensors[slot.name] = constants[slot.name].map { Tensor(slot.shape, $0.reals) }
      }
      return tensors
    }

    /// Takes a network from a file.
    ///
    /// - Parameters:
    ///   - inputSide: of the images, if the file leaves it open.
    ///   - hasData: whether the file must have its numbers, and not its graph alone.
    /// - Throws: ``ONNXError``.
    package init(_ file: ONNXFile, inputSide: Int? = nil, hasData: Bool = true) throws(ONNXError) {
      do { try self.init(of: file, inputSide, hasData: hasData) } catch {
        throw ONNXError(file.name, error)
      }
    }

    private init(of file: ONNXFile, _ inputSide: Int?, hasData: Bool) throws(ONNXProblem) {
      let images = try Images(of: file.model.graph, inputSide)
      var remarks: [Message] = []
      if images.isAssumed {
        remarks.append("assumed: images of \(images.side) pixels (\(OptionName.inputSide))")
      }
      var importer = try ONNXImport(file, batch: images.shape[0], hasData: hasData)
      try importer.declare(
        input: images.name, as: Network.imagesInput, images.shape, isNCHW: images.isNCHW)
      for node in file.model.graph.node { try importer.take(node) }
      let outputs = file.model.graph.output.map(\.name)
      guard outputs.count == 1 else { throw .outputs(outputs) }
      guard case .activation(var logits) = importer.meaning(of: outputs[0]) else {
        throw .undefinedValue(outputs[0], node: "output")
      }
      if case .softmax(let softmax) = importer.graph.nodes[logits.value.node].operation,
        logits.rank == 2 || logits.shape.extents.dropFirst(2).allSatisfy({ $0 == 1 }),
        logits.places.firstIndex(of: softmax.axis) == 1
      {
        logits = ONNXImport.Activation(
          value: importer.graph.nodes[logits.value.node].operands[0], shape: logits.shape,
          places: logits.places, carriesBatch: logits.carriesBatch)
        remarks.append("the softmax at its end is left out: results are logits here")
      }
      if logits.rank == 4, logits.shape[2] == 1, logits.shape[3] == 1 {
        logits = try importer.reshaped(logits, [.rest, .fixed(logits.shape[1])], outputs[0])
      }
      guard logits.rank == 2, logits.places == [0, 1], logits.carriesBatch,
        1...RecognizedNetwork.maximumClasses ~= logits.shape[1]
      else { throw .notLogits(output: outputs[0], shape: logits.shape) }
      var graph = importer.graph
      graph.output(Network.logitsOutput, logits.value)
      graph = graph.pruned()
      guard graph.value(ofInput: Network.imagesInput) != nil else { throw .inputs([]) }
      try Self.checkBatch(of: graph, images, classes: logits.shape[1])
      self.graph = graph
      self.remarks = remarks
      constants = importer.constants
      network = Network(
        graph, definition: try Self.definition(file.model, images), name: Self.name,
        inputSide: images.side, classes: logits.shape[1], depth: Network.depth(of: graph),
        classifier: Self.head(of: graph)?.map(\.name) ?? [])
    }

    /// The one input that is no constant.
    private struct Images {
      let name: String
      let side: Int
      /// In ONNX's order, with the batch that shapes are inferred for.
      let shape: Shape
      let isNCHW: Bool
      /// Whether the file leaves the side open, and nobody has named it.
      let isAssumed: Bool

      init(of graph: Onnx_GraphProto, _ wanted: Int?) throws(ONNXProblem) {
        let constants = Set(graph.initializer.map(\.name))
        let inputs = graph.input.filter { !constants.contains($0.name) }
        guard inputs.count == 1 else { throw .inputs(inputs.map(\.name)) }
        let (input, type) = (inputs[0], inputs[0].type.tensorType)
        name = input.name
        try ONNXImport.checkReal(input)
        let extents = type.shape.dim.map { dimension -> Int? in
          guard case .dimValue(let extent)? = dimension.value, extent > 0 else { return nil }
          return Int(extent)
        }
        func refused() -> ONNXProblem {
          .notImages(
            input: input.name,
            extents: "[" + extents.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") + "]")
        }
        guard extents.count == 4 else { throw refused() }
        isNCHW = extents[1] == 3
        guard isNCHW || extents[3] == 3 else { throw refused() }
        let (height, width) = isNCHW ? (extents[2], extents[3]) : (extents[1], extents[2])
        if let height, let width, height != width {
          throw .notSquare(height: height, width: width)
        }
        side = height ?? width ?? wanted ?? ONNXNetwork.standardSide
        isAssumed = height == nil && width == nil && wanted == nil
        if let wanted, wanted != side { throw .wrongSide(found: side, wanted: wanted) }
        // Two images if the file leaves it open: one could be mistaken for an axis of its own.
        let batch = extents[0] ?? 2
        guard Network.inputSides.contains(side), batch <= 1_000_000 else { throw refused() }
        shape = isNCHW ? [batch, 3, side, side] : [batch, side, side, 3]
      }
    }

    /// Checks that the graph takes a batch of another size.
    private static func checkBatch(of graph: Graph, _ images: Images, classes: Int)
      throws(ONNXProblem)
    {
      let batch = images.shape[0] + 1
      do throws(ShapeError) {
        let shapes = try graph.shapes(
          inputs: [Network.imagesInput: [batch, images.side, images.side, 3]])
        guard let logits = graph.output(Network.logitsOutput),
          shapes[logits.node][logits.result] == [batch, classes]
        else { throw ShapeError("its result keeps the size of the batch") }
      } catch { throw .fixedBatch(error.reason) }
    }
  }

  // MARK: The classifier

  extension ONNXNetwork {
    /// The slots of the layer that the logits come from, the filter's first, each with the axis of the
    /// classes; `nil` if they are no product of a slot.
    static func head(of graph: Graph) -> [(name: String, axis: Int)]? {
      guard var value = graph.output(Network.logitsOutput) else { return nil }
      var slots: [(name: String, axis: Int)] = []
      while true {
        let node = graph.nodes[value.node]
        switch node.operation {
        case .addBias:
          guard let bias = graph.slot(of: node.operands[1]) else { return nil }
          slots.append((bias, 0))
        case .relu, .flatten, .globalAveragePooling, .averagePooling: break
        case .matrixProduct(let product):
          guard let filter = graph.slot(of: node.operands[1]) else { return nil }
          return [(filter, product.transposesRight ? 0 : 1)] + slots
        case .convolution:
          guard let filter = graph.slot(of: node.operands[1]) else { return nil }
          return [(filter, 0)] + slots
        default: return nil
        }
        value = node.operands[0]
      }
    }

    /// The same network for another number of classes, without numbers.
    ///
    /// - Throws: ``ONNXError``.
    fileprivate static func network(_ definition: String, classes: Int?) throws(ONNXError)
      -> Network
    {
      let name = "layers from a file"
      let file = try ONNXFile(definition: definition, name: name)
      let known = try ONNXNetwork(file, hasData: false)
      guard let classes, known.network.classes != classes else { return known.network }
      var model = file.model
      guard let head = head(of: known.graph) else {
        throw ONNXError(
          name, .unsupported("no classifier to replace", operator: "Output", node: name))
      }
      var tensors = model.graph.initializer
      let places = Dictionary(
        tensors.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { $1 })
      for (slot, axis) in head {
        guard let index = places[slot],
          axis < tensors[index].dims.count, tensors[index].dims[axis] == known.network.classes
        else { throw ONNXError(name, .wrongKind(value: slot, node: "output")) }
        tensors[index].dims[axis] = Int64(classes)
        (tensors[index].rawData, tensors[index].floatData) = (Data(), [])
      }
      model.graph.initializer = tensors
      return try ONNXNetwork(ONNXFile(model, name: name), hasData: false).network
    }
  }

  // MARK: The definition

  extension ONNXNetwork {
    /// The model without its numbers, as text: what a file must keep to build the network again.
    private static func definition(_ model: Onnx_ModelProto, _ images: Images)
      throws(ONNXProblem) -> String
    {
      var model = model
      model.docString = ""
      model.metadataProps = []
      model.graph.docString = ""
      model.graph.valueInfo = []
      model.graph.metadataProps = []
      // A generated message copies an array that is changed in place, so whole arrays are put in.
      model.graph.initializer = model.graph.initializer.map { $0.withoutNumbers }
      model.graph.node = model.graph.node.map { node in
        var node = node
        node.docString = ""
        node.attribute = node.attribute.map { attribute in
          guard attribute.hasT else { return attribute }
          var attribute = attribute
          attribute.t = attribute.t.withoutNumbers
          return attribute
        }
        return node
      }
      // A side that was chosen here is part of the network.
      for index in model.graph.input.indices where model.graph.input[index].name == images.name {
        for axis in images.isNCHW ? [2, 3] : [1, 2] {
          model.graph.input[index].type.tensorType.shape.dim[axis].dimValue = Int64(images.side)
        }
      }
      guard let bytes: Data = try? model.serializedBytes() else { throw .notDecodable }
      return bytes.base64EncodedString()
    }
  }

  extension Onnx_TensorProto {
    /// Leaves the shape of a tensor of reals. A single one may be part of what is computed, as are
    /// integers.
    fileprivate var withoutNumbers: Onnx_TensorProto {
      guard dataType == Int32(DataType.float.rawValue), rawData.count > 4 || floatData.count > 1
      else { return self }
      var tensor = self
      (tensor.rawData, tensor.floatData) = (Data(), [])
      return tensor
    }
  }

  extension ONNXFile {
    /// A model from ``Network/definition``.
    ///
    /// - Throws: ``ONNXError``.
    init(definition: String, name: String) throws(ONNXError) {
      guard let bytes = Data(base64Encoded: definition) else {
        throw ONNXError(name, .notDecodable)
      }
      try self.init(FileBytes(bytes, name: name))
    }
  }
#endif

extension Network {
  /// A network from its ``Network/definition``.
  ///
  /// - Parameter classes: another number of them than the definition's; `nil` for its own.
  /// - Throws: ``ONNXError``, also if the last layer cannot have other classes.
  public init(definition: String, classes: Int?) throws(ONNXError) {
    #if ONNX
      self = try ONNXNetwork.network(definition, classes: classes)
    #else
      throw ONNXError("layers from a file", .notBuiltIn)
    #endif
  }
}
