import ResidualExecution

/// Turns a graph into a plan for a GPU: regions into launches and calls, values into buffers.
///
/// Activations, and what else has four axes, are stored as the precision says; everything else in
/// float32. A value is converted where an operation takes it in another type.
struct CUDALowering: PlanLowering {
  let graph: Graph
  let shapes: [[Shape]]
  let precision: Precision
  let keepsDerived: Bool
  let uses: GraphUses
  let regions: CUDARegions
  var builder = PlanBuilder<CUDAStep>()
  var border: PlanBorder
  /// Asks for the way to compute a convolution; the same one each time.
  let convolutionAlgorithm: (ConvolutionProblem) -> CUDAConvolution

  /// A value in memory.
  struct Stored: Hashable {
    let buffer: BufferID
    let type: ElementType
  }
  /// A value as something else than it was computed: in another type, or with zeros behind the
  /// channels of each pixel.
  private struct Form: Hashable {
    let value: Value
    let type: ElementType
    let channels: Int?
  }
  private var stored: [Value: Stored] = [:]
  private var converted: [Form: BufferID] = [:]
  /// Filters as convolutions read them.
  var packedFilters: [PackedFilter: BufferID] = [:]
  /// Filter gradients that lie with the channels innermost, and how many channels are stored.
  var packedGradients: [Value: Int] = [:]
  /// See ``PixelLayout/mergesAtOnce(_:)``.
  var blockCounters: BufferID?
  /// Channels that are stored for a pixel of up to four.
  let storedColours: Int
  /// Whether the backward pass computes activations again.
  let repeatsNodes: Bool
  /// What steps aside read and write: it stays where it is until they are waited for.
  private var asideBuffers: Set<BufferID> = []
  private var asideByteCount = 0
  /// Steps aside are waited for when they keep so many bytes.
  private static let mostAside = 256 << 20

  /// - Throws: ``ShapeError``.
  init(
    _ graph: Graph, inputs: [String: Shape], precision: Precision, keepsDerived: Bool,
    convolutionAlgorithm: @escaping (ConvolutionProblem) -> CUDAConvolution
  ) throws(ShapeError) {
    self.graph = graph
    self.precision = precision
    self.keepsDerived = keepsDerived
    self.convolutionAlgorithm = convolutionAlgorithm
    shapes = try graph.shapes(inputs: inputs)
    for (node, shapes) in zip(graph.nodes, shapes) {
      // Kernels count in 32 bits.
      guard shapes.allSatisfy({ $0.count <= Int(Int32.max) }) else {
        throw ShapeError(
          "\(node.path): a GPU takes at most \(Int32.max) numbers a tensor; use a smaller batch")
      }
    }
    uses = GraphUses(graph)
    repeatsNodes = graph.nodes.contains { $0.pass == .repeated }
    storedColours = Self.storedColours(graph, shapes, precision)
    regions = CUDARegions(graph, uses)
    border = try PlanBorder(graph, shapes, inPlace: graph.inPlaceUpdates(place: regions.place))
  }

  mutating func plan() -> Plan<CUDAStep> {
    declareBorder()
    packGivenFilters()
    for index in graph.nodes.indices where !regions.isAbsorbed(index) { lower(index) }
    joinAside()
    finishBorder()
    return builder.finish()
  }

  // MARK: Values

  private func borderType(_ value: Value) -> ElementType {
    let type = graph.nodes[value.node].operation.elementType
    return type.isFloatingPoint ? realType : type
  }

  mutating func note(_ value: Value, in buffer: BufferID) { note(value, buffer, borderType(value)) }

  mutating func operand(_ value: Value) -> BufferID { operand(value, as: borderType(value)) }

  mutating func appendCopy(of value: Value, from source: BufferID, to target: BufferID) {
    let node = graph.nodes[value.node]
    let byteCount = byteCount(shape(value), node.operation.elementType)
    append(
      .copy(from: source, to: target, byteCount: byteCount), node, touching: [source, target])
  }

  /// What a value is stored as when it is computed.
  func storageType(_ value: Value) -> ElementType {
    let node = graph.nodes[value.node]
    switch node.operation {
    case .input, .state: return node.operation.elementType
    // Parameters keep their precision whatever their axes.
    case .momentumUpdate, .movingAverage, .select: return .float32
    default: return shape(value).rank == 4 ? precision.activation : .float32
    }
  }

