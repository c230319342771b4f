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
    options.statisticsPass = .plain
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
    // Checkpoints are written beside training, and of those that wait the newest alone.
    #expect(
      events.filter { !$0.hasPrefix("checkpoint") } == [
        "step 1", "step 2", "step 3", "step 4", "epoch 1", "step 5", "step 6",
        "step 7", "step 8", "epoch 2", "step 9", "step 10", "epoch 3", "end",
      ])
    #expect(events.dropLast().last == "checkpoint 10", "the last one comes before the end")
    #expect(try run.next() == nil, "nothing comes after the end")
    let result = try run.finish()
    #expect(result.statistics == .exact && result.test?.images == 64 && result.best == nil)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: run.folder).sorted()
        == [
          "config.yaml", "curves.svg", "last.safetensors", "metrics.csv", "result.json", "run.lock",
          "timings.csv",
        ])
    #expect(RunResult(in: run.folder) == result)
    let classifier = try Classifier(at: result.model)
    let evaluation = try classifier.evaluate(ReadmeTests.images)
    #expect(evaluation.correct == result.test?.correct)
  }

  /// Resumes a run, on two threads, and takes it to its end.
  private func finish(_ interrupted: ResumedRun) throws {
    let learner = try Learner(
      interrupted.options, on: Self.data, from: interrupted.initial, device: CPUDevice(threads: 2))
    let second = try Run(learner, resuming: interrupted)
    #expect(second.isResumed && second.folder == interrupted.folder)
    while try second.next() != nil {}
    _ = try second.finish()
  }

  /// A run that stops between any steps, or while it is finished, ends in the same bits.
  @Test(arguments: [1, 4, 7, 10])
  func interruptedResumedAndFinished(after steps: Int) throws {
    let folder = try TemporaryFolder()
    let whole = try Run(Self.learner(), in: folder.path, named: "whole")
    while try whole.next() != nil {}
    _ = try whole.finish()

    let stopped = try Self.interrupted(after: steps, in: folder)
    #expect(stopped?.step == steps && stopped?.problem == nil)
    let interrupted = try ResumedRun(latestIn: folder.path)
    #expect(interrupted.folder == folder["parts"] && interrupted.remarks == [])
    try finish(interrupted)
    for name in ["last.safetensors", "metrics.csv", "config.yaml", "result.json"] {
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

  /// A run in `parts` that was asked to stop.
  private static func interrupted(
    after steps: Int, _ options: RecipeOptions = options, in folder: TemporaryFolder
  ) throws -> RunStopped? {
    let first = try Run(learner(options), in: folder.path, named: "parts")
    var taken = 0
    do {
      while let event = try first.next(until: { taken == steps && steps < 10 }) {
        if case .step = event { taken += 1 }
      }
      _ = try first.finish(until: { true })
    } catch let stopped as RunStopped { return stopped }
    return nil
  }

  @Test func beforeTheFirstStepNothingIsLeft() throws {
    let folder = try TemporaryFolder()
    #expect(try Self.interrupted(after: 0, in: folder) == RunStopped(step: nil, problem: nil))
    #expect(try folder.names == [])
  }

  /// Damaged checkpoints are passed over and named, and the bits are the same in the end.
  @Test func tornCheckpointsArePassedOver() throws {
    let folder = try TemporaryFolder()
    let whole = try Run(Self.learner(), in: folder.path, named: "whole")
    while try whole.next() != nil {}
    _ = try whole.finish()
    var options = Self.options
    (options.checkpoints.steps, options.checkpoints.kept) = (1, 100)
    _ = try Self.interrupted(after: 7, options, in: folder)
    let older = try folder.files(in: "parts").filter { $0.hasPrefix("checkpoint-") }
    #expect(!older.isEmpty)
    let last = folder["parts/last.safetensors"]
    try folder.data("parts/last.safetensors").dropLast(5).write(to: URL(fileURLWithPath: last))
    let interrupted = try ResumedRun(at: folder["parts"])
    #expect(interrupted.remarks.count == 1 && interrupted.remarks[0].contains(last))
    try finish(interrupted)
    for name in ["last.safetensors", "metrics.csv"] {
      #expect(try folder.data("whole/\(name)") == folder.data("parts/\(name)"), "\(name)")
    }
    #expect(try folder.files(in: "parts").filter { $0.hasPrefix("checkpoint-") } == [])
  }

  /// Of older checkpoints as many stay as are asked for; rungs of the ladder stay for good.
  @Test func whichCheckpointsStay() throws {
    let folder = try TemporaryFolder()
    var options = Self.options
    (options.checkpoints.steps, options.checkpoints.kept, options.checkpoints.rungs) = (1, 2, 3)
    _ = try Self.interrupted(after: 9, options, in: folder)
    func steps() throws -> [Int] {
      try folder.files(in: "parts").compactMap {
        $0.hasPrefix("checkpoint-") ? Int($0.dropFirst(11).dropLast(12)) : nil
      }.sorted()
    }
    // Thirds of ten steps are the fourth, the seventh and the tenth.
    let rungs: Set = [4, 7]
    let there = Set(try steps())
    #expect(rungs.isSubset(of: there) && there.subtracting(rungs).count <= 2)
    try finish(try ResumedRun(at: folder["parts"]))
    #expect(try steps() == [4, 7, 10])
  }

  /// Two runs cannot work in one folder.
  @Test func aFolderHasOneWriter() throws {
    let folder = try TemporaryFolder()
    let run = try Run(Self.learner(), in: folder.path, named: "parts")
    for _ in 0..<3 { _ = try run.next() }
    _ = try? run.next(until: { true })
    let interrupted = try ResumedRun(at: folder["parts"])
    #expect(throws: RunInUse.self) { try Run(Self.learner(), resuming: interrupted) }
    withExtendedLifetime(run) {}
  }

  /// The run that a repeated command goes on with.
  @Test func theSameSettings() throws {
    let folder = try TemporaryFolder()
    _ = try Self.interrupted(after: 5, in: folder)
    var remarks: [String] = []
    func found(_ change: (inout RecipeOptions) -> Void = { _ in }, named: String? = nil) throws
      -> String
    {
      var options = Self.options
      change(&options)
      remarks = []
      let resolved = try options.resolved(on: Self.data).options
      switch try EarlierRun.newest(resolved, in: folder.path, named: named, remarks: &remarks) {
      case .interrupted(let run): return "interrupted " + run.folder
      case .unbegun(let folder): return "unbegun " + folder
      case .finished(let folder): return "finished " + folder
      case nil: return "none"
      }
    }
    #expect(try found() == "interrupted " + folder["parts"] && remarks == [])
    #expect(try found(named: "parts") == "interrupted " + folder["parts"])
    #expect(try found(named: "part") == "none" && remarks == [])
    #expect(try found { $0.checkpoints.minutes = 3 } == "interrupted " + folder["parts"])
    #expect(try found { $0.learningRate = 0.2 } == "none")
    #expect(remarks == ["passed over \(folder["parts"]): its settings are others (lr)"])
    try finish(try ResumedRun(at: folder["parts"]))
    #expect(try found() == "finished " + folder["parts"])
  }

  /// What is given again must be the run's.
  @Test func settingsThatAreRepeated() throws {
    let folder = try TemporaryFolder()
    _ = try Self.interrupted(after: 5, in: folder)
    let run = try ResumedRun(at: folder["parts"])
    var given = Self.options
    #expect(try run.options(given: given, on: Self.data) == run.options)
    given.checkpoints.minutes = 3
    #expect(try run.options(given: given, on: Self.data).checkpoints.minutes == 3)
    given.learningRate = 0.2
    #expect(
      throws: CheckpointError.otherSettings(folder: folder["parts"], settings: ["lr 0.1, not 0.2"])
    ) { try run.options(given: given, on: Self.data) }
  }

  /// A run of the first version of checkpoints, a model and a state beside it.
  @Test func formerCheckpointsAreResumed() throws {
    let folder = try TemporaryFolder()
    let whole = try Run(Self.learner(), in: folder.path, named: "whole")
    while try whole.next() != nil {}
    _ = try whole.finish()
    _ = try Self.interrupted(after: 6, in: folder)
    // The same state in the form of that version.
    let path = folder["parts/last.safetensors"]
    let file = try Safetensors(at: path)
    let state = "last.optimizer-6.safetensors"
    var (model, training): ([SafetensorsEntry], [SafetensorsEntry]) = ([], [])
    for name in file.names {
      guard name.hasPrefix("training/") else {
        model.append(SafetensorsEntry(name, try file.floats(name)))
        continue
      }
      let former =
        name == "training/warmup_errors" ? "trainer.warmup_errors" : String(name.dropFirst(9))
      training.append(SafetensorsEntry(former, try file.floats(name)))
    }
    let fields = file.metadata.filter { $0.key.hasPrefix("training.") }
    let description = file.metadata.filter {
      !$0.key.hasPrefix("training.") && !$0.key.hasPrefix("sha256.")
    }
    try Safetensors.write(
      training,
      metadata: Dictionary(
        uniqueKeysWithValues: fields.map { (String($0.key.dropFirst(9)), $0.value) }),
      to: folder["parts/" + state])
    try Safetensors.write(
      model, metadata: description.merging(["provenance.optimizer_state": state]) { $1 }, to: path)
    try finish(try ResumedRun(at: folder["parts"]))
    for name in ["last.safetensors", "metrics.csv"] {
      #expect(try folder.data("whole/\(name)") == folder.data("parts/\(name)"), "\(name)")
    }
    #expect(try folder.files(in: "parts").contains(state) == false)
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
