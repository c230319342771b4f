#if ONNX
  import ResidualImages
  import ResidualNetworks
  import ResidualONNXSchema

  /// A graph in the form of ONNX, node by node.
  ///
  /// Images are `[N, H, W, C]` in a ``Graph`` and `[N, C, H, W]` in ONNX. So a value of rank 4 is
  /// written with its channels first, and axes of attributes are changed accordingly, except where
  /// the order of its numbers counts, as for a reshape or products of matrices: these take and give
  /// the graph's order. If a reader needs the other order, one transposition makes it for all.
  package struct ONNXExport {
    /// The order of a value's axes in the file.
    enum Layout { case graph, channelsFirst }

    let graph: Graph
    let opset: Int
    let tensors: [String: Tensor<Float>]
    let maximumByteCount: Int
    /// Shapes for two batches: extents that differ depend on the batch.
    let shapes: [[Shape]], otherShapes: [[Shape]]
    let uses: [[(node: Int, operand: Int)]]
    let fusions: [Int: ONNXFusion]

    /// What has been written.
    package internal(set) var message = Onnx_GraphProto()
    /// What the values that have been written are called in the file.
    var names: [Value: [Layout: String]] = [:]
    /// Values whose numbers are those of an earlier one.
    private var origins: [Value: Value] = [:]
    /// All names of the file, and those of slots that may come.
    var taken: Set<String>
    /// The last number that was added to a name.
    var wishes: [String: Int] = [:]
    /// Slots that have been written under their own name.
    var writtenSlots: Set<String> = []
    /// The bytes of all numbers.
    var byteCount = 0

    /// Two batches that cannot be mistaken for another extent.
    private static let batches = (2, 3)
    /// The largest protocol buffer.
    package static let maximumByteCount = Int(Int32.max)

    /// Begins an export.
    ///
    /// - Parameters:
    ///   - inputs: shapes whose axis 0 is the batch, whatever its extent.
    ///   - tensors: the value of each slot.
    /// - Throws: ``ShapeError``.
    package init(
      _ graph: Graph, inputs: [String: Shape], tensors: [String: Tensor<Float>], opset: Int,
      foldsNormalization: Bool = false, maximumByteCount: Int = Self.maximumByteCount
    ) throws(ShapeError) {
      precondition(ONNXOptions.opsets.contains(opset), "opset \(opset)")
      let graph = graph.pruned()
      func inferred(_ batch: Int) throws(ShapeError) -> [[Shape]] {
        try graph.shapes(inputs: inputs.mapValues { $0.replacing(axis: 0, with: batch) })
      }
      (self.graph, self.opset, self.tensors) = (graph, opset, tensors)
      self.maximumByteCount = maximumByteCount
      (shapes, otherShapes) = (try inferred(Self.batches.0), try inferred(Self.batches.1))
      uses = graph.uses()
      fusions = ONNXFusion.all(in: graph, uses, shapes, foldsNormalization: foldsNormalization)
      taken = Set(graph.slots.map(\.name))
    }

    /// Writes all nodes, and declares inputs and outputs.
    ///
    /// - Parameters:
    ///   - names: what the graph's inputs and outputs are called in the file; else as in the graph.
    ///   - normalization: what the first nodes do to inputs, if anything.
    /// - Throws: ``ONNXExportError``.
    package mutating func run(
      names: [String: String] = [:], normalization: Normalization? = nil
    ) throws(ONNXExportError) {
      let results = graph.outputs.map { (name: names[$0.name] ?? $0.name, value: $0.value) }
      taken.formUnion(results.map(\.name))
      let absorbed = Set(fusions.values.flatMap(\.absorbed))
      for (index, node) in graph.nodes.enumerated() where !absorbed.contains(index) {
        switch node.operation {
        case .input(let input):
          let value = Value(node: index)
          let name = unique(names[input.name] ?? input.name)
          message.input.append(declaration(name, value))
          let prepared =
            if let normalization { try prepare(name, value, normalization) } else { name }
          set(value, prepared, outer(value))
        case .state, .constant: break  // Written where they are first read.
        default: try append(index)
        }
      }
      for (name, value) in results {
        let written = try self.name(value, outer(value))
        if !rename(written, to: name) { write("Identity", [written], name) }
        message.output.append(declaration(name, value))
      }
    }

    // MARK: Values

    func operation(_ value: Value) -> Operation { graph.nodes[value.node].operation }
    func shape(_ value: Value) -> Shape { shapes[value.node][value.result] }
    func otherShape(_ value: Value) -> Shape { otherShapes[value.node][value.result] }
    /// Whether an extent is the same in every batch.
    func isFixed(_ axis: Int, of value: Value) -> Bool {
      shape(value)[axis] == otherShape(value)[axis]
    }

    /// The layout in which inputs and outputs of the file have their axes.
    private func outer(_ value: Value) -> Layout {
      shape(value).rank == 4 ? .channelsFirst : .graph
    }
    /// The layout in which values can be read with the fewest transpositions.
    func layout(_ values: [Value]) -> Layout {
      values.contains { names[origin(of: $0)]?[.channelsFirst] != nil } ? .channelsFirst : .graph
    }
    /// For each axis in the file the graph's.
    func axes(_ layout: Layout, rank: Int) -> [Int] {
      layout == .channelsFirst ? [0, 3, 1, 2] : Array(0..<rank)
    }
    /// The place in the file of the graph's axis.
    func place(of axis: Int, _ layout: Layout) -> Int {
      layout == .channelsFirst ? [0, 2, 3, 1][axis] : axis
    }

    /// Says what a value is called.
    mutating func set(_ value: Value, _ name: String, _ layout: Layout = .graph) {
      names[value, default: [:]][layout] = name
    }
    /// Says that no node is needed between two values.
    mutating func alias(_ value: Value, of other: Value) { origins[value] = origin(of: other) }
    private func origin(of value: Value) -> Value { origins[value] ?? value }

    /// The name of a value in a layout; it is written in that layout first if it has not been.
    ///
    /// - Precondition: only values of rank 4 have channels first.
    mutating func name(
      _ value: Value, _ layout: Layout = .graph
    ) throws(ONNXExportError) -> String {
      let value = origin(of: value)
      if let name = names[value]?[layout] { return name }
      let node = graph.nodes[value.node]
      let name: String
      switch node.operation {
      case .state(let state):
        let tensor = tensor(state.slot)
        name = try write(
          slot: state.slot,
          layout == .graph ? tensor : tensor.transposed(axes(layout, rank: tensor.shape.rank)))
      case .constant(let constant): name = try floats([constant.value], [], path: node.path)
      default:
        let isFirst = layout == .channelsFirst
        guard let written = names[value]?[isFirst ? .graph : .channelsFirst] else {
          preconditionFailure("\(node.path) is read before it is written")
        }
        name = add(
          "Transpose", [written], path: node.path + ".transpose",
          [.integers("perm", isFirst ? [0, 3, 1, 2] : [0, 2, 3, 1])])
      }
      set(value, name, layout)
      return name
    }

    /// A slot's numbers.
    func tensor(_ slot: String) -> Tensor<Float> {
      guard let tensor = tensors[slot] else { preconditionFailure("slot \(slot) has no tensor") }
      return tensor
    }
  }
#endif
