/// Runs plans over one store, in one arena.
///
/// A session belongs to one thread at a time. Running a loaded plan allocates nothing.
public final class Session<D: Device> {
  /// What prepares and runs the plans.
  public let device: D
  /// Where the slots of all its plans live; sessions may share one.
  public let store: Store
  private var arena: (any DeviceBuffer)?
  private var scratch: (any DeviceBuffer)?

  /// - Precondition: the store keeps real numbers as the device does (``Device/realType``).
  public init(device: D, store: Store) {
    precondition(
      device.realType == store.realType,
      "a store of \(store.realType) on a device of \(device.realType)")
    self.device = device
    self.store = store
  }

  /// Makes a graph ready to run for inputs of given shapes.
  ///
  /// - Parameters:
  ///   - seed: for the first values of slots that the store does not have yet.
  ///   - keepsDerived: see ``Device/prepare(_:inputs:keepsDerived:)``.
  /// - Throws: ``ShapeError``, ``AllocationError``.
  public func load(
    _ graph: Graph, inputs: [String: Shape], seed: UInt64 = 0, keepsDerived: Bool = true
  ) throws -> LoadedPlan<D> {
    try load(
      try device.prepare(graph, inputs: inputs, keepsDerived: keepsDerived), seed: seed)
  }

  /// Makes memory for a plan.
  ///
  /// - Throws: ``AllocationError``.
  public func load(_ plan: Plan<D.Step>, seed: UInt64 = 0) throws -> LoadedPlan<D> {
    try store.initialize(plan.slots.map(\.slot), seed: seed)
    for (slot, _) in plan.slots {
      precondition(
        store.shape(of: slot.name) == slot.shape, "slot \(slot.name) has another shape in the store"
      )
    }
    // Buffers are granted one by one; a plan that they cannot all fit is refused before the first.
    let byteCount =
      plan.arenaByteCount + plan.boundaryByteCount + plan.derivedByteCount + plan.stateByteCount
      + device.scratchByteCount(of: plan)
    guard byteCount <= device.memoryByteCount else {
      throw AllocationError(byteCount: byteCount, available: device.memoryByteCount)
    }
    arena = try grown(arena, to: plan.arenaByteCount)
    scratch = try grown(scratch, to: device.scratchByteCount(of: plan))
    return try LoadedPlan(plan, session: self)
  }

  private func grown(_ buffer: (any DeviceBuffer)?, to byteCount: Int) throws(AllocationError)
    -> any DeviceBuffer
  {
    if let buffer, buffer.byteCount >= byteCount { return buffer }
    return try device.allocate(byteCount: byteCount, for: .workspace)
  }

  func poisonWorkspace() {
    arena?.poison()
    scratch?.poison()
  }

  /// The arena and scratch memory as they are now.
  var workspace: WorkspaceAddresses {
    guard let arena, let scratch else { preconditionFailure("no plan has been loaded") }
    return WorkspaceAddresses(arena: arena.base, scratch: scratch.base)
  }
}

/// Where a session's arena and scratch memory begin, until a larger plan is loaded.
struct WorkspaceAddresses: Equatable {
  let arena: UnsafeMutableRawPointer, scratch: UnsafeMutableRawPointer
}
