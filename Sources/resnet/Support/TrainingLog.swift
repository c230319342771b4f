import ResidualFigures
import ResidualTraining

/// What a person sees of a training run, on standard error.
struct TrainingLog<D: CommandDevice> {
  private let trainer: Trainer<D>
  /// Whether the run goes on from a checkpoint of its own.
  let isResumed: Bool
  private let folder: String
  private let terminal: Terminal
  private let clock = ContinuousClock()
  let begin: ContinuousClock.Instant
  private var epochBegin: ContinuousClock.Instant
  private var epochStart: Int
  private var bar: ProgressBar

  init(_ trainer: Trainer<D>, folder: String, on terminal: Terminal, interval: Int) {
    self.trainer = trainer
    self.folder = folder
    self.terminal = terminal
    begin = clock.now
    epochBegin = begin
    epochStart = trainer.step
    isResumed = trainer.step > 0
    let batch = trainer.recipe.batchSize
    bar = ProgressBar(
      "training", total: trainer.recipe.schedule.steps * batch, completed: trainer.step * batch,
      on: terminal, plainInterval: .updates(max(1, interval)))
  }

  /// What is about to happen, and how long it will take.
  func start(_ data: Dataset, _ device: D, from initial: InitialModel?) {
    let recipe = trainer.recipe
    let test = data.test.map { ", \(grouped($0.count)) for testing" } ?? ""
    let validation =
      trainer.validationCount.map { ", \(grouped($0)) for validation" } ?? ""
    terminal.note(
      terminal.styled(trainer.network.name, .bold)
        + " on \(data.name): \(grouped(trainer.trainingCount)) images for training"
        + validation + test
    )
    for remark in data.remarks { terminal.note(remark) }
    tellBeginning(initial)
    if trainer.step > 0 { terminal.note("going on after step \(grouped(trainer.step))") }
    terminal.note(
      "\(counted(recipe.schedule.steps, "step")) of \(counted(recipe.batchSize, "image")), "
        + "\(counted(trainer.epochs, "epoch")); about \(ProgressLine.time(expectedSeconds(data, device))) on "
        + device.summary)
    terminal.note(MemoryOptions.remark(trainer.memory, trainer.recomputation))
    terminal.note("run folder: \(folder)")
  }

  /// Which tensors were loaded, replaced and frozen.
  private func tellBeginning(_ initial: InitialModel?) {
    let network = trainer.network
    if let initial, let transfer = trainer.transfer, !isResumed {
      for remark in initial.remarks { terminal.note("\(initial.file): \(remark)".onOneLine) }
      let there = initial.model.network.classes
      let replaced = transfer.replaced.joined(separator: ", ").onOneLine
      terminal.note(
        "loaded \(transfer.loaded.count) tensors (\(Self.parts(transfer.loaded.keys))) from "
          + initial.file
          + (replaced.isEmpty ? "" : "; replaced \(replaced)")
          + (there == network.classes ? "" : " (\(there) classes there, \(network.classes) here)"))
      if there == network.classes, initial.namesClasses,
        initial.model.classNames != trainer.classNames
      {
        terminal.note("its classes have other names; the classifier begins with their weights")
      }
    }
    guard !network.frozen.isEmpty else { return }
    let usesRunningStatistics = network.graph(.training).nodes.contains { node in
      if case .batchNormalization(let rule) = node.operation {
        rule.statistics == .fixed
      } else {
        false
      }
    }
    terminal.note(
      "frozen: \(counted(network.frozen.count, "parameter")) (\(Self.parts(network.frozen)))"
        + (usesRunningStatistics
          ? "; their batch normalisation uses its running statistics" : ""))
  }

  /// The parts of a network that parameters are of: the first components of their paths.
  private static func parts(_ names: some Sequence<String>) -> String {
    let parts = Set(names.map { String($0.prefix { $0 != "." }) }).sorted()
    return (parts.prefix(12) + (parts.count > 12 ? ["…"] : [])).joined(separator: ", ").onOneLine
  }