  /// The buffer of a value that has been computed, as it is stored.
  func storage(_ value: Value) -> Stored {
    guard let known = stored[value] else {
      preconditionFailure("\(graph.nodes[value.node].path) is read before it is computed")
    }
    return known
  }

  /// A value in a given type, with some channels of zeros where they are asked for.
  mutating func operand(_ value: Value, as type: ElementType, channels: Int? = nil) -> BufferID {
    let source = storage(value)
    let shape = shape(value)
    let own = shape.rank > 0 ? shape.channels : 1
    let padded = channels ?? own
    if let known = packedGradients[value] {
      return unpacked(value, channels: known, as: type)
    }
    guard source.type != type || padded != own else { return source.buffer }
    let form = Form(value: value, type: type, channels: padded == own ? nil : padded)
    if let known = converted[form] { return known }
    let pixels = shape.count / max(1, own)
    let node = graph.nodes[value.node]
    let result = temporary("\(node.path).\(type.rawValue)", [pixels, padded], type)
    convert(
      source, to: Stored(buffer: result, type: type), pixels: pixels, channels: own, into: padded,
      node)
    converted[form] = result
    return result
  }

  /// Appends a conversion of type, or of the channels stored for a pixel.
  mutating func convert(
    _ source: Stored, to target: Stored, pixels: Int, channels: Int, into padded: Int,
    _ node: Node
  ) {
    let kernel: String
    let module: ElementType
    switch (source.type, target.type) {
    case (let from, let to) where from == to: (kernel, module) = ("convertPixels", from)
    case (.float32, let to): (kernel, module) = ("convertFromFloat", to)
    default: (kernel, module) = ("convertToFloat", source.type)
    }
    launch(
      kernel, module, .elements(pixels * padded),
      [
        .buffer(source.buffer), .buffer(target.buffer), .wide(pixels), .int(channels), .int(padded),
      ],
      node, touching: [source.buffer, target.buffer])
  }

  /// The buffer that a value is to be computed into, in its storage type.
  mutating func result(_ value: Value) -> BufferID {
    let type = storageType(value)
    let buffer =
      (type == .float32 ? bufferAtBorder(value) : nil)
      ?? temporary(graph.nodes[value.node].path, shape(value), type)
    stored[value] = Stored(buffer: buffer, type: type)
    return buffer
  }

  /// Says that a value lies in a buffer with zeros behind the channels of each pixel, and so only.
  mutating func note(_ value: Value, padded buffer: BufferID, channels: Int) {
    let type = precision.activation
    note(value, buffer, type)
    converted[Form(value: value, type: type, channels: channels)] = buffer
  }

  /// Says that a value lies in a buffer that was made otherwise.
  mutating func note(_ value: Value, _ buffer: BufferID, _ type: ElementType) {
    stored[value] = Stored(buffer: buffer, type: type)
  }

  mutating func temporary(_ path: String, _ shape: Shape, _ type: ElementType) -> BufferID {
    builder.temporary(path, shape, type, byteCount: shape.count * type.size)
  }

  // MARK: Steps

  /// - Parameter aside: whether what follows need not wait for the step, until ``joinAside()``.
  mutating func append(
    _ work: CUDAStep.Work, _ node: Node, touching buffers: [BufferID?],
    scratchByteCount: Int = 0, aside: Bool = false
  ) {
    let touched = buffers.compactMap { $0 }
    builder.append(
      CUDAStep(of: node, work, isAside: aside), touching: touched,
      scratchByteCount: scratchByteCount)
    if aside { asideBuffers.formUnion(touched) }
  }

  mutating func launch(
    _ kernel: String, _ type: ElementType, _ grid: Grid, _ arguments: [Argument], _ node: Node,
    touching buffers: [BufferID?]
  ) {
    append(
      .launch(Launch(kernel: kernel, type: type, grid: grid, arguments: arguments)), node,
      touching: buffers)
  }

  /// Waits for the steps aside, before the first that reads what they have written.
  mutating func joinAside() {
    guard !asideBuffers.isEmpty else { return }
    builder.append(
      CUDAStep("join", .join), touching: asideBuffers.sorted { $0.index < $1.index })
    (asideBuffers, asideByteCount) = ([], 0)
  }

  /// Adds up what steps aside keep in memory.
  mutating func noteAside(_ byteCounts: (input: Int, filter: Int, output: Int)) {
    asideByteCount += byteCounts.input + byteCounts.filter + byteCounts.output
    if asideByteCount > Self.mostAside { joinAside() }
  }
}
