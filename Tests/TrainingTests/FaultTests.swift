import Foundation
import ResidualCPU
import ResidualNetworks
import ResidualRuns
import ResidualTestSupport
import Testing

/// Numbers that are not finite: noticed in the same step, and the layer named.
@Suite struct FaultTests {
  static let numbers = [Float.nan, .infinity, -.infinity]

  private func options(_ response: FaultResponse = .stop, _ model: String = "cifar-resnet8")
    -> RecipeOptions
  {
    var options = RecipeOptions.tiny(steps: 400)
    (options.model, options.faultResponse) = (model, response)
    (options.batchSize, options.warmupSteps) = (4, 0)
    return options
  }

  private func learner(
    _ response: FaultResponse = .stop, _ plant: PlantingDevice.Plant? = nil,
    model: String = "cifar-resnet8"
  ) throws -> Learner<PlantingDevice> {
    try Learner(
      options(response, model), on: TinyData.dataset(), device: PlantingDevice(plant))
  }

  /// A step, in the next epoch where one is over.
  private func step(_ learner: Learner<PlantingDevice>) throws -> StepReport {
    if learner.epochIsOver { _ = try learner.finishEpoch() }
    return try learner.step()
  }

  // MARK: Where

  /// One number among each of a network's parameters.
  @Test(arguments: ["cifar-resnet8", "cifar-plain8", "cifar-linear"], numbers)
  func weights(model: String, number: Float) throws {
    let learner = try learner(model: model)
    let store = learner.session.store
    _ = try step(learner)
    let good = store.slots.map { ($0.name, store.read($0.name).scalars) }
    for slot in store.slots where slot.role == .parameter {
      var weights = store.read(slot.name).scalars
      weights[weights.count / 2] = number
      store.write(weights, to: slot.name)
      let error = #expect(throws: Divergence.self) { try step(learner) }
      let layer = slot.name.split(separator: ".").dropLast().joined(separator: ".")
      #expect(error?.fault.quantity == .weight && error?.fault.layer == layer, "\(slot.name)")
      #expect(error?.step == learner.progress.step)
      for (name, values) in good { store.write(values, to: name) }
    }
    #expect(try step(learner).fault == nil)
  }

