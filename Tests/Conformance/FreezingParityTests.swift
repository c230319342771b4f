import Foundation
import ResidualCPU
import ResidualReference
import ResidualTraining
import Testing

/// Ten steps with frozen layers against PyTorch, as `Tests/Fixtures/make-freezing-fixtures.py` has
/// computed them with those layers in `eval()`.
@Suite struct FreezingParityTests {
  private struct Fixture: Decodable {
    let losses: [Double]
    let slots: [String: NetworkFixture.Summary]

    init(_ name: String) throws {
      let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/Freezing/\(name).json")
      self = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
    }
  }

  static let cases = [
    ("first", ["conv1", "bn1", "layer1"]), ("middle", ["layer2", "layer3.0.bn2.bias"]),
    ("all-but-head", ["all-but-head"]),
  ]

  /// Nothing but rounding.
  @Test(arguments: cases)
  func inDoublePrecision(file: String, patterns: [String]) throws {
    try compare(file, patterns, on: ReferenceDevice(), bound: 1e-9)
  }

  /// In single precision, in which PyTorch's own errors are below 10⁻⁶: a thousandth.
  @Test(arguments: cases, InstructionSet.available)
  func onTheProcessor(freezing: (file: String, patterns: [String]), instructionSet: InstructionSet)
    throws
  {
    let device = try CPUDevice(threads: 2, instructionSet: instructionSet)
    try compare(freezing.file, freezing.patterns, on: device, bound: 1e-3)
  }

  private func compare(
    _ file: String, _ patterns: [String], on device: some Device, bound: Double
  ) throws {
    let fixture = try Fixture(file)
    let network = try NetworkCatalog.network(
      named: "cifar-resnet8", variant: .init(.projection), classes: 10
    ).freezing(patterns)
    let (batch, side) = (4, 8)
    var shapes = network.stepShapes(batch: batch)
    shapes[StepTensor.images] = [batch, side, side, 3]
    let session = Session(device: device, store: Store(for: device))
    let plan = try session.load(network.trainingStep(weightDecay: 1e-4), inputs: shapes)
    for slot in network.slots { session.store.write(initial(slot), to: slot.name) }
    let first = Dictionary(
      uniqueKeysWithValues: network.slots.map { ($0.name, session.store.readDouble($0.name)) })
    plan.write([7, 2, 0, 2] as [Int32], to: StepTensor.labels)
    plan.write([1.0, 1, 1, 1], to: StepTensor.weights)
    plan.write([0.01], to: StepTensor.learningRate)
    plan.write([0.9], to: StepTensor.momentum)
    plan.poison()
    for (step, loss) in fixture.losses.enumerated() {
      plan.write(
        NetworkFixture.draw("images/\(step)", batch * side * side * 3), to: StepTensor.images)
      plan.run()
      let found = plan.readDouble(StepTensor.loss)[0]
      #expect(abs(found - loss) <= bound * loss, "the loss of step \(step): \(found), \(loss)")
    }

    #expect(Set(fixture.slots.keys) == Set(network.slots.map(\.name)))
    for (name, summary) in fixture.slots {
      NetworkFixture.expect(session.store.readDouble(name), summary, name, bound, name)
    }
    // What is frozen has not changed by a bit; the same is true of frozen normalisations' statistics.
    for slot in network.slots {
      let path = slot.name.split(separator: ".").dropLast().joined(separator: ".")
      let isFrozen =
        slot.role == .parameter
        ? network.frozen.contains(slot.name)
        : network.frozen.isSuperset(of: [path + ".weight", path + ".bias"])
      #expect((session.store.readDouble(slot.name) == first[slot.name]) == isFrozen, "\(slot.name)")
    }
    // No state of the optimiser is kept for it.
    #expect(
      Set(session.store.slots.filter { $0.role == .optimizer }.map(\.name))
        == Set(network.slots.filter(\.trainable).map { "momentum/" + $0.name }))
  }

  /// The first value of a slot, as the script draws it.
  private func initial(_ slot: StateSlot) -> [Double] {
    let (scale, offset): (Double, Double) =
      switch slot.name.split(separator: ".").last {
      case "running_mean": (0.1, 0)
      case "running_var": (0.5, 1)
      case "weight" where slot.shape.rank > 1:
        ((6 / Double(slot.shape.count / slot.shape[0])).squareRoot(), 0)
      case "weight": (0.5, 1)
      default: (0.25, 0)
      }
    return NetworkFixture.draw(slot.name, slot.shape.count).map { offset + scale * $0 }
  }
}
