import Foundation
import ResidualCPU
import ResidualRuns
import ResidualTestSupport
import Testing

/// Runs that meet numbers that are not finite.
@Suite struct RollbackTests {
  private func options(_ response: FaultResponse) -> RecipeOptions {
    var options = RecipeOptions.tiny(steps: 12)
    (options.faultResponse, options.warmupSteps, options.watch) = (response, 0, true)
    options.checkpoints.steps = 3
    return options
  }

  private func run(
    _ options: RecipeOptions, _ plant: PlantingDevice.Plant?, in folder: TemporaryFolder,
    named name: String
  ) throws -> Run<PlantingDevice> {
    let learner = try Learner(options, on: TinyData.dataset(), device: PlantingDevice(plant))
    return try Run(learner, in: folder.path, named: name)
  }

  /// The images of the sixth step are spoilt, once in `rollback` and at each try in `stop`.
  private func plant(_ number: Float) -> PlantingDevice.Plant {
    .init(path: StepTensor.images, number: number, runs: 6...6)
  }

  /// A run that goes back ends in the bits of one that has left out the step from the start, and knows it.
  @Test(arguments: [Float.nan, .infinity])
  func goingBack(number: Float) throws {
    let folder = try TemporaryFolder()
    let first = try run(options(.rollback), plant(number), in: folder, named: "back")
    var warnings: [RunWarning] = []
    while let event = try first.next() {
      if case .warning(let warning) = event { warnings.append(warning) }
    }
    guard case .rolledBack(let fault, let step) = warnings.first else {
      Issue.record("\(warnings)")
      return
    }
    #expect(warnings.count == 1 && fault.step == 6 && fault.quantity == .images && step <= 5)
    let result = try first.finish()
    #expect(result.faults == [fault])
    #expect(
      first.learner.slotBits.values.allSatisfy { $0.allSatisfy { Float(bitPattern: $0).isFinite } })

    let second = try run(options(.rollback), nil, in: folder, named: "known")
    second.learner.leaveOut([fault])
    while try second.next() != nil {}
    _ = try second.finish()
    for name in ["metrics.csv", "last.safetensors", "result.json"] {
      #expect(try folder.data("back/\(name)") == folder.data("known/\(name)"), "\(name)")
    }
    // Of the step that is left out there is no row, of each other one a row a layer.
    let rows = try folder.text("back/norms.csv").split(separator: "\n").dropFirst()
    let steps = rows.compactMap { Int($0.prefix { $0 != "," }) }
    #expect(Set(steps) == Set(1...12).subtracting([6]))
    #expect(steps == steps.sorted() && steps.count == 11 * first.learner.layerNorms.count)
  }

  /// What was left out stays so where the run is interrupted later.
  @Test func interruptedAfterwards() throws {
    let folder = try TemporaryFolder()
    let whole = try run(options(.rollback), plant(.nan), in: folder, named: "whole")
    while try whole.next() != nil {}
    _ = try whole.finish()
    try interrupt(run(options(.rollback), plant(.nan), in: folder, named: "cut"), after: 8)
    let interrupted = try ResumedRun(at: folder["cut"])
    let learner = try Learner(
      interrupted.options, on: TinyData.dataset(), device: PlantingDevice())
    let rest = try Run(learner, resuming: interrupted)
    #expect(rest.learner.progress.faults.map(\.step) == [6])
    while try rest.next() != nil {}
    _ = try rest.finish()
    for name in ["metrics.csv", "last.safetensors", "result.json", "norms.csv"] {
      #expect(try folder.data("whole/\(name)") == folder.data("cut/\(name)"), "\(name)")
    }
  }

  private func interrupt(_ run: consuming Run<PlantingDevice>, after step: Int) throws {
    #expect(throws: RunStopped.self) {
      while try run.next(until: { [learner = run.learner] in learner.progress.step == step }) != nil
      {}
    }
  }

  @Test func stoppingAndSkipping() throws {
    let folder = try TemporaryFolder()
    let stopping = try run(options(.stop), plant(.nan), in: folder, named: "stop")
    let error = #expect(throws: Divergence.self) { while try stopping.next() != nil {} }
    #expect(error?.step == 6)
    let status = RunStatus(in: folder["stop"])
    #expect(status?.state == .failed && status?.reason?.contains("images are NaN") == true)

    let skipping = try run(options(.skip), plant(.nan), in: folder, named: "skip")
    while try skipping.next() != nil {}
    #expect(try skipping.finish().faults.map(\.step) == [6])
  }

  /// A rate that is too high is no matter of one batch.
  @Test func ratesAreRefused() throws {
    let folder = try TemporaryFolder()
    var options = options(.rollback)
    options.learningRate = 3e38
    let run = try run(options, nil, in: folder, named: "rate")
    let error = #expect(throws: Divergence.self) { while try run.next() != nil {} }
    #expect(error?.allowsRollback == false || (error?.earlierFaults ?? 0) == Fault.limit)
  }
}
