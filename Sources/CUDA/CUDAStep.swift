import ResidualExecution

/// One step of a plan for a GPU: one launch, or one call of a library.
public struct CUDAStep: Sendable, CustomStringConvertible {
  /// The path of the last node that the step computes.
  public let path: String
  /// The layer that it belongs to.
  let layer: String
  let work: Work
  /// Whether nothing waits for the step before the next join: it may run beside those that follow.
  let isAside: Bool

  /// What is enqueued.
  enum Work: Sendable {
    case launch(Launch)
    case convolution(ConvolutionCall)
    case copy(from: BufferID, to: BufferID, byteCount: Int)
    case zero(BufferID, byteCount: Int)
    /// What follows waits for the steps aside.
    case join
  }

  init(of node: Node, _ work: Work, isAside: Bool) {
    (path, layer, self.work, self.isAside) = (node.path, node.layer, work, isAside)
  }

  /// A step that belongs to no node.
  init(_ name: String, _ work: Work) {
    (path, layer, self.work, isAside) = (name, name, work, false)
  }

  /// The kernel, or what a library is called for.
  public var kind: String {
    switch work {
    case .launch(let launch): launch.kernel
    case .convolution(let call): call.plan.problem.direction.rawValue
    case .copy: "copy"
    case .zero: "zero"
    case .join: "join"
    }
  }

  public var description: String { "\(path): \(kind)" }
}

/// A kernel of ours with its grid and its one argument.
struct Launch: Sendable {
  let kernel: String
  /// The module: what it calls `Real`.
  let type: ElementType
  let grid: Grid
  let arguments: [Argument]
}

/// How many blocks and threads run a kernel; from the extents alone, so that the order of sums does
/// not depend on the GPU.
struct Grid: Hashable, Sendable {
  var x = 1, y = 1, z = 1
  var threads = 256

  /// Blocks for a loop over elements in strides of the grid.
  static func elements(_ count: Int) -> Grid {
    Grid(x: min(max(1, (count + 255) / 256), 8192))
  }
}

/// A member of a kernel's argument.
enum Argument: Sendable {
  /// The address of a buffer, or none.
  case buffer(BufferID?)
  case int(Int)
  case wide(Int)
  case float(Float)

  static func flag(_ value: Bool) -> Argument { .int(value ? 1 : 0) }
}

/// A convolution by cuDNN with its tensors.
struct ConvolutionCall: Sendable {
  let plan: ConvolutionPlan
  let input: BufferID, filter: BufferID, output: BufferID
}

/// The bytes of a kernel's argument, laid out as in C.
struct ArgumentBytes {
  /// As large as the arguments of a kernel may be.
  static let capacity = 4096
  private var bytes = [UInt8](repeating: 0, count: capacity)
  private var count = 0

  init(_ arguments: [Argument], address: (BufferID) -> DeviceAddress) {
    for argument in arguments {
      switch argument {
      case .buffer(let buffer):
        append(buffer.map(address) ?? 0)
      case .wide(let number): append(UInt64(bitPattern: Int64(number)))
      case .int(let number): append(Int32(number))
      case .float(let number): append(number)
      }
    }
  }

  private mutating func append<Number>(_ number: Number) {
    let size = MemoryLayout<Number>.size
    let start = (count + size - 1) / size * size
    precondition(start + size <= Self.capacity, "a kernel's argument of more than 4,096 bytes")
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: number, toByteOffset: start, as: Number.self) }
    count = start + size
  }

  mutating func withBytes<Result>(_ body: (UnsafeMutableRawPointer?) -> Result) -> Result {
    bytes.withUnsafeMutableBytes { body($0.baseAddress) }
  }
}

extension Profile {
  /// A profile of runs of a plan, by kernel and by layer.
  package init(_ plan: Plan<CUDAStep>, _ times: StepTimes) {
    self.init(plan, times) { ($0.kind, $0.layer) }
  }
}
