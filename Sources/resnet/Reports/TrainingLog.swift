import ResidualFigures
import ResidualRuns

/// What a person sees of a training run, on standard error.
struct TrainingLog<D: CommandDevice> {
  private let run: Run<D>
  private let terminal: Terminal
  private let begin = ContinuousClock.now
  private var bar: ProgressBar

  init(_ run: Run<D>, on terminal: Terminal, interval: Int) {
    self.run = run
    self.terminal = terminal
    let (learner, batch) = (run.learner, run.learner.recipe.batchSize)
    bar = ProgressBar(
      "training", total: learner.recipe.schedule.steps * batch,
      completed: learner.progress.step * batch, on: terminal,
      plainInterval: .updates(max(1, interval)))
  }

  private var learner: Learner<D> { run.learner }
  /// Seconds since the run began.
  var seconds: Double { (ContinuousClock.now - begin) / .seconds(1) }

  /// What is about to happen, and how long it will take.
  func start(from initial: InitialModel?) {
    let recipe = learner.recipe
    let test = learner.testCount.map { ", \($0.grouped) for testing" } ?? ""
    let validation = learner.validationCount.map { ", \($0.grouped) for validation" } ?? ""
    terminal.note(
      terminal.styled(learner.network.name, .bold)
        + " on \(learner.dataName): \(learner.trainingCount.grouped) images for training"
        + validation + test)
    for remark in learner.remarks { terminal.note(remark) }
    tellBeginning(initial)
    if run.isResumed { terminal.note("resuming after step \(learner.progress.step.grouped)") }
    terminal.note(
      "\(recipe.schedule.steps.counted("step")) of \(recipe.batchSize.counted("image")), "
        + "\(learner.epochs.counted("epoch")); about \(ProgressLine.time(expectedSeconds)) on "
        + learner.session.device.summary)
    terminal.note(
      MemoryFlags.remark(ByteSize.text(learner.memory.total), learner.recomputation))
    terminal.note("run folder: \(run.folder)")
  }

  /// Which tensors were loaded, replaced and frozen.
  private func tellBeginning(_ initial: InitialModel?) {
    let network = learner.network
    if let initial, let transfer = learner.transfer, !run.isResumed {
      for remark in initial.remarks {
        terminal.note("\(initial.file): \(remark.text(for: .commandLine))".onOneLine)
      }
      let there = initial.model.network.classes
      let replaced = transfer.replaced.joined(separator: ", ").onOneLine
      terminal.note(
        "loaded \(transfer.loaded.count) tensors (\(Self.parts(transfer.loaded.keys))) from "
          + initial.file
          + (replaced.isEmpty ? "" : "; replaced \(replaced)")
          + (there == network.classes ? "" : " (\(there) classes there, \(network.classes) here)"))
      if there == network.classes, initial.model.classNameSource != .numbers,
        initial.model.classNames != learner.classNames
      {
        terminal.note("its classes have other names; the classifier starts from their weights")
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
      "frozen: \(network.frozen.count.counted("parameter")) (\(Self.parts(network.frozen)))"
        + (usesRunningStatistics
          ? "; their batch normalisation uses its running statistics" : ""))
  }

  /// The parts of a network that parameters are of: the first components of their paths.
  private static func parts(_ names: some Sequence<String>) -> String {
    let parts = Set(names.map { String($0.prefix { $0 != "." }) }).sorted()
    return (parts.prefix(12) + (parts.count > 12 ? ["…"] : [])).joined(separator: ", ").onOneLine
  }

  /// An estimate from the network's arithmetic and the device's speed.
  private var expectedSeconds: Double {
    let recipe = learner.recipe
    let multiplyAdds = (try? NetworkSummary(learner.network))?.multiplyAdds ?? 0
    // Backward is twice forward.
    let trained = 3 * (recipe.schedule.steps - learner.progress.step) * recipe.batchSize
    let epochsLeft = learner.epochs - learner.progress.step / learner.stepsPerEpoch
    let evaluated = (epochsLeft + 1) * (learner.validationCount ?? learner.testCount ?? 0)
    let counted = learner.usesExactStatistics ? learner.trainingCount : 0
    let operations = 2 * Double(multiplyAdds) * Double(trained + evaluated + counted)
    return operations / learner.session.device.expectedOperations
  }

  /// Reports what has happened.
  mutating func show(_ event: RunEvent) {
    switch event {
    case .step(let report):
      if let end = report.warmupEnd {
        bar.note("step \(report.step): \(describe(end, report.step))")
      }
      if let fault = report.fault, fault.response == .skip {
        bar.note("warning: \(fault): the step is left out")
      }
      bar.update(
        completed: report.step * learner.recipe.batchSize,
        extra: "loss \(NumberFormat.fixed(Double(report.loss), decimals: 3))")
    case .epoch(let epoch):
      let evaluated =
        epoch.evaluation.map {
          ", \(epoch.part?.rawValue ?? "") error \(fixed($0.error, 2)) %"
        } ?? ""
      bar.note(
        "epoch \(epoch.epoch)/\(learner.epochs): training error \(fixed(epoch.trainingError, 2)) %"
          + "\(evaluated), rate \(epoch.learningRate)")
    case .checkpoint: break
    case .warning(let warning): bar.note("warning: " + warning.message.text(for: .commandLine))
    case .end: bar.finish()
    }
  }

  private func describe(_ end: WarmupEnd, _ step: Int) -> String {
    let schedule = learner.recipe.schedule
    func percent(_ share: Float) -> String { "\((Double(share) * 1000).rounded() / 10) %" }
    let bound = percent(schedule.warmup?.error ?? 0)
    return switch end {
    case .errorBelow(let error):
      "the training error of the last \(Schedule.Warmup.window) steps is \(percent(error)), below "
        + "\(bound): the learning rate rises to \(schedule.rate)"
    case .limitReached:
      "\(step) steps are over: the learning rate rises to \(schedule.rate), although the training "
        + "error has not fallen below \(bound)"
    }
  }

  /// Ends the bar's line where training stops early.
  mutating func stop() { bar.finish(extra: "stopped") }

  func interrupted(_ stopped: RunStopped) {
    guard let step = stopped.step else {
      terminal.warn("stopped before the first step; nothing is left behind")
      return
    }
    if let problem = stopped.problem { terminal.warn("the last steps are not saved: \(problem)") }
    terminal.warn(
      "interrupted after step \(step.grouped); to resume: \(programName) train --resume \(shellQuoted(run.folder))"
    )
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