  /// A number in the gradient of each of a network's parameters; only its own layer is at fault. One whose
  /// square is beyond float32 is too large as well.
  @Test(arguments: [FaultResponse.stop, .skip], numbers + [1e20])
  func gradients(response: FaultResponse, number: Float) throws {
    let learner = try learner(response)
    let graph = learner.network.trainingStep(weightDecay: 0)
    for node in graph.nodes {
      guard case .momentumUpdate = node.operation else { continue }
      // Those of normalisations' shifts are sums that others read before.
      let parameter = try #require(graph.slot(of: node.operands[0]))
      guard !parameter.contains("bn") || parameter.hasSuffix("weight") else { continue }
      let device = learner.session.device
      let path = graph.nodes[node.operands[2].node].path
      let place = response == .skip ? "gradient/norm" : "update/" + parameter
      device.state.withLock {
        $0.plant = .init(
          path: path, before: place, number: number, runs: $0.runs + 1...$0.runs + 1)
      }
      let layer = parameter.split(separator: ".").dropLast().joined(separator: ".")
      let good = learner.session.store.slots.map { ($0.name, learner.session.store.read($0.name)) }
      let fault: Fault?
      if response == .skip, learner.progress.faults.count < Fault.limit {
        fault = try step(learner).fault
        #expect(learner.progress.faults.last == fault)
        for (name, value) in good { #expect(learner.session.store.read(name) == value, "\(name)") }
      } else {
        fault = #expect(throws: Divergence.self) { try step(learner) }?.fault
        for (name, value) in good { learner.session.store.write(value.scalars, to: name) }
      }
      #expect(fault?.quantity == .gradient && fault?.layer == layer, "\(parameter): \(path)")
      #expect(fault?.step == learner.progress.step && fault?.response == response)
    }
  }

  @Test(arguments: [FaultResponse.stop, .skip], numbers)
  func images(response: FaultResponse, number: Float) throws {
    let learner = try learner(response, .init(path: "images", number: number, runs: 3...3))
    for _ in 0..<2 { #expect(try step(learner).fault == nil) }
    let good = learner.slotBits
    let fault: Fault?
    if response == .skip {
      let report = try step(learner)
      #expect(report.step == 3 && !report.loss.isFinite)
      fault = report.fault
      #expect(learner.differences(from: good) == [])
    } else {
      let error = #expect(throws: Divergence.self) { try step(learner) }
      fault = error?.fault
      #expect(error?.description.hasPrefix("in step 3 the images are ") == true)
      // The loss is known before the update: no parameter has changed.
      let changed = learner.differences(from: good)
      #expect(changed.allSatisfy { $0.contains(".running_") }, "\(changed)")
    }
    #expect(fault?.quantity == .images && fault?.layer == nil && fault?.step == 3)
    #expect(try step(learner).fault == nil)
  }

  /// Weights that are finite, but too large for what they are applied to.
  @Test(arguments: ["conv1", "layer2.0.conv1", "fc"]) func outputs(layer: String) throws {
    let learner = try learner()
    let store = learner.session.store
    let weights = store.read(layer + ".weight").scalars
    store.write(weights.map { _ in 3e38 }, to: layer + ".weight")
    let error = #expect(throws: Divergence.self) { try step(learner) }
    #expect(error?.fault.quantity == .output && error?.fault.layer == layer)
    #expect(
      error?.description.hasPrefix("in step 1 the output of \(layer) is ") == true)
  }

  /// A rate that is too high is refused in the same step, whatever is done about faults.
  @Test(arguments: FaultResponse.allCases, [Float(1e30), 3e38])
  func rates(response: FaultResponse, rate: Float) throws {
    var options = options(response)
    options.learningRate = rate
    let learner = try options.trainer()
    let error = try #require(throws: Divergence.self) { try learner.step() }
    #expect(error.fault.quantity == .update && error.fault.layer == "conv1")
    #expect(error.step == 1 && learner.progress.step == 1 && !error.allowsRollback)
    #expect(
      error.description
        == "in step 1 the update of conv1 is infinite at a learning rate of \(rate): training has "
        + "diverged; lower the learning rate (`learningRate`), or let it rise more slowly "
        + "(`warmupSteps`)")
  }

  // MARK: What is done

  /// Ten faults are skipped; the next one ends the run. Means are those of the other steps.
  @Test func limit() throws {
    let learner = try learner(.skip, .init(path: "images", number: .nan, runs: 3...13))
    var reports: [StepReport] = []
    var row: EpochReport?
    let error = #expect(throws: Divergence.self) {
      while !learner.isFinished { row = try learner.trainEpoch { reports.append($0) } ?? row }
    }
    #expect(reports.map(\.step) == Array(1...12))
    #expect(reports.filter { $0.fault != nil }.map(\.step) == Array(3...12))
    #expect(learner.progress.faults.map(\.step) == Array(3...12))
    #expect(error?.step == 13 && error?.earlierFaults == 10 && error?.allowsRollback == false)
    #expect(error?.description.contains(", with 10 steps before it left out: ") == true)
    #expect(row == nil)

