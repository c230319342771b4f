import ResidualCPU
import ResidualRuns
import Synchronization

/// The processor, with numbers planted in the memory of training steps.
final class PlantingDevice: Device {
  /// A number in the place of the first one of a buffer.
  struct Plant: Sendable {
    /// The buffer's path: the name of an input, or the path of a node.
    let path: String
    /// The path of the step before which it is planted: the arena's buffers share memory. By default it is
    /// the first one.
    var before: String?
    let number: Float
    /// The runs in which it is planted, counted from 1 and not taken back by a rollback.
    let runs: ClosedRange<Int>
  }

  private let device: CPUDevice
  /// What is planted, and the runs so far.
  let state = Mutex<(plant: Plant?, runs: Int)>((nil, 0))

  init(_ plant: Plant? = nil) throws {
    device = try CPUDevice(threads: 1)
    state.withLock { $0.plant = plant }
  }

  var realType: ElementType { .float32 }

  func prepare(_ graph: Graph, inputs: [String: Shape], keepsDerived: Bool) throws -> Plan<CPUStep>
  {
    try device.prepare(graph, inputs: inputs, keepsDerived: keepsDerived)
  }

  func run(
    _ steps: [CPUStep], of plan: Plan<CPUStep>, in memory: Memory, recording: inout NoRecording?,
    times: StepTimes?
  ) {
    let isTraining = plan.inputs[StepTensor.learningRate] != nil
    let active = state.withLock { state -> Plant? in
      if isTraining { state.runs += 1 }
      return state.plant.flatMap { $0.runs.contains(state.runs) ? $0 : nil }
    }
    // An evaluation is none of a batch at fault.
    guard let active, isTraining || plan.outputs["loss"] == nil else {
      return device.run(steps, of: plan, in: memory, recording: &recording, times: times)
    }
    let place =
      active.before.map { path in steps.firstIndex { $0.path == path } ?? steps.count } ?? 0
    for (position, step) in steps.enumerated() {
      if position == place, let index = plan.buffers.firstIndex(where: { $0.path == active.path }) {
        memory.pointer(BufferID(index: index), of: Float.self).pointee = active.number
      }
      device.run([step], of: plan, in: memory, recording: &recording, times: nil)
    }
  }

  func scratchByteCount(of plan: Plan<CPUStep>) -> Int { device.scratchByteCount(of: plan) }
}
