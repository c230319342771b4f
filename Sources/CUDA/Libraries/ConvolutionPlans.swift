import ResidualExecution

/// A convolution in one of its three directions, with all extents: what an algorithm is chosen for.
struct ConvolutionProblem: Hashable, Sendable {
  enum Direction: String, Sendable { case forward, inputGradient, filterGradient }

  let direction: Direction
  /// `[N, H, W, C]`, `[K, C, R, S]` and `[N, P, Q, K]`; stored with the channels innermost.
  let input: Shape, filter: Shape, output: Shape
  let convolution: Operation.Convolution
  /// What all three are stored as.
  let type: ElementType
  let usesTensorCores: Bool

  /// The key under which a choice is recorded.
  var name: String {
    let padding = convolution.padding
    return "\(direction.rawValue) \(type.rawValue)\(usesTensorCores ? "" : " exact") "
      + "\(input.extents.map(String.init).joined(separator: "x")) "
      + "\(filter.extents.map(String.init).joined(separator: "x")) "
      + "stride \(convolution.strideHeight)x\(convolution.strideWidth) "
      + "padding \(padding.top),\(padding.left),\(padding.bottom),\(padding.right)"
  }

  /// Bytes of input, filter and output.
  var byteCounts: (input: Int, filter: Int, output: Int) {
    (input.count * type.size, filter.count * type.size, output.count * type.size)
  }
}

/// A convolution made ready by cuDNN.
final class ConvolutionPlan: @unchecked Sendable {
  let problem: ConvolutionProblem
  /// Which of cuDNN's proposals it is.
  let rank: Int
  /// Bytes of scratch memory that it needs.
  let workspaceByteCount: Int
  /// What the plan was made by: it must not be gone before the plan is.
  private let context: CUDAContext
  private var plan: Descriptor?

  fileprivate init(
    _ problem: ConvolutionProblem, rank: Int, plan: Descriptor, context: CUDAContext
  ) throws(CUDNNError) {
    self.problem = problem
    self.rank = rank
    self.plan = plan
    self.context = context
    workspaceByteCount = try plan.integer(.planWorkspace)
  }

  deinit { context.inTurn { plan = nil } }

  /// Enqueues the convolution.
  ///
  /// - Parameters: addresses of the three tensors, one of which is written, and of scratch memory.
  func run(
    input: DeviceAddress, filter: DeviceAddress, output: DeviceAddress, workspace: DeviceAddress
  ) throws(CUDNNError) {
    let library = context.cudnn
    let pack = try Descriptor(.variantPack, of: library)
    try pack.set(.packIdentifiers, ConvolutionPlans.identifiers)
    try pack.set(
      .packPointers, .pointer, [input, filter, output].map { Handle(bitPattern: UInt($0)) })
    try pack.set(.packWorkspace, .pointer, [Handle(bitPattern: UInt(workspace))])
    try pack.finalized()
    let status = library.execute(context.cudnnHandle, plan?.handle, pack.handle)
    guard status == 0 else {
      throw CUDNNError(status: status, message: library.text(status))
    }
  }
}

/// Asks cuDNN for ways to compute a convolution.
struct ConvolutionPlans {
  let context: CUDAContext
  private var library: CUDNN { context.cudnn }
  private var handle: Handle? { context.cudnnHandle }
  /// The tensors' numbers in cuDNN's graphs: input, filter, output.
  static let identifiers = [1, 2, 3]

  /// Ways to compute a convolution that give the same bits each time, the one that cuDNN thinks
  /// fastest first.
  ///
  /// - Parameter ranks: which of cuDNN's proposals to make ready; all where it is `nil`.
  /// - Throws: ``CUDNNError`` if it has none.
  func plans(for problem: ConvolutionProblem, ranks: Set<Int>? = nil, limit: Int)
    throws(CUDNNError) -> [ConvolutionPlan]
  {
    let graph = try graph(problem)
    var plans: [ConvolutionPlan] = []
    var rank = 0
    // Proposals of the decision tree, then those that are thought slower, among which some are not.
    for mode in [3, 2] as [Int32] {
      for configuration in (try? configurations(graph, mode: mode)) ?? [] {
        defer { rank += 1 }
        guard plans.count < limit, ranks?.contains(rank) ?? true,
          isAllowed(configuration, problem)
        else { continue }
        if let plan = try? executionPlan(configuration),
          let ready = try? ConvolutionPlan(problem, rank: rank, plan: plan, context: context)
        {
          plans.append(ready)
        }
      }
    }
    guard !plans.isEmpty else {
      throw CUDNNError(status: 3000, message: "cuDNN has no way to compute \(problem.name)")
    }
    return plans
  }

  private func executionPlan(_ configuration: Descriptor) throws(CUDNNError) -> Descriptor {
    let plan = try Descriptor(.executionPlan, of: library)
    try plan.set(.planHandle, .handle, [handle])
    try plan.set(.planConfiguration, [configuration])
    return try plan.finalized()
  }