    let other = try self.learner(.skip, .init(path: "images", number: .nan, runs: 3...5))
    reports = []
    row = try other.trainEpoch { reports.append($0) }
    let good = reports.filter { $0.fault == nil }
    #expect(good.count == 13)
    #expect(row?.trainingLoss == good.reduce(0.0) { $0 + Double($1.loss) } / 13)
    #expect(row?.trainingError == 100 * good.reduce(0.0) { $0 + Double($1.error) } / 13)
  }

  /// A run that goes back and leaves a batch out ends with the bits of one that never had it.
  @Test(arguments: ["images", "gradient", "weight"])
  func rollback(path: String) throws {
    let folder = try TemporaryFolder()
    let plant: PlantingDevice.Plant? =
      switch path {
      case "images": .init(path: path, number: .nan, runs: 6...6)
      case "gradient":
        .init(
          path: "gradient/layer2.0.conv1.filter", before: "update/layer2.0.conv1.weight",
          number: .nan, runs: 6...6)
      default: nil
      }
    let device = try PlantingDevice(plant)
    var options = options(.rollback)
    options.steps = 12
    let learner = try Learner(options, on: TinyData.dataset(), device: device)
    var reports: [StepReport] = []
    var isPlanted = path != "weight"
    var divergence: Divergence?
    while !learner.epochIsOver {
      if learner.progress.step == 3 { try Checkpoint.write(learner, in: folder.path) }
      if learner.progress.step == 5, !isPlanted {
        isPlanted = true
        learner.session.store.write([Float](repeating: -.infinity, count: 16), to: "bn1.bias")
      }
      do { reports.append(try learner.step()) } catch {
        divergence = error
        #expect(error.allowsRollback && error.step == 6)
        try learner.rollBack(error) { try Checkpoint.restore(learner, from: folder.path) }
        #expect(learner.progress.step == 3)
      }
    }
    let fault = try #require(divergence?.fault)
    #expect(reports.map(\.step) == [1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    #expect(reports[7].fault == fault && reports[7].loss.isNaN)
    #expect(learner.progress.faults == [fault])
    for slot in learner.session.store.slots {
      let values = learner.session.store.read(slot.name).scalars
      #expect(values.allSatisfy { $0.isFinite }, "\(slot.name)")
    }

    let other = try Learner(options, on: TinyData.dataset(), device: PlantingDevice())
    let known = try #require(divergence)
    other.rollBack(known) {}
    _ = try other.trainEpoch()
    #expect(other.differences(from: learner) == [])
  }

  @Test func faultsAreRecorded() throws {
    for quantity in Fault.Quantity.allCases {
      let fault = Fault(
        step: 7, quantity: quantity, layer: quantity == .loss ? nil : "conv1", value: .infinite,
        response: .rollback)
      let data = try JSONEncoder().encode(fault)
      #expect(try JSONDecoder().decode(Fault.self, from: data) == fault)
    }
  }

  // MARK: Norms

  @Test func norms() throws {
    let learner = try learner()
    let store = learner.session.store
    func square(_ numbers: [Double]) -> Double { numbers.reduce(0) { $0 + $1 * $1 } }
    let slots = store.slots.filter { $0.role == .parameter }
    let before = slots.map { store.readDouble($0.name) }
    let report = try learner.step()
    let norms = learner.layerNorms
    #expect(
      norms.map(\.layer) == [
        "conv1", "bn1", "layer1.0.conv1", "layer1.0.bn1", "layer1.0.conv2", "layer1.0.bn2",
        "layer2.0.conv1", "layer2.0.bn1", "layer2.0.conv2", "layer2.0.bn2", "layer3.0.conv1",
        "layer3.0.bn1", "layer3.0.conv2", "layer3.0.bn2", "fc",
      ])
    for norm in norms {
      var sums = (gradient: 0.0, weight: 0.0, update: 0.0)
      for (slot, old) in zip(slots, before) where slot.name.hasPrefix(norm.layer + ".") {
        let velocity = store.readDouble("momentum/" + slot.name)
        let rate = Double(learner.recipe.schedule.rate(at: 0, isWarm: true))
        sums.gradient += square(zip(velocity, old).map { $0 / rate - 1e-4 * $1 })
        sums.weight += square(old)
        sums.update += square(velocity)
      }
      #expect(abs(norm.gradient / sums.gradient.squareRoot() - 1) < 1e-4, "\(norm.layer)")
      #expect(abs(norm.weight / sums.weight.squareRoot() - 1) < 1e-6, "\(norm.layer)")
      #expect(abs(norm.update / sums.update.squareRoot() - 1) < 1e-6, "\(norm.layer)")
    }
    func total(_ norm: KeyPath<LayerNorms, Double>) -> Double {
      square(norms.map { $0[keyPath: norm] }).squareRoot()
    }
    #expect(abs(Double(report.gradientNorm) / total(\.gradient) - 1) < 1e-6)
    #expect(abs(Double(report.weightNorm) / total(\.weight) - 1) < 1e-6)
  }
}
