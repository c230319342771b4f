import ResidualReference
import Synchronization
import Testing

/// Memory of a device's own, moved to and from the host only where the other side needs it.
@Suite struct DeviceMemoryTests {
  private let device = ApartDevice()
  private static let counter = StateSlot(
    name: "counter", shape: [3], role: .statistic, initialValue: .constant(1))

  /// counter ← counter + x; sum = counter + x, difference = x − y.
  private func graph() -> Graph {
    var graph = Graph()
    let (x, y) = (graph.input("x"), graph.input("y"))
    let sum = graph.append(.add(.init()), [graph.state(Self.counter), x], path: "sum")
    graph.output("sum", sum)
    graph.output("difference", graph.append(.subtract(.init()), [x, y], path: "difference"))
    graph.bind("counter", to: sum)
    return graph
  }

  /// z32 = 32 z.
  private func doubling() -> Graph {
    var graph = Graph()
    var value = graph.input("z")
    for index in 0..<5 {
      value = graph.append(.add(.init()), [value, value], path: "double\(index)")
    }
    graph.output("z32", value)
    return graph
  }

  private func session() -> Session<ApartDevice> {
    Session(device: device, store: Store(for: device))
  }

  @Test func onlyChangedInputsGoUpAndOnlyWhatIsReadComesDown() throws {
    let plan = try session().load(graph(), inputs: ["x": [3], "y": [3]])
    plan.write([1.0, 2, 3], to: "x")
    plan.write([1.0, 1, 1], to: "y")
    device.log.clear()
    plan.run()
    #expect(device.log.taken() == .init(uploads: 2, recordings: 1))
    #expect(plan.readDouble("sum") == [2, 3, 4])
    #expect(plan.read("sum") == Tensor([3], [2, 3, 4]))
    #expect(device.log.taken() == .init(downloads: 1), "the second reading has the host's copy")

    plan.write([0.0, 0, 1], to: "y")
    plan.run()
    #expect(device.log.taken() == .init(uploads: 1))
    #expect(plan.readDouble("difference") == [1, 2, 2], "x is as it was")
    plan.run()
    #expect(device.log.taken() == .init(downloads: 1), "nothing was written before the third run")
    #expect(plan.readDouble("sum") == [4, 7, 10])
  }

  @Test func theStoreAndRunsSeeEachOther() throws {
    let session = session()
    let plan = try session.load(graph(), inputs: ["x": [3], "y": [3]])
    plan.write([1.0, 2, 3], to: "x")
    plan.run()
    device.log.clear()
    #expect(session.store.readDouble("counter") == [2, 3, 4])
    #expect(session.store.read("counter") == Tensor([3], [2, 3, 4]))
    #expect(device.log.taken() == .init(downloads: 1))
    session.store.write([10.0, 20, 30], to: "counter")
    #expect(session.store.readDouble("counter") == [10, 20, 30])
    #expect(device.log.taken() == .init(uploads: 1))
    plan.run()
    #expect(plan.readDouble("sum") == [11, 22, 33])
    #expect(session.store.readDouble("counter") == [11, 22, 33])
  }

  @Test func poisonReachesTheDevice() throws {
    let plan = try session().load(graph(), inputs: ["x": [3], "y": [3]])
    plan.run()
    plan.poison()
    #expect(plan.readDouble("sum").allSatisfy { $0.isNaN })
    plan.run()
    #expect(plan.readDouble("sum") == [1, 1, 1])
  }

  @Test func recordingsLastUntilTheArenaMoves() throws {
    let session = session()
    let plan = try session.load(graph(), inputs: ["x": [3], "y": [3]])
    for _ in 0..<3 { plan.run() }
    #expect(device.log.taken().recordings == 1)
    let large = try session.load(doubling(), inputs: ["z": [1000]])
    for _ in 0..<3 {
      plan.run()
      large.run()
    }
    #expect(device.log.taken().recordings == 2, "one for each plan at the new addresses")
  }

  @Test func theLimitIsTheDevices() throws {
    let error = #expect(throws: AllocationError.self) {
      try session().load(doubling(), inputs: ["z": [1 << 20]])
    }
    #expect(error?.description.contains("the device has 1 MiB") == true)
  }
}

/// The reference, in memory that the host reaches by way of copies only.
private struct ApartDevice: Device {
  let log = TransferLog()
  var realType: ElementType { .float64 }
  var memoryByteCount: Int { 1 << 20 }

  func allocate(byteCount: Int, for use: MemoryUse) throws(AllocationError) -> any DeviceBuffer {
    try ApartBuffer(byteCount: byteCount, use, log)
  }
  func prepare(_ graph: Graph, inputs: [String: Shape], keepsDerived: Bool) throws
    -> Plan<ReferenceDevice.Step>
  {
    try ReferenceDevice().prepare(graph, inputs: inputs, keepsDerived: keepsDerived)
  }
  func run(
    _ steps: [ReferenceDevice.Step], of plan: Plan<ReferenceDevice.Step>, in memory: Memory,
    recording: inout Recording?, times: StepTimes?
  ) {
    if recording == nil { log.count(\.recordings) }
    recording = Recording()
    var none: NoRecording?
    ReferenceDevice().run(steps, of: plan, in: memory, recording: &none, times: times)
  }

  struct Recording {}
}

private final class ApartBuffer: DeviceBuffer {
  private let memory: AlignedBuffer
  private let copy: AlignedBuffer?
  private let log: TransferLog

  init(byteCount: Int, _ use: MemoryUse, _ log: TransferLog) throws(AllocationError) {
    memory = try AlignedBuffer(byteCount: byteCount)
    copy = use == .workspace ? nil : try AlignedBuffer(byteCount: byteCount)
    self.log = log
  }

  var base: UnsafeMutableRawPointer { memory.base }
  var byteCount: Int { memory.byteCount }
  var host: UnsafeMutableRawPointer {
    guard let copy else { preconditionFailure("the host touches workspace") }
    return copy.base
  }
  func upload(byteCount: Int) {
    base.copyMemory(from: host, byteCount: byteCount)
    log.count(\.uploads)
  }
  func download(byteCount: Int) {
    host.copyMemory(from: base, byteCount: byteCount)
    log.count(\.downloads)
  }
  func poison() { memory.poison() }
}

/// What a device has been asked to do.
private final class TransferLog: Sendable {
  struct Counts: Equatable {
    var uploads = 0, downloads = 0
    var recordings = 0
  }

  private let counts = Mutex(Counts())

  func count(_ what: WritableKeyPath<Counts, Int> & Sendable) {
    counts.withLock { $0[keyPath: what] += 1 }
  }
  func clear() { _ = taken() }
  /// What has been counted since the last call.
  func taken() -> Counts {
    counts.withLock { counts in
      defer { counts = Counts() }
      return counts
    }
  }
}
