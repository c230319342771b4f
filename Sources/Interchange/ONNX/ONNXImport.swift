#if ONNX
  import ResidualFormats
  import ResidualGraphs
  import ResidualONNXSchema

  /// An ONNX graph as a Graph: the same mathematics in the closed set of operations, in inference form.
  ///
  /// ONNX's images are NCHW, ours NHWC. So each value is kept with the place of its axes: a transposition
  /// in the file only changes that note, and one is appended if an operation needs another order.
  /// What depends on shapes alone, such as the target of a reshape, is computed here; the extent of the
  /// batch stays open.
  package struct ONNXImport {
    /// A value of the graph as ONNX sees it.
    package struct Activation {
      package let value: Value
      /// The extents in ONNX's order of axes.
      package let shape: Shape
      /// For each of ONNX's axes the value's own.
      let places: [Int]
      /// Whether the first of ONNX's axes is that of the batch, and of the value too.
      let carriesBatch: Bool

      var rank: Int { shape.rank }
      /// The extents in the value's own order.
      var stored: Shape {
        var extents = shape.extents
        for (axis, place) in places.enumerated() { extents[place] = shape[axis] }
        return Shape(extents)
      }
    }

    /// An extent that the file computes with.
    package enum Extent: Equatable {
      case known(Int)
      case batch
    }

    /// What a name of the file stands for.
    package enum Meaning {
      case activation(Activation)
      /// A tensor of reals that is not yet part of the graph.
      case constant(ONNXTensor)
      /// Integers: a scalar, or a row of them.
      case extents([Extent], isScalar: Bool)
    }

    /// A node of the file.
    struct Node {
      let message: Onnx_NodeProto
      /// Its name in messages, and its path in the graph.
      let name: String
      var operands: [String] { message.input }
      var kind: String { message.opType }
      /// Whether the file gives the operand.
      func has(_ index: Int) -> Bool {
        index < message.input.count && !message.input[index].isEmpty
      }
    }

    /// The graph so far.
    package var graph = Graph()
    /// The numbers of the graph's slots.
    package internal(set) var constants: [String: ONNXTensor] = [:]
    /// The version of the operators.
    let operatorSet: Int64
    /// The extent of the batch while shapes are inferred.
    let batch: Int
    /// Whether tensors must have their numbers.
    let hasData: Bool
    private(set) var meanings: [String: Meaning] = [:]
    /// Numbers that nodes have made without tensors of their own in the file.
    private var generatedCount = 0
    private var work = 0
    private var groupCount = 0
    /// What is read twice is one slot.
    var slots: [String: Activation] = [:]

    /// Begins with a file's constants.
    ///
    /// - Parameters:
    ///   - batch: of the inputs that will follow.
    ///   - hasData: whether the file's tensors have their numbers; else those of more than one real
    ///     may have only their shapes.
    /// - Throws: ``ONNXProblem``.
    package init(_ file: ONNXFile, batch: Int, hasData: Bool = true) throws(ONNXProblem) {
      (operatorSet, self.batch, self.hasData) = (file.operatorSet, batch, hasData)
      if let sparse = file.model.graph.sparseInitializer.first {
        throw .sparseTensor(sparse.values.name)
      }
      for message in file.model.graph.initializer {
        let tensor = try ONNXTensor(message, hasData: hasData)
        guard meanings[message.name] == nil else { throw .duplicateTensor(message.name) }
        meanings[message.name] = meaning(of: tensor)
      }
    }

    /// What a tensor of the file is.
    func meaning(of tensor: ONNXTensor) -> Meaning {
      // Nothing is computed with other integers; they are refused where they are read.
      tensor.kind == .integers && tensor.shape.rank <= 1
        && tensor.shape.count <= Self.maximumExtents
        ? .extents(
          tensor.integers.map { .known(Int($0)) }, isScalar: tensor.shape.rank == 0)
        : .constant(tensor)
    }

    /// Checks that an input is a tensor of reals.
    package static func checkReal(_ input: Onnx_ValueInfoProto) throws(ONNXProblem) {
      guard case .tensorType(let tensor)? = input.type.value else { throw .noTensor(input.name) }
      let type = Onnx_TensorProto.DataType(rawValue: Int(tensor.elemType))
      guard type == .float else {
        throw .unsupportedType(
          tensor: input.name, type: type.map { "\($0)" } ?? "\(tensor.elemType)")
      }
    }

    /// Declares an input of the file.
    ///
    /// - Parameters:
    ///   - input: its name in the graph.
    ///   - shape: in ONNX's order of axes.
    ///   - isNCHW: whether the graph's input has the order NHWC instead.
    /// - Throws: ``ONNXProblem``.
    package mutating func declare(
      input name: String, as input: String, _ shape: Shape, isNCHW: Bool
    ) throws(ONNXProblem) {
      let activation = Activation(
        value: graph.input(input), shape: shape,
        places: isNCHW ? Self.channelsLast(shape.rank) : Array(0..<shape.rank),
        carriesBatch: shape.rank > 0)
      try define(name, .activation(activation), by: name)
    }

    /// Takes in a node.
    ///
    /// - Throws: ``ONNXProblem``.
    package mutating func take(_ message: Onnx_NodeProto) throws(ONNXProblem) {
      let name = message.name.isEmpty ? message.output.first ?? message.opType : message.name
      let node = Node(message: message, name: "\(Printable(name))")
      guard ONNXFile.isStandard(message.domain) else {
        throw .unknownDomain(message.domain, node: name)
      }
      guard message.input.count <= Self.maximumOperands else {
        throw .wrongOperands(count: message.input.count, operator: node.kind, node: name)
      }
      guard let result = message.output.first, !result.isEmpty else {
        throw .unsupported("no result", operator: node.kind, node: name)
      }
      // Dropout's mask means nothing in inference; a node that reads it reads a name that nothing
      // makes.
      let isDropout = node.kind == "Dropout"
      guard isDropout || message.output.dropFirst().allSatisfy({ $0.isEmpty }) else {
        throw .unsupported("more than one result", operator: node.kind, node: name)
      }
      try define(result, meaning(of: node), by: name)
    }

    private mutating func define(_ name: String, _ meaning: Meaning, by node: String)
      throws(ONNXProblem)
    {
      guard meanings.updateValue(meaning, forKey: name) == nil else {
        throw .duplicateValue(name, node: node)
      }
    }

    // MARK: Results

    /// Appends an operation to values whose own axes it speaks of.
    ///
    /// - Returns: a value without a change of axes.
    /// - Throws: ``ONNXProblem/shapes(_:node:)``.
    mutating func append(
      _ operation: Operation, _ operands: [Activation], _ path: String,
      carriesBatch: Bool? = nil
    ) throws(ONNXProblem) -> Activation {
      let stored = operands.map(\.stored)
      let shapes: [Shape]
      do { shapes = try operation.resultShapes(of: stored) } catch {
        throw .shapes(error.reason, node: path)
      }
      let shape = shapes[0]
      guard shape.rank <= ONNXTensor.maximumRank else {
        throw .shapes("its result has \(shape.rank) axes", node: path)
      }
      let work = operation.multiplyAdds(operands: stored, results: shapes)
      guard work <= Self.maximumWork - self.work else {
        throw .shapes("no machine computes so much", node: path)
      }
      self.work += work
      guard graph.nodes.count < Self.maximumNodes else {
        throw .tooManyParts(limit: Self.maximumNodes)
      }
      return Activation(
        value: graph.append(operation, operands.map(\.value), path: path), shape: shape,
        places: Array(0..<shape.rank),
        carriesBatch: carriesBatch ?? operands.contains { $0.carriesBatch })
    }

    /// Multiply-adds of the whole graph: days on the fastest machine.
    private static let maximumWork = 1 << 60
    /// Far above what the largest file here becomes.
    private static let maximumNodes = 1 << 17
    /// Operands of a node; a dense block of 201 layers joins 48.
    static let maximumOperands = 1024
    /// Integers in a row that are computed with: those of a shape, or of places in one.
    static let maximumExtents = 64

    /// A value whose own order of axes is the one that is given for ONNX's.
    mutating func arranged(_ activation: Activation, _ places: [Int], _ path: String)
      throws(ONNXProblem) -> Activation
    {
      guard activation.places != places else { return activation }
      // The result's axis places[i] is the value's axis activation.places[i].
      var permutation = places
      for (axis, place) in places.enumerated() { permutation[place] = activation.places[axis] }
      let moved = try append(.transpose(.init(permutation)), [activation], path + ".axes")
      return Activation(
        value: moved.value, shape: activation.shape, places: places,
        carriesBatch: activation.carriesBatch)
    }

    /// A value in ONNX's own order of axes.
    package mutating func plain(_ activation: Activation, _ path: String) throws(ONNXProblem)
      -> Activation
    {
      try arranged(activation, Array(0..<activation.rank), path)
    }

    /// A value of rank 4 as images: NHWC.
    mutating func images(_ activation: Activation, _ node: Node) throws(ONNXProblem)
      -> Activation
    {
      guard activation.rank == 4 else {
        throw .unsupported(
          "\(max(0, activation.rank - 2)) axes of pixels", operator: node.kind, node: node.name)
      }
      return try arranged(activation, Self.channelsLast(4), node.name)
    }

    /// A result whose own axes are ONNX's, in the order of the places that are given.
    func viewed(_ activation: Activation, _ places: [Int]) -> Activation {
      let extents = places.map { activation.shape[$0] }
      return Activation(
        value: activation.value, shape: Shape(extents), places: places,
        carriesBatch: activation.carriesBatch && places.first == 0)
    }

    /// Appends an operation on a value's own axes, which are the result's too.
    mutating func applied(_ operation: Operation, to x: Activation, _ path: String)
      throws(ONNXProblem) -> Activation
    {
      viewed(try append(operation, [x], path), x.places)
    }

    /// Where ONNX's axes [N, C, …] lie in [N, …, C].
    static func channelsLast(_ rank: Int) -> [Int] {
      rank < 3 ? Array(0..<rank) : [0, rank - 1] + Array(1..<rank - 1)
    }

    /// Counts numbers that a node makes without a tensor in the file.
    mutating func count(generated shape: Shape, by node: Node) throws(ONNXProblem) {
      let (sum, overflow) = generatedCount.addingReportingOverflow(
        Shape.checkedCount(shape.extents) ?? .max)
      guard !overflow, sum <= Self.maximumGeneratedCount else {
        throw .tooLargeConstant(node: node.name, limit: Self.maximumGeneratedCount)
      }
      generatedCount = sum
    }

    /// Counts the convolutions that groups of channels become. Many groups, as in depthwise
    /// convolutions, would take a step each.
    mutating func count(groups: Int, by node: Node) throws(ONNXProblem) {
      guard groups <= Self.maximumGroups, groupCount + groups <= Self.maximumGroupCount else {
        throw node.unsupported("\(groups) groups of channels")
      }
      groupCount += groups
    }

    /// ResNeXt has 32 or 64, in up to 50 convolutions.
    private static let maximumGroups = 64, maximumGroupCount = 4096

    /// More than any network of the paper has parameters: all of them may come from nodes, as in the
    /// examples of the `onnx` package.
    private static let maximumGeneratedCount = 1 << 28
  }
#endif
