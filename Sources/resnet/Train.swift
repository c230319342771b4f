import ArgumentParser
import Foundation
import ResidualFigures
import ResidualTraining

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network by the paper's recipe.",
    discussion: """
      Without DATA: ResNet-20 on images that the program draws, in a few minutes. With DATA: the \
      paper's 64,000 steps, unless --epochs or --steps say otherwise. With --initial-checkpoint: on \
      from a model that there is; a classifier of other classes begins anew.
      """)

  @OptionGroup(title: "Recipe") var recipeArguments: RecipeArguments
  @Option(help: ArgumentHelp("The folder that run folders go to.", valueName: "folder"))
  var output = "runs"
  @Option(help: ArgumentHelp("The run folder's name.", valueName: "name"))
  var experiment: String?
  @Option(
    help: ArgumentHelp(
      "Go on with an interrupted run: its folder, or 'auto' for the latest one in --output.",
      valueName: "auto|folder"))
  var resume: String?
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Steps between two lines where there is no terminal.", valueName: "n"))
  var logInterval = 50
  @OptionGroup(title: "Machine") var deviceOptions: DeviceOptions
  @OptionGroup(title: "Output") var outputOptions: OutputOptions

  func validate() throws {
    guard logInterval >= 1 else {
      throw UsageError("--log-interval \(logInterval) is out of range: at least 1")
    }
    if let experiment { try RunFolders.checkName(experiment) }
  }

  func run() throws {
    let terminal = outputOptions.terminal
    let resumed = try resume.map { try RunFolders.interrupted($0, in: output) }
    var options = try resumed.map(recipeArguments.options(resuming:)) ?? recipeArguments.options()
    let initial = try initialModel(for: &options, resuming: resumed)
    let recipe = try options.resolved(trainingCount: nil)
    _ = try recipe.network(classes: nil)
    try OutputError.checkWritable(folder: resumed ?? output, option: "--output")
    let record = try resumed.flatMap { try DeviceRecord(in: $0) }
    let device = try deviceOptions.device(on: terminal, resuming: record)
    if let record, let new = device.record, !new.algorithms.isOfSameMachine(record.algorithms) {
      terminal.warn(
        "the run began on \(record.algorithms.machine); here, algorithms are chosen anew, and bits "
          + "will differ")
    }
    try train(options, side: recipe.inputSide, from: initial, resuming: resumed, on: device)
  }

  /// The model to begin with. A run that goes on needs only its own.
  private func initialModel(for options: inout RecipeOptions, resuming folder: String?) throws
    -> InitialModel?
  {
    if let folder {
      guard options.initialCheckpoint != nil else { return nil }
      let initial = try InitialModel(resuming: folder)
      options.definition = initial.model.network.definition
      return initial
    }
    guard let initial = try InitialModel(options) else { return nil }
    options = try initial.filling(options)
    return initial
  }

  private func train(
    _ options: RecipeOptions, side: Int, from initial: InitialModel?, resuming resumed: String?,
    on device: some CommandDevice
  ) throws {
    let terminal = outputOptions.terminal
    let data = try Dataset.open(options.dataPath, side: side)
    let recipe = try options.resolved(on: data)
    let trainer = try Trainer(recipe, on: data, from: initial, device: device)
    if let resumed { try Checkpoint.restore(trainer, from: resumed) }
    Interruption.install()
    var run = try openFolder(resumed, trainer)
    var recorded = try record(device, in: run.path, after: nil)
    var log = TrainingLog(trainer, folder: run.path, on: terminal, interval: logInterval)
    log.start(data, device, from: initial)
    var provenance = [
      "data": data.name, "seed": String(recipe.seed), "version": Version.current,
    ]
    provenance["initial_checkpoint"] = recipe.initial.map {
      URL(fileURLWithPath: $0.path).lastPathComponent
    }
    do {
      while let epoch = try trainer.trainEpoch(observe: { try log.observe($0) }) {
        let row = MetricsRow(epoch, part: trainer.hasValidation ? "validation" : "test")
        try OutputError.wrap {
          let isBest = try run.record(row, log.finishEpoch(epoch))
          try run.drawCurves(title: trainer.network.name, drops: recipe.schedule.milestones)
          if isBest, trainer.hasValidation {
            try trainer.model(provenance: provenance)
              .write(to: run.path + "/" + RunFolder.bestName)
          }
          try Checkpoint.write(trainer, in: run.path, provenance: provenance)
        }
        recorded = try record(device, in: run.path, after: recorded)
        try Interruption.check()
      }
      guard let last = run.rows.last else { throw CheckpointError.finished(file: run.path) }
      let result = try TrainingResult(
        finishing: trainer, after: last, in: run.path, provenance: provenance, log: &log)
      _ = try record(device, in: run.path, after: recorded)
      if outputOptions.json { try JSONDocument.print(result) }
      log.conclude(result)
    } catch {
      log.stop()
      guard error is Interruption.Interrupted else { throw error }
      // Once all steps are done, the last epoch's checkpoint is what a resumption begins with.
      if !trainer.isFinished {
        try OutputError.wrap {
          try Checkpoint.write(trainer, in: run.path, provenance: provenance)
        }
      }
      log.interrupted(at: trainer.step)
      throw error
    }
  }

  /// Notes what a resumed run needs for the same bits; evaluations add to it.
  private func record(
    _ device: some CommandDevice, in folder: String, after last: DeviceRecord?
  ) throws -> DeviceRecord? {
    let record = device.record
    try OutputError.wrap {
      if let record, record != last { try record.write(in: folder) }
      // A run that has moved to the processor goes on there.
      if record == nil { DeviceRecord.remove(from: folder) }
    }
    return record
  }

  private func openFolder(_ resumed: String?, _ trainer: Trainer<some Device>) throws -> RunFolder {
    do {
      if let resumed { return try RunFolder(reopening: resumed, at: trainer.step) }
      return try RunFolder(
        in: output, named: experiment ?? RunFolders.name(for: trainer.recipe),
        config: Config.text(RecipeOptions(trainer.recipe)))
    } catch let error as FileError {
      throw OutputError(description: error.description)
    }
  }
}
