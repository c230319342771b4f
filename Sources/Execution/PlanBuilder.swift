/// Collects a plan's steps and buffers, and places the buffers when all steps are known.
///
/// Each step declares the buffers that it reads and writes; a buffer in the arena lives from the
/// first step that touches it to the last.
package struct PlanBuilder<Step: Sendable> {
  private enum Place { case arena, derived, boundary, state(String) }
  private struct Draft {
    var path: String
    var shape: Shape
    var elementType: ElementType
    var byteCount: Int
    var place: Place
    var firstStep = Int.max, lastStep = -1
  }

  private var drafts: [Draft] = []
  private var steps: [Step] = []
  private var preparation: [Step] = []
  private var inputs: [String: BufferID] = [:]
  private var outputs: [String: BufferID] = [:]
  private var slots: [(slot: StateSlot, buffer: BufferID)] = []
  private var scratchByteCount = 0
  /// Whether a run writes slots.
  package var changesState = false
  private var stepByteCounts: [Int] = []

  package init() {}

  /// A buffer that lives only within the step, in the arena.
  package mutating func temporary(
    _ path: String, _ shape: Shape, _ elementType: ElementType, byteCount: Int
  ) -> BufferID {
    draft(path, shape, elementType, byteCount, .arena)
  }

  /// A buffer that the preparation fills and runs read.
  package mutating func derived(
    _ path: String, _ shape: Shape, _ elementType: ElementType, byteCount: Int
  ) -> BufferID {
    draft(path, shape, elementType, byteCount, .derived)
  }

  /// An input's or output's buffer, outside the arena.
  package mutating func boundary(
    _ path: String, _ shape: Shape, _ elementType: ElementType, byteCount: Int
  ) -> BufferID {
    draft(path, shape, elementType, byteCount, .boundary)
  }

  /// A slot's buffer, in the store.
  package mutating func state(_ slot: StateSlot, byteCount: Int) -> BufferID {
    let buffer = draft(slot.name, slot.shape, .float32, byteCount, .state(slot.name))
    slots.append((slot, buffer))
    return buffer
  }

  /// Says which buffer callers fill under an input's name.
  package mutating func nameInput(_ name: String, _ buffer: BufferID) { inputs[name] = buffer }
  /// Says which buffer callers read under an output's name.
  package mutating func nameOutput(_ name: String, _ buffer: BufferID) { outputs[name] = buffer }

  /// Appends a step and extends the lives of the buffers that it touches.
  package mutating func append(
    _ step: Step, touching buffers: [BufferID], scratchByteCount: Int = 0
  ) {
    for buffer in buffers {
      drafts[buffer.index].firstStep = min(drafts[buffer.index].firstStep, steps.count)
      drafts[buffer.index].lastStep = max(drafts[buffer.index].lastStep, steps.count)
    }
    steps.append(step)
    stepByteCounts.append(Set(buffers).reduce(0) { $0 + drafts[$1.index].byteCount })
    self.scratchByteCount = max(self.scratchByteCount, scratchByteCount)
  }

  /// Appends a step of the preparation, which reads slots and writes derived results.
  package mutating func appendPreparation(_ step: Step, scratchByteCount: Int = 0) {
    preparation.append(step)
    self.scratchByteCount = max(self.scratchByteCount, scratchByteCount)
  }

  private mutating func draft(
    _ path: String, _ shape: Shape, _ elementType: ElementType, _ byteCount: Int, _ place: Place
  ) -> BufferID {
    drafts.append(
      Draft(
        path: path, shape: shape, elementType: elementType, byteCount: byteCount, place: place))
    return BufferID(index: drafts.count - 1)
  }

  /// Places the buffers and returns the plan.
  package func finish() -> Plan<Step> {
    var lifetimes: [Lifetime] = []
    var owners: [Int] = []
    for (index, draft) in drafts.enumerated() {
      guard case .arena = draft.place, draft.lastStep >= 0 else { continue }
      lifetimes.append(
        Lifetime(first: draft.firstStep, last: draft.lastStep, byteCount: draft.byteCount))
      owners.append(index)
    }
    let layout = ArenaLayout(lifetimes)
    var offsets = [Int](repeating: 0, count: drafts.count)
    for (owner, offset) in zip(owners, layout.offsets) { offsets[owner] = offset }

    var derivedByteCount = 0
    for (index, draft) in drafts.enumerated() {
      guard case .derived = draft.place else { continue }
      offsets[index] = derivedByteCount
      let alignment = AlignedBuffer.alignment
      derivedByteCount += (draft.byteCount + alignment - 1) / alignment * alignment
    }

    let buffers = drafts.enumerated().map { index, draft in
      let location: PlannedBuffer.Location =
        switch draft.place {
        case .arena: .arena(offset: offsets[index])
        case .derived: .derived(offset: offsets[index])
        case .boundary: .boundary
        case .state(let name): .state(name)
        }
      return PlannedBuffer(
        path: draft.path, shape: draft.shape, elementType: draft.elementType,
        byteCount: draft.byteCount, location: location)
    }
    return Plan(
      steps: steps, preparation: preparation, buffers: buffers, inputs: inputs, outputs: outputs,
      slots: slots,
      arenaByteCount: layout.byteCount,
      leastArenaByteCount: ArenaLayout.leastByteCount(lifetimes),
      derivedByteCount: derivedByteCount,
      scratchByteCount: scratchByteCount, changesState: changesState,
      stepByteCounts: stepByteCounts)
  }
}
