import Foundation
import ResidualReference
import Testing

/// A graph that is run on a device and on the oracle, from the same numbers.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
  let name: String
  let graph: Graph
  let shapes: [String: Shape]
  /// The largest relative L2 distance of any output and any slot from the oracle's.
  let bound: Double
  /// Inputs that must have certain values; others are drawn.
  var values: [String: [Float]] = [:]
  /// Labels are drawn below it.
  var classes = 10

  var testDescription: String { name }
}

/// The numbers that a run leaves: outputs under their names, slots under `slot <name>`.
typealias Results = [String: [Double]]

/// Compares a graph's outputs and slots on a device with the oracle's.
///
/// Memory that the device must write before it reads is NaN when the run begins.
/// - Parameter least: a bound below which no distance is objected to.
func compare<D: Device>(
  _ test: ConformanceCase, on device: D, least: Double = 0,
  location: SourceLocation = #_sourceLocation
) throws {
  let expected = try Oracle.shared.results(of: test)
  let results = try run(test, on: device)
  #expect(Set(results.keys) == Set(expected.keys), sourceLocation: location)
  for (name, values) in expected.sorted(by: { $0.key < $1.key }) {
    guard let result = results[name] else { continue }
    let distance = relativeDistance(result, values)
    #expect(distance <= max(test.bound, least), "\(test.name): \(name)", sourceLocation: location)
  }
}

/// Runs a graph once, from numbers that depend on the case alone.
func run<D: Device>(_ test: ConformanceCase, on device: D) throws -> Results {
  let session = Session(device: device, store: Store(for: device))
  let plan = try session.load(test.graph, inputs: test.shapes)
  for slot in session.store.slots {
    session.store.write(Draw.state(slot), to: slot.name)
  }
  for input in test.graph.inputs {
    let shape = test.shapes[input.name] ?? .scalar
    switch input.elementType {
    case .int32:
      plan.write(
        test.values[input.name]?.map { Int32($0) }
          ?? Draw.labels(input.name, shape.count, below: test.classes), to: input.name)
    case .uint8:
      plan.withInput(input.name, of: UInt8.self) { bytes in
        _ = bytes.update(
          fromContentsOf: Draw.labels(input.name, shape.count, below: 256).map { UInt8($0) })
      }
    default:
      plan.write(test.values[input.name] ?? Draw.numbers(input.name, shape.count), to: input.name)
    }
  }
  plan.poison()
  plan.run()
  var results: Results = [:]
  for (name, value) in test.graph.outputs
  where test.graph.nodes[value.node].operation.elementType.isFloatingPoint {
    results[name] = plan.readDouble(name)
  }
  for slot in test.graph.slots where session.store.contains(slot.name) {
    results["slot " + slot.name] = session.store.readDouble(slot.name)
  }
  return results
}

/// ‖a − b‖ / ‖b‖, and ‖a‖ where b vanishes.
func relativeDistance(_ a: [Double], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  let difference = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  let norm = b.reduce(0) { $0 + $1 * $1 }.squareRoot()
  let distance = norm > 0 ? difference / norm : difference
  return distance.isNaN ? .infinity : distance
}

/// Random numbers that are the same in float32 and in double precision.
enum Draw {
  /// Numbers in -1..<1.
  static func numbers(_ name: String, _ count: Int) -> [Float] {
    var source = RandomSource(RandomKey(seed: 21).derived(name))
    return (0..<count).map { _ in 2 * source.uniform() - 1 }
  }

  static func positive(_ name: String, _ count: Int) -> [Float] {
    numbers(name, count).map { 1 + 0.75 * $0 }
  }

  static func labels(_ name: String, _ count: Int, below classes: Int) -> [Int32] {
    var source = RandomSource(RandomKey(seed: 22).derived(name))
    return (0..<count).map { _ in Int32(source.index(below: classes)) }
  }

  /// A slot's value: filters that keep activations about 1, positive scales and variances.
  static func state(_ slot: StateSlot) -> [Float] {
    let count = slot.shape.count
    let name = slot.name
    switch (slot.role, slot.shape.rank) {
    case (.optimizer, _): return numbers(name, count).map { 0.01 * $0 }
    case (.statistic, _):
      return name.hasSuffix("var") ? positive(name, count) : numbers(name, count)
    case (.parameter, 2...):
      let fan = Float(count / slot.shape[0])
      return numbers(name, count).map { $0 * (6 / fan).squareRoot() }
    case (.parameter, _):
      // Shifts of several deviations keep most activations of a rectifier away from zero. One that
      // falls to the other side of zero in float32 would change gradients by 1/√N of their norm.
      return name.hasSuffix("weight")
        ? numbers(name, count).map { 0.5 + 0.25 * $0 } : numbers(name, count).map { 1.5 + $0 }
    }
  }
}

/// The oracle's results, computed once for each case.
private final class Oracle: @unchecked Sendable {
  static let shared = Oracle()
  private let lock = NSLock()
  private var known: [String: Results] = [:]

  func results(of test: ConformanceCase) throws -> Results {
    lock.lock()
    defer { lock.unlock() }
    if let results = known[test.name] { return results }
    let results = try run(test, on: ReferenceDevice())
    known[test.name] = results
    return results
  }
}
