import ResidualCPU
import ResidualNetworks
import ResidualReference
import ResidualTestSupport
import Testing

extension NetworkFixture {
  static let rate = 0.1

  /// The bound in single precision: a thousandth, or sixteen times PyTorch's own error where that is
  /// more.
  static func single(_ summary: Summary?) -> Double {
    max(1e-3, 16 * (summary?.singlePrecisionError ?? 0))
  }

  /// Runs a step of training and compares it with PyTorch's.
  ///
  /// - Parameters:
  ///   - updates: whether the update is computed and compared, too.
  ///   - dropsOut: whether numbers are dropped, by the key (1, 2).
  ///   - initial: the first value of a slot.
  ///   - bound: the largest error of a tensor, relative to its norm; of loss and logits for `nil`,
  ///     relative to the largest logit.
  func compare(
    _ network: Network, side: Int, updates: Bool = false, dropsOut: Bool = false,
    on device: some Device, initial: (StateSlot) -> [Double], bound: (Summary?) -> Double
  ) throws {
    var (graph, loss) = network.graphWithLoss(dropsOut: dropsOut)
    let parameters = graph.slots.filter(\.trainable).map(\.name)
    let gradients = graph.differentiate(loss, withRespectTo: parameters)
    for (name, gradient) in gradients { graph.output("gradient/" + name, gradient) }
    if updates { graph.updateByMomentumSGD(gradients: gradients, weightDecay: 1e-4) }

    let session = Session(device: device, store: Store(realType: device.realType))
    var scalars: [String: Shape] =
      updates ? ["learningRate": .scalar, "momentum": .scalar] : [:]
    let hasKey = graph.value(ofInput: Network.dropoutKeyInput) != nil
    if hasKey { scalars[Network.dropoutKeyInput] = [2] }
    let plan = try session.load(
      graph,
      inputs: scalars.merging([
        Network.imagesInput: [2, side, side, 3], "labels": [2], "weights": [2],
      ]) { $1 })
    for slot in session.store.slots { session.store.write(initial(slot), to: slot.name) }
    if hasKey { plan.write([1, 2] as [Int32], to: Network.dropoutKeyInput) }
    plan.write(Self.draw("images", 2 * side * side * 3), to: Network.imagesInput)
    plan.write([7, 2] as [Int32], to: "labels")
    plan.write([1.0, 1.0], to: "weights")
    if updates {
      plan.write([Self.rate], to: "learningRate")
      plan.write([0.9], to: "momentum")
    }
    plan.poison()
    plan.run()

    let largest = logits.map(abs).max() ?? 0
    Self.expect([plan.readDouble("loss")[0]], [self.loss], within: bound(nil) * largest, "loss")
    Self.expect(
      plan.readDouble(Network.logitsOutput), logits, within: bound(nil) * largest, "logits")
    #expect(Set(self.gradients.keys) == Set(parameters))
    for (name, summary) in self.gradients {
      if summary.norm == 0 {
        // A bias before a normalisation: rounding errors beside the gradient of its filter.
        let filter = name.dropLast("bias".count) + "weight"
        let filterNorm = Self.norm(plan.readDouble("gradient/" + filter))
        #expect(
          Self.norm(plan.readDouble("gradient/" + name)) <= bound(nil) * filterNorm, "\(name)")
        continue
      }
      Self.expect(
        plan.readDouble("gradient/" + name), summary, name, bound(summary),
        "the gradient of \(name)")
    }
    let slots = session.store.slots.filter { $0.role == .statistic || updates && $0.trainable }
    #expect(Set(self.slots.keys) == Set(slots.map(\.name)))
    for (name, summary) in self.slots {
      Self.expect(session.store.readDouble(name), summary, name, bound(summary), name)
    }
  }

  /// Compares a tensor with what is stored of it.
  static func expect(
    _ values: [Double], _ summary: Summary, _ name: String, _ bound: Double,
    _ what: String
  ) {
    let norm = norm(values)
    let random = Self.draw("projection/" + name, values.count)
    let projection = zip(values, random).reduce(0) { $0 + $1.0 * $1.1 }
    let distance = max(1, (values.count + summary.sample.count - 1) / summary.sample.count)
    let sample = stride(from: 0, to: values.count, by: distance).map { values[$0] }
    expect(
      [norm, projection] + sample, [summary.norm, summary.projection] + summary.sample,
      within: bound * summary.norm, what)
  }

  private static func expect(
    _ values: [Double], _ expected: [Double], within bound: Double, _ what: String
  ) {
    #expect(values.count == expected.count, "\(what)")
    let wrong = zip(values, expected).filter { !(abs($0 - $1) <= bound) }
    #expect(wrong.isEmpty, "\(what) beside PyTorch's: \(wrong.prefix(3))")
  }

  private static func norm(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }
}
