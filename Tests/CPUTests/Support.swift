import ResidualCPU
import ResidualNetworks
import ResidualTraining
import Testing

/// Seeded random numbers for inputs.
enum Draw {
  /// Numbers in -1..<1.
  static func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var source = RandomSource(RandomKey(seed: seed))
    return (0..<count).map { _ in 2 * source.uniform() - 1 }
  }

  static func labels(_ count: Int, below classes: Int, seed: UInt64) -> [Int32] {
    var source = RandomSource(RandomKey(seed: seed))
    return (0..<count).map { _ in Int32(source.index(below: classes)) }
  }

  /// Images of random pixels with random labels.
  static func images(_ count: Int, classes: Int, seed: UInt64) -> ImageSet {
    var source = RandomSource(RandomKey(seed: seed))
    return ImageSet(
      height: 32, width: 32,
      checked: (0..<count * 32 * 32 * 3).map { _ in UInt8(source.index(below: 256)) },
      labels: labels(count, below: classes, seed: seed))
  }
}

/// One plan of a training step with random inputs, on a device of its own store.
struct TrainingRun<D: Device> {
  let session: Session<D>
  let loaded: LoadedPlan<D>
  private let network: Network
  private let batch: Int

  init(_ network: Network, graph: Graph? = nil, batch: Int, on device: D) throws {
    self.network = network
    self.batch = batch
    session = Session(device: device, store: Store(realType: device.realType))
    loaded = try session.load(
      graph ?? network.trainingStep(weightDecay: 1e-4), inputs: network.stepShapes(batch: batch),
      seed: 3)
    loaded.write([Float](repeating: 1, count: batch), to: StepTensor.weights)
    loaded.write(0.1, to: StepTensor.learningRate)
    loaded.write(0.9, to: StepTensor.momentum)
  }

  func step(_ number: Int = 0) {
    let seed = UInt64(number + 1)
    loaded.write(
      Draw.numbers(network.imagesShape(batch: batch).count, seed: seed), to: StepTensor.images)
    loaded.write(
      Draw.labels(batch, below: network.classes, seed: seed), to: StepTensor.labels)
    loaded.run()
  }

  /// All outputs and all slots by name.
  var results: [String: [Float]] {
    var results: [String: [Float]] = [:]
    for name in loaded.plan.outputs.keys { results[name] = loaded.read(name).scalars }
    for (slot, _) in loaded.plan.slots {
      results["slot " + slot.name] = session.store.read(slot.name).scalars
    }
    return results
  }
}

extension [String: [Float]] {
  /// The names whose numbers differ in a bit.
  func differences(from other: Self) -> [String] {
    Set(keys).union(other.keys).filter { name in
      self[name]?.map(\.bitPattern) != other[name]?.map(\.bitPattern)
    }.sorted()
  }
}

/// ‖a − b‖ / ‖b‖, and ‖a‖ where b vanishes.
func relativeDistance(_ a: [Float], _ b: [Float]) -> Double {
  guard a.count == b.count else { return .infinity }
  func square(_ number: Double) -> Double { number * number }
  let difference = zip(a, b).reduce(0) { $0 + square(Double($1.0) - Double($1.1)) }.squareRoot()
  let norm = b.reduce(0) { $0 + square(Double($1)) }.squareRoot()
  let distance = norm > 0 ? difference / norm : difference
  return distance.isNaN ? .infinity : distance
}