  private func configurations(_ graph: Descriptor, mode: Int32) throws(CUDNNError) -> [Descriptor] {
    let heuristic = try Descriptor(.heuristic, of: library)
    try heuristic.set(.heuristicGraph, [graph])
    try heuristic.set(.heuristicMode, .heuristicMode, [mode])
    try heuristic.finalized()
    var made: [Descriptor] = []
    for _ in 0..<heuristic.count(.heuristicResults, .descriptor) {
      made.append(try Descriptor(.engineConfiguration, of: library))
    }
    return made.isEmpty ? [] : try heuristic.descriptors(.heuristicResults, into: made)
  }

  /// Whether an engine gives the same bits each time, and is as exact as was asked for.
  private func isAllowed(_ configuration: Descriptor, _ problem: ConvolutionProblem) -> Bool {
    guard let made = try? Descriptor(.engine, of: library),
      let engine = try? configuration.descriptors(.configurationEngine, into: [made]).first
    else { return false }
    guard let list = engine.notes(.engineNumericalNotes, .numericalNote) else { return false }
    let notes = Set(list)
    func has(_ note: CUDNN.NumericalNote) -> Bool { notes.contains(note.rawValue) }
    if has(.nondeterministic) || has(.reducedPrecisionSums) { return false }
    return problem.usesTensorCores || !(has(.tensorCore) || has(.downConvertsInputs))
  }

  // MARK: Graphs

  private func tensor(_ identifier: Int, _ shape: [Int], _ type: ElementType) throws(CUDNNError)
    -> Descriptor
  {
    // cuDNN counts axes as batch, channel, height, width; strides say that channels are innermost.
    let (n, c, h, w) = (shape[0], shape[1], shape[2], shape[3])
    let tensor = try Descriptor(.tensor, of: library)
    try tensor.set(.tensorDataType, .dataType, [Precision.dataType(type)])
    try tensor.set(.tensorDimensions, [n, c, h, w])
    try tensor.set(.tensorStrides, [h * w * c, 1, w * c, c])
    try tensor.set(.tensorIdentifier, [identifier])
    try tensor.set(.tensorAlignment, [AlignedBuffer.alignment])
    return try tensor.finalized()
  }

  private func graph(_ problem: ConvolutionProblem) throws(CUDNNError) -> Descriptor {
    let (input, filter, output) = (problem.input, problem.filter, problem.output)
    let x = try tensor(
      Self.identifiers[0], [input[0], input[3], input[1], input[2]], problem.type)
    let w = try tensor(Self.identifiers[1], filter.extents, problem.type)
    let y = try tensor(
      Self.identifiers[2], [output[0], output[3], output[1], output[2]], problem.type)

    let padding = problem.convolution.padding
    let convolution = try Descriptor(.convolution, of: library)
    try convolution.set(.convolutionComputeType, .dataType, [Precision.dataType(.float32)])
    try convolution.set(.convolutionMode, .convolutionMode, [1] as [Int32])  // cross-correlation
    try convolution.set(.convolutionSpatialDimensions, [2])
    try convolution.set(.convolutionDilations, [1, 1])
    try convolution.set(
      .convolutionStrides, [problem.convolution.strideHeight, problem.convolution.strideWidth])
    // Rows and columns that no window reaches count as negative padding behind.
    try convolution.set(.convolutionPaddingBefore, [padding.top, padding.left])
    try convolution.set(.convolutionPaddingAfter, [padding.bottom, padding.right])
    try convolution.finalized()

    let operation: Descriptor
    switch problem.direction {
    case .forward:
      operation = try Descriptor(.forward, of: library)
      try operation.set(.forwardInput, [x])
      try operation.set(.forwardFilter, [w])
      try operation.set(.forwardOutput, [y])
      try operation.set(.forwardConvolution, [convolution])
      try operation.set(.forwardAlpha, 1)
      try operation.set(.forwardBeta, 0)
    case .inputGradient:
      operation = try Descriptor(.inputGradient, of: library)
      try operation.set(.inputGradientInput, [x])
      try operation.set(.inputGradientFilter, [w])
      try operation.set(.inputGradientOutput, [y])
      try operation.set(.inputGradientConvolution, [convolution])
      try operation.set(.inputGradientAlpha, 1)
      try operation.set(.inputGradientBeta, 0)
    case .filterGradient:
      operation = try Descriptor(.filterGradient, of: library)
      try operation.set(.filterGradientInput, [x])
      try operation.set(.filterGradientFilter, [w])
      try operation.set(.filterGradientOutput, [y])
      try operation.set(.filterGradientConvolution, [convolution])
      try operation.set(.filterGradientAlpha, 1)
      try operation.set(.filterGradientBeta, 0)
    }
    try operation.finalized()
    let graph = try Descriptor(.operationGraph, of: library)
    try graph.set(.graphHandle, .handle, [handle])
    try graph.set(.graphOperations, [operation])
    return try graph.finalized()
  }
}
