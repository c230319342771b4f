import ResidualCPU
import ResidualRuns
import Synchronization
import Testing

/// The processor in the manner of another device; what is moved to its memory is counted.
final class VariantDevice: Device {
  private let device: CPUDevice
  let keepsImages: Bool, needsLossScaling: Bool
  /// Bytes.
  let uploaded = Mutex(0)
  /// The number of steps in each run, of preparations too.
  let runs = Mutex<[Int]>([])

  init(keepsImages: Bool = false, needsLossScaling: Bool = false) throws {
    device = try CPUDevice(threads: 1)
    (self.keepsImages, self.needsLossScaling) = (keepsImages, needsLossScaling)
  }

  var realType: ElementType { .float32 }

  func allocate(byteCount: Int, for use: MemoryUse) throws(AllocationError) -> any DeviceBuffer {
    CountingBuffer(try AlignedBuffer(byteCount: byteCount), device: self)
  }
  func prepare(_ graph: Graph, inputs: [String: Shape], keepsDerived: Bool) throws -> Plan<CPUStep>
  {
    #expect(graph.value(ofInput: StepTensor.images) == nil || inputs[StepTensor.pixels] == nil)
    return try device.prepare(graph, inputs: inputs, keepsDerived: keepsDerived)
  }
  func run(
    _ steps: [CPUStep], of plan: Plan<CPUStep>, in memory: Memory, recording: inout NoRecording?,
    times: StepTimes?
  ) {
    runs.withLock { $0.append(steps.count) }
    device.run(steps, of: plan, in: memory, recording: &recording, times: times)
  }
  func scratchByteCount(of plan: Plan<CPUStep>) -> Int { device.scratchByteCount(of: plan) }

  private final class CountingBuffer: DeviceBuffer {
    private let buffer: AlignedBuffer
    private let device: VariantDevice
    init(_ buffer: AlignedBuffer, device: VariantDevice) {
      (self.buffer, self.device) = (buffer, device)
    }
    var base: UnsafeMutableRawPointer { buffer.base }
    var byteCount: Int { buffer.byteCount }
    var host: UnsafeMutableRawPointer { buffer.base }
    func upload(byteCount: Int) { device.uploaded.withLock { $0 += byteCount } }
    func download(byteCount: Int) {}
  }
}
