import ResidualNetworks

/// A step of training made ready for a device, within a limit of memory.
package struct TrainingPlan<D: Device> {
  /// What a session loads.
  package let plan: Plan<D.Step>
  /// What the backward pass computes again.
  package let recomputation: RecomputationScope
  /// What the plan takes on the device it was prepared for.
  package let memory: PlannedMemory

  /// What is repeated where nothing else is asked for: nothing, as long as repeated additions cost
  /// more than 3 % of a step.
  package static var standard: RecomputationScope { .nothing }

  /// Plans a step in as little memory as the scope allows. With convolutions in it, a limit that is
  /// given is also made use of: the more fits, the fewer of them are repeated.
  ///
  /// - Parameters:
  ///   - step: from ``Network/trainingStep(weightDecay:initialization:classifierRateScale:lossScaling:maximumNorm:skipsFaults:)``.
  ///   - inputs: the shape of every input.
  ///   - memoryLimit: bytes; the device's memory is a limit in any case.
  /// - Throws: ``ShapeError``, ``MemoryLimitError``.
  package init(
    _ step: Graph, inputs: [String: Shape], device: D, recomputation: RecomputationScope? = nil,
    memoryLimit: Int? = nil
  ) throws {
    let scope = recomputation ?? Self.standard
    let limit = min(memoryLimit ?? .max, device.memoryByteCount)
    func prepare(
      _ scope: RecomputationScope, inputs: [String: Shape] = inputs, within byteCount: Int = 0
    ) throws -> Self {
      let rewrite = try step.recomputation(scope, inputs: inputs, within: byteCount)
      let graph = step.recomputing(rewrite).updatingEarly()
      return Self(try device.prepare(graph, inputs: inputs), scope, device)
    }
    var planned: Self
    if scope == .convolutions, memoryLimit != nil {
      // Buffers cannot be packed without gaps, and a device needs some of its own.
      let state = step.slots.reduce(0) { $0 + $1.shape.count * device.realType.size }
      planned = try prepare(scope, within: max(0, limit - state) / 10 * 9)
      if planned.memory.total > limit { planned = try prepare(scope) }
    } else {
      planned = try prepare(scope)
    }
    guard planned.memory.total > limit else {
      self = planned
      return
    }
    let least = scope == .convolutions ? planned : try prepare(.convolutions)
    throw MemoryLimitError(
      planned: planned.memory, limit: limit, isDevice: limit != memoryLimit,
      recomputed: scope == .convolutions ? nil : least.memory.total,
      fittingBatch: try Self.fittingBatch(inputs, needing: least.memory, within: limit) {
        try prepare(.convolutions, inputs: $0).memory
      })
  }

  /// A batch that fits, not far below the largest one; 0 if none does.
  private static func fittingBatch(
    _ inputs: [String: Shape], needing memory: PlannedMemory, within limit: Int,
    plan: ([String: Shape]) throws -> PlannedMemory
  ) rethrows -> Int {
    let full = inputs[StepTensor.labels]?.count ?? 1
    let pixels = inputs[StepTensor.pixels]?.count ?? 0
    var (batch, memory) = (full, memory)
    while batch > 0, memory.total > limit {
      // What does not grow with the batch makes the true share smaller, so this is repeated.
      let available = Double(limit - memory.state - memory.scratch - pixels) * 0.98
      let share = available / Double(memory.arena + memory.boundary - pixels)
      batch = min(batch - 1, Int(max(0, Double(batch) * share)))
      guard batch > 0 else { break }
      var smaller = inputs
      for name in [
        StepTensor.images, StepTensor.samples, StepTensor.labels, StepTensor.weights,
      ] {
        smaller[name] = smaller[name]?.replacing(axis: 0, with: batch)
      }
      memory = try plan(smaller)
    }
    return batch
  }

  private init(_ plan: Plan<D.Step>, _ scope: RecomputationScope, _ device: D) {
    (self.plan, recomputation, memory) = (plan, scope, device.memory(of: plan))
  }
}

/// A step of training needs more memory than it may have.
public struct MemoryLimitError: Refusal, Hashable {
  /// What the step would take.
  package let planned: PlannedMemory
  /// Bytes that the step would take.
  public var needed: Int { planned.total }
  /// Bytes it may take.
  public let limit: Int
  /// Whether the limit is the device's memory, not one that was asked for.
  public let isDevice: Bool
  /// What the step needs with convolutions repeated, where that was not what was planned.
  public let recomputed: Int?
  /// Images a step that would fit with convolutions repeated; 0 if not even one would.
  public let fittingBatch: Int

  public var kind: RefusalKind { .memory }
  public var description: String { message.description }
  public var message: Message {
    let owner: Message =
      isDevice ? "\(MemoryLimit.words(for: limit))" : "\(OptionName.memoryLimit) allows"
    var remedies: [Message] = []
    if let recomputed, recomputed <= limit {
      remedies.append("\(OptionName.recomputation), which needs \(ByteSize.text(recomputed))")
    } else if fittingBatch > 0 {
      let with: Message = recomputed == nil ? "" : " with \(OptionName.recomputation)"
      remedies.append("\(OptionName.batchSize) \(fittingBatch)\(with)")
    }
    if !isDevice { remedies.append(remedies.isEmpty ? "a higher limit" : "raise the limit") }
    let remedy: Message =
      remedies.isEmpty ? "a smaller network is needed" : "use \(remedies.joined(", or "))"
    return "training needs \(planned) of memory, and \(owner) \(ByteSize.text(limit)); \(remedy)"
  }
}
