@_exported import ResidualExecution

/// An NVIDIA GPU: convolutions by cuDNN, everything else by kernels that are compiled when the
/// device is opened. The libraries are opened at run time.
///
/// The bits of a result depend on the GPU, the versions of the libraries, the precision and the
/// choice of algorithms (``choices``). A device may serve several sessions; runs follow one another.
public final class CUDADevice: Device, @unchecked Sendable {
  /// How activations are stored and multiplied.
  public let precision: Precision
  public var arithmetic: String { "cuda " + precision.rawValue }
  let context: CUDAContext
  private let selection: AlgorithmSelection

  /// Opens a GPU.
  ///
  /// - Parameters:
  ///   - index: which one, from 0.
  ///   - libraries: folders with NVIDIA's libraries, separated by colons; common places are
  ///     searched in any case.
  ///   - environment: of the process, for folders of Python's wheels.
  ///   - choices: of an earlier run, to have its bits.
  /// - Throws: ``DeviceUnavailable`` if there is no GPU, or a library is missing.
  public convenience init(
    precision: Precision = .fp16, index: Int = 0, libraries: String? = nil,
    environment: [String: String], choices: AlgorithmChoices? = nil
  ) throws(DeviceUnavailable) {
    try self.init(
      precision: precision, index: index, libraries: libraries, environment: environment,
      choices: choices, prefersOwn: false)
  }

  /// - Parameter prefersOwn: whether kernels of our own compute every convolution that they can,
  ///   whatever is faster.
  package init(
    precision: Precision, index: Int = 0, libraries: String? = nil,
    environment: [String: String], choices: AlgorithmChoices? = nil, prefersOwn: Bool
  ) throws(DeviceUnavailable) {
    self.precision = precision
    context = try CUDAContext(
      index: index,
      folders: LibraryFolders.all(named: libraries, environment: environment),
      types: [precision.activation, .float32])
    selection = AlgorithmSelection(context, known: choices, prefersOwn: prefersOwn)
  }

  /// Such as `NVIDIA H200`.
  public var name: String { context.name }
  /// The versions of the driver's interface, the compiler and cuDNN.
  public var versions: (driver: String, compiler: String, cudnn: String) {
    let (driver, cudnn) = (context.driver.version, context.cudnn.version)
    return (
      "\(driver / 1000).\(driver % 1000 / 10)",
      "\(context.compiler.version.0).\(context.compiler.version.1)",
      "\(cudnn / 10000).\(cudnn / 100 % 100).\(cudnn % 100)"
    )
  }
  /// The algorithms that plans of this device have been given so far.
  public var choices: AlgorithmChoices { context.inTurn { selection.choices } }

  /// Algorithms that were not taken because they gave other numbers than cuDNN's first proposal.
  package var disagreements: Set<String> { context.inTurn { selection.disagreements } }

  public var realType: ElementType { .float32 }
  /// What was free when the device was opened.
  public var memoryByteCount: Int { context.memoryByteCount }

  /// The range of fp16 is too small for gradients as they are.
  public var needsLossScaling: Bool { precision == .fp16 }
  /// Pixels would have to cross to the GPU in every step.
  public var keepsImages: Bool { true }
  /// At least 500 images, which keep a GPU busy; sets of images come in round numbers.
  public func evaluationBatch(for trainingBatch: Int) -> Int { max(trainingBatch, 500) }

  public func allocate(byteCount: Int, for use: MemoryUse) throws(AllocationError)
    -> any DeviceBuffer
  {
    try CUDABuffer(byteCount: byteCount, for: use, in: context)
  }

  public func prepare(_ graph: Graph, inputs: [String: Shape], keepsDerived: Bool) throws
    -> Plan<CUDAStep>
  {
    try context.inTurn {
      var lowering = try CUDALowering(
        graph, inputs: inputs, precision: precision, keepsDerived: keepsDerived
      ) { [selection] in selection.algorithm(for: $0) }
      return lowering.plan()
    }
  }

  public func scratchByteCount(of plan: Plan<CUDAStep>) -> Int { plan.scratchByteCount }

  /// Launches of a plan, captured as one graph. The first run is not captured, so that libraries
  /// load what they need.
  public final class Recording {
    private let context: CUDAContext
    fileprivate var graph: Handle?
    /// Whether the GPU has no memory left for a graph: steps are then enqueued one by one.
    fileprivate var isRefused = false

    fileprivate init(_ context: CUDAContext) { self.context = context }

    deinit {
      guard let graph else { return }
      context.inTurn { _ = context.driver.destroyExecutableGraph(graph) }
    }
  }

  public func run(
    _ steps: [CUDAStep], of plan: Plan<CUDAStep>, in memory: Memory, recording: inout Recording?,
    times: StepTimes?
  ) {
    context.inTurn {
      if let times {
        times.beginRun()
        for (index, step) in steps.enumerated() {
          let seconds = context.seconds { context.enqueue(step, in: memory) }
          times.record(index, .seconds(seconds))
        }
        return
      }
      func enqueue() { for step in steps { context.enqueue(step, in: memory) } }
      guard let recording else {
        enqueue()
        recording = Recording(context)
        return
      }
      if recording.graph == nil, !recording.isRefused {
        recording.graph = context.captured(enqueue)
        recording.isRefused = recording.graph == nil
      }
      guard let graph = recording.graph else { return enqueue() }
      context.driver.check(
        context.driver.launchGraph(graph, context.stream), "launching a captured graph")
    }
  }
}