  /// An estimate from the network's arithmetic and the device's speed.
  private func expectedSeconds(_ data: Dataset, _ device: D) -> Double {
    let recipe = trainer.recipe
    let multiplyAdds = (try? NetworkSummary(trainer.network))?.multiplyAdds ?? 0
    // Backward is twice forward.
    let trained = 3 * (recipe.schedule.steps - trainer.step) * recipe.batchSize
    let epochsLeft = trainer.epochs - trainer.step / trainer.stepsPerEpoch
    let evaluated = (epochsLeft + 1) * (trainer.validationCount ?? data.test?.count ?? 0)
    let counted = trainer.usesExactStatistics ? trainer.trainingCount : 0
    let operations = 2 * Double(multiplyAdds) * Double(trained + evaluated + counted)
    return operations / device.expectedOperations
  }

  /// Called after every step.
  ///
  /// - Throws: ``Interruption/Interrupted``.
  mutating func observe(_ report: StepReport) throws {
    if let end = report.warmupEnd { bar.note("step \(report.step): \(end)") }
    bar.update(
      completed: report.step * trainer.recipe.batchSize,
      extra: "loss \(NumberFormat.fixed(Double(report.loss), decimals: 3))")
    // An epoch's last step belongs together with its record; the caller checks after that.
    let endsEpoch =
      report.step % trainer.stepsPerEpoch == 0 || report.step == trainer.recipe.schedule.steps
    if !endsEpoch { try Interruption.check() }
  }

  /// Reports an epoch.
  mutating func finishEpoch(_ epoch: EpochReport) -> RunFolder.Timing {
    let now = clock.now
    let timing = RunFolder.Timing(
      seconds: (now - epochBegin) / .seconds(1),
      images: (epoch.step - epochStart) * trainer.recipe.batchSize)
    (epochBegin, epochStart) = (now, epoch.step)
    let part = trainer.hasValidation ? "validation" : "test"
    let evaluated =
      epoch.evaluation.map { ", \(part) error \(fixed($0.error, 2)) %" } ?? ""
    bar.note(
      "epoch \(epoch.epoch)/\(trainer.epochs): training error \(fixed(epoch.trainingError, 2)) %"
        + "\(evaluated), rate \(epoch.learningRate)")
    return timing
  }

  mutating func finishTraining() { bar.finish() }
  /// Ends the bar's line where training stops early.
  mutating func stop() { bar.finish(extra: "stopped") }
  func note(_ text: String) { terminal.note(text) }

  /// What was learnt, where it is, and what to type next.
  func conclude(_ result: TrainingResult) {
    if let test = result.test {
      terminal.note(
        terminal.styled("test accuracy \(fixed(test.top1, 2)) %", .green)
          + " on \(grouped(test.images)) images (loss \(fixed(test.loss, 3))), "
          + "training error \(fixed(result.trainingError, 2)) %, "
          + ProgressLine.time(result.seconds))
    } else {
      terminal.note("training error \(fixed(result.trainingError, 2)) %; there are no test images")
    }
    if let best = result.best {
      terminal.note("best on the validation images: \(best)")
    } else {
      terminal.note(
        "no best.safetensors: without validation images (--validation 5000) there is nothing to "
          + "choose it on; the test images only report")
    }
    terminal.note("network: \(result.model)")
    terminal.note("curves:  \(folder)/\(RunFolder.curvesName)")
    let data = trainer.recipe.data.map { " " + shellQuoted($0) } ?? ""
    let part = result.test == nil ? " --part training" : ""
    let arguments = shellQuoted(result.model) + data + part + " --confusion confusion.svg"
    terminal.note("next:    \(programName) evaluate \(arguments)")
  }

  func interrupted(at step: Int) {
    terminal.warn(
      "interrupted after step \(grouped(step)); to go on: \(programName) train --resume \(shellQuoted(folder))"
    )
  }

  private func grouped(_ number: Int) -> String { NumberFormat.grouped(number) }
  private func counted(_ number: Int, _ noun: String) -> String {
    grouped(number) + " " + noun + (number == 1 ? "" : "s")
  }
  private func fixed(_ number: Double, _ decimals: Int) -> String {
    NumberFormat.fixed(number, decimals: decimals)
  }
}

/// How the program was called, for commands that a person can type.
var programName: String { shellQuoted(CommandLine.arguments.first ?? "resnet") }

/// A path as a shell takes it.
func shellQuoted(_ text: String) -> String {
  let plain = text.allSatisfy { $0.isLetter || $0.isNumber || "/._-+=:,@%".contains($0) }
  return plain && !text.isEmpty
    ? text
    : "'"
      + text.split(
        separator: "'", omittingEmptySubsequences: false
      ).joined(separator: "'\\''") + "'"
}
