import Foundation
import Residual
import ResidualTestSupport
import Testing

/// Everything that the command does with a run, by the library that programs import.
@Suite struct RunTests {
  private static let data = Dataset(
    name: "mine", classNames: ["dark", "bright"], training: ReadmeTests.images,
    test: ReadmeTests.images)

  /// Ten steps in epochs of four.
  private static var options: RecipeOptions {
    var options = RecipeOptions()
    (options.model, options.steps, options.batchSize) = ("cifar-resnet8", 10, 16)
    return options
  }

  private static func learner(
    _ options: RecipeOptions = options, threads: Int = 1
  ) throws -> Learner<CPUDevice> {
    try Learner(options, on: data, device: CPUDevice(threads: threads))
  }

  private func words(_ event: RunEvent) -> String {
    switch event {
    case .step(let report): "step \(report.step)"
    case .epoch(let report): "epoch \(report.epoch)"
    case .checkpoint(let step): "checkpoint \(step)"
    case .warning(let warning): warning.message.description
    case .end: "end"
    }
  }

  @Test func eventsInOrder() throws {
    let folder = try TemporaryFolder()
    let run = try Run(Self.learner(), in: folder.path, named: "run")
    var events: [String] = []
    while let event = try run.next() { events.append(words(event)) }
    #expect(
      events == [
        "step 1", "step 2", "step 3", "step 4", "epoch 1", "checkpoint 4", "step 5", "step 6",
        "step 7", "step 8", "epoch 2", "checkpoint 8", "step 9", "step 10", "epoch 3",
        "checkpoint 10", "end",
      ])
    #expect(try run.next() == nil, "nothing comes after the end")
    let result = try run.finish()
    #expect(result.statistics == .exact && result.test?.images == 64 && result.best == nil)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run.folder).sorted()
        == ["config.yaml", "curves.svg", "last.safetensors", "metrics.csv", "timings.csv"])
    let classifier = try Classifier(at: result.model)
    let evaluation = try classifier.evaluate(ReadmeTests.images)
    #expect(evaluation.correct == result.test?.correct)
  }

  /// A run that stops before any of its steps, or while it is finished, ends in the same bits.
  @Test(arguments: [0, 1, 4, 7, 10])
  func interruptedResumedAndFinished(after steps: Int) throws {
    let folder = try TemporaryFolder()
    let whole = try Run(Self.learner(), in: folder.path, named: "whole")
    while try whole.next() != nil {}
    _ = try whole.finish()

    let first = try Run(Self.learner(), in: folder.path, named: "parts")
    var taken = 0
    let stopped = #expect(throws: RunStopped.self) {
      while let event = try first.next(until: { taken == steps && steps < 10 }) {
        if case .step = event { taken += 1 }
      }
      _ = try first.finish(until: { true })
    }
    #expect(stopped?.step == steps)

    let interrupted = try ResumedRun(latestIn: folder.path)
    #expect(interrupted.folder == folder["parts"])
    let learner = try Learner(
      interrupted.options, on: Self.data, from: interrupted.initial, device: CPUDevice(threads: 2))
    let second = try Run(learner, resuming: interrupted.folder)
    #expect(second.isResumed == (steps > 0) && second.folder == first.folder)
    while try second.next() != nil {}
    _ = try second.finish()
    for name in ["last.safetensors", "metrics.csv", "config.yaml"] {
      #expect(
        try folder.data("whole/\(name)") == folder.data("parts/\(name)"), "\(name) after \(steps)")
    }
    #expect(throws: CheckpointError.finished(file: folder["parts/last.safetensors"])) {
      try ResumedRun(at: folder["parts"])
    }
    #expect(throws: CheckpointError.nothingToResume(folder: folder.path)) {
      try ResumedRun(latestIn: folder.path)
    }
  }

  /// The best network on the validation images is kept, and both are finished.
  @Test func theBestNetwork() throws {
    let folder = try TemporaryFolder()
    var options = Self.options
    options.validation = 16
    let run = try Run(Self.learner(options), in: folder.path, named: "run")
    while try run.next() != nil {}
    let result = try run.finish()
    #expect(result.best == folder["run/best.safetensors"])
    #expect(result.validation?.images == 16 && result.bestTest?.images == 64)
    #expect(try ModelFile(at: folder["run/best.safetensors"]).statistics == .exact)
  }

  /// What a program gives wrongly is an error, not a trap.
  @Test func mistakesWithData() throws {
    #expect(throws: ImageError.self) {
      try ImageSet(height: 4, width: 4, pixels: [1, 2, 3], labels: [0])
    }
    #expect(throws: ImageError.self) { try Image(width: 0, height: 4, pixels: []) }
    let strange = try ImageSet(
      height: 32, width: 32, pixels: [UInt8](repeating: 1, count: 16 * 3072),
      labels: [Int32](repeating: 7, count: 16))
    let data = Dataset(name: "strange", classNames: ["a", "b"], training: strange)
    #expect(throws: SampleError.label(7, network: "cifar-resnet8", classes: 2)) {
      try Learner(Self.options, on: data, device: CPUDevice(threads: 1))
    }
    let network = Network(name: "mine", inputSide: 32, classes: 3) {
      GlobalAveragePooling()
      FullyConnected("fc", 3)
    }
    #expect(throws: SampleError.classes(found: 2, network: "mine", expected: 3)) {
      try Learner(
        network, by: Self.options.resolved(on: Self.data), on: Self.data,
        device: CPUDevice(threads: 1))
    }
    #expect(throws: DatasetError.noPart(.training, location: "none")) {
      try Learner(
        Self.options, on: Dataset(name: "none", classNames: ["a", "b"], parts: [:]),
        device: CPUDevice(threads: 1))
    }
  }
}
