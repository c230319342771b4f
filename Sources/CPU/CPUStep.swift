import ResidualExecution
import ResidualKernelInterface

/// One step of a plan for the processor: work for one or more nodes.
public struct CPUStep: Sendable, CustomStringConvertible {
  /// The path of the last node that the step computes.
  package let path: String
  /// The layer that it belongs to.
  package let layer: String
  /// What the step does.
  package let work: any Work

  package init(path: String, work: any Work) {
    (self.path, self.layer, self.work) = (path, path, work)
  }

  init(of node: Node, _ work: any Work) {
    (self.path, self.layer, self.work) = (node.path, node.layer, work)
  }

  public var description: String { "\(path): \(work)" }
}

extension Profile {
  /// A profile of runs of a plan, by type of work and by layer.
  package init(_ plan: Plan<CPUStep>, _ times: StepTimes) {
    self.init(plan, times) { (String(describing: type(of: $0.work)), $0.layer) }
  }
}

/// Something to do in parts that may run on different threads at once.
///
/// The parts of a work depend on the shapes alone, never on the number of threads.
package protocol Work: Sendable {
  /// How many parts there are; each runs once.
  var parts: Int { get }
  /// Does one part. Called from any thread; parts write no common bytes.
  func run(part: Int, in context: StepContext)
}

/// Work that is too small to be shared.
protocol SerialWork: Work {
  func run(in context: StepContext)
}

extension SerialWork {
  var parts: Int { 1 }
  func run(part: Int, in context: StepContext) { run(in: context) }
}

/// What a part of a step works with.
package struct StepContext {
  let memory: Memory
  /// The kernels of the device's instruction set.
  package let kernels: any KernelLibrary
  /// This worker's scratch memory.
  package let scratch: UnsafeMutablePointer<Float>

  @inline(__always) func input(_ buffer: BufferID) -> UnsafePointer<Float> {
    UnsafePointer(memory.pointer(buffer, of: Float.self))
  }
  @inline(__always) func output(_ buffer: BufferID) -> UnsafeMutablePointer<Float> {
    memory.pointer(buffer, of: Float.self)
  }
  @inline(__always) func labels(_ buffer: BufferID) -> UnsafePointer<Int32> {
    UnsafePointer(memory.pointer(buffer, of: Int32.self))
  }
}

/// A range cut into parts of nearly equal size.
struct Partition: Hashable, Sendable {
  let count: Int
  let parts: Int
  /// Elements that stay together: parts begin at multiples of it.
  private let unit: Int

  /// - Parameters:
  ///   - count: elements to be shared.
  ///   - grain: the least number of elements that is worth a part.
  ///   - unit: elements that stay together.
  ///   - limit: the largest number of parts.
  init(_ count: Int, grain: Int, unit: Int = 1, limit: Int = 32) {
    self.count = count
    self.unit = unit
    let units = (count + unit - 1) / unit
    parts = powerOfTwo(atMost: min(limit, units, count / max(grain, 1)))
  }

  /// All elements in one part.
  static func whole(_ count: Int) -> Partition { Partition(count, grain: count) }

  func range(_ part: Int) -> Range<Int> { start(part)..<start(part + 1) }

  private func start(_ part: Int) -> Int {
    min(count, part * ((count + unit - 1) / unit) / parts * unit)
  }

  /// For tensors of pixels × channels: parts of at least 16,384 numbers.
  static func pixels(_ shape: Shape) -> Partition {
    Partition(shape.count / shape.channels, grain: max(1, 16_384 / shape.channels))
  }

  /// For elementwise work.
  static func elements(_ count: Int) -> Partition { Partition(count, grain: 16_384) }
}

/// The largest power of two that is not larger than `number`, at least 1: cut into so many parts, work
/// is shared evenly by two, four or eight threads.
func powerOfTwo(atMost number: Int) -> Int {
  1 << (Int.bitWidth - 1 - max(1, number).leadingZeroBitCount)
}
