@_exported import ResidualGraphs
import ResidualPlatform

/// Something that runs graphs.
///
/// A device chooses how: which nodes become one step, which algorithm a step uses, and how its
/// numbers are stored. What it computes is fixed by the graph.
public protocol Device: Sendable {
  /// One unit of work; what it consists of is the device's own matter.
  associatedtype Step: Sendable

  /// What the device keeps of a loaded plan between runs, such as a captured graph of launches.
  associatedtype Recording = NoRecording

  /// How inputs, outputs and slots hold real numbers. Labels are int32 everywhere.
  var realType: ElementType { get }

  /// The memory in bytes that plans and stores may take.
  var memoryByteCount: Int { get }

  /// Threads of the processor that work for the device.
  var threads: Int { get }

  /// Whether sets of images lie in the device's memory, so that a step is given which images to take
  /// and not their numbers.
  var keepsImages: Bool { get }

  /// The batch in which the device evaluates best, beside training in batches of `trainingBatch`.
  func evaluationBatch(for trainingBatch: Int) -> Int

  /// What a resumed run must be given for the same bits, as a text for a file; `nil` if there is
  /// nothing to know.
  var record: String? { get }

  /// What the bits of results depend on beside the graph: devices that say the same give the same bits.
  var arithmetic: String { get }

  /// Whether gradients are computed in half precision, where small ones vanish unless the loss is
  /// scaled.
  var needsLossScaling: Bool { get }

  /// Makes memory that the device's steps can reach, set to zero unless it is workspace.
  ///
  /// - Throws: ``AllocationError``.
  func allocate(byteCount: Int, for use: MemoryUse) throws(AllocationError) -> any DeviceBuffer

  /// Makes a plan of a graph for inputs of given shapes.
  ///
  /// - Parameter keepsDerived: whether what depends only on slots that the graph does not change,
  ///   such as packed filters, may be kept from run to run, in memory of the plan's own.
  /// - Throws: ``ShapeError`` if the shapes do not fit.
  func prepare(_ graph: Graph, inputs: [String: Shape], keepsDerived: Bool) throws -> Plan<Step>

  /// Runs steps of a plan, its preparation or its own, on memory that fits it, and times each where
  /// `times` is given. May return before they are done; what reads buffers waits.
  ///
  /// - Parameter recording: what the last run of the same steps has left, `nil` before the first one
  ///   and whenever an address of the plan's buffers or of scratch memory has changed.
  func run(
    _ steps: [Step], of plan: Plan<Step>, in memory: Memory, recording: inout Recording?,
    times: StepTimes?)

  /// Bytes of scratch memory that running a plan needs beside its arena.
  func scratchByteCount(of plan: Plan<Step>) -> Int
}

/// For devices that keep nothing of a plan between runs.
public struct NoRecording: Sendable {}

extension Device {
  /// The machine's memory.
  public var memoryByteCount: Int { AlignedBuffer.machineByteCount }

  /// One for each processor.
  public var threads: Int { Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Nothing.
  public var record: String? { nil }

  /// How real numbers are held.
  public var arithmetic: String { "\(realType)" }

  /// The processor assembles images.
  public var keepsImages: Bool { false }
  /// The same.
  public func evaluationBatch(for trainingBatch: Int) -> Int { trainingBatch }

  /// Gradients are float32 or better.
  public var needsLossScaling: Bool { false }

  /// Memory that the processor reaches as well.
  public func allocate(byteCount: Int, for use: MemoryUse) throws(AllocationError)
    -> any DeviceBuffer
  {
    try AlignedBuffer(byteCount: byteCount)
  }

  /// A plan for many runs, which keeps what it can.
  public func prepare(_ graph: Graph, inputs: [String: Shape]) throws -> Plan<Step> {
    try prepare(graph, inputs: inputs, keepsDerived: true)
  }

  /// None, for devices whose steps work in the arena alone.
  public func scratchByteCount(of plan: Plan<Step>) -> Int { 0 }

  /// The bytes that a tensor takes on this device.
  package func byteCount(_ shape: Shape, _ elementType: ElementType) -> Int {
    shape.count * (elementType.isFloatingPoint ? realType.size : elementType.size)
  }
}
