import ArgumentParser
import ResidualRuns

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network by the paper's recipe.",
    discussion: """
      Without DATA: ResNet-20 on images that the program draws, in a few minutes. With DATA: the \
      paper's 64,000 steps, unless --epochs or --steps say otherwise. With --initial-checkpoint: \
      starts from an existing model; if the number of classes differs, the classifier is replaced. \
      The recipe is the paper's for CIFAR-10, also for ImageNet's networks.
      """
        + .examples(
          "train --epochs 2", "train photos --model resnet20 --epochs 20 --validation 500",
          "train photos --initial-checkpoint resnet50.pth --freeze all-but-head"))

  @OptionGroup var recipe: RecipeFlags
  @OptionGroup(title: "Run") var place: RunFlags
  @OptionGroup(title: "Machine") var machine: DeviceFlags
  @OptionGroup(title: "Output") var output: OutputFlags

  func run() throws {
    let resumed = try place.resumed()
    let options =
      try resumed.map { try recipe.options(resuming: $0.options) } ?? recipe.options()
    let initial = try resumed.map(\.initial) ?? InitialModel(options)
    try options.check(with: initial)
    try OutputError.checkWritable(folder: resumed?.folder ?? place.output, option: "--output")
    let device = try machine.device(on: output.terminal, resuming: resumed)
    try train(options, from: initial, resuming: resumed, on: device)
  }

  private func train(
    _ options: RecipeOptions, from initial: InitialModel?, resuming resumed: ResumedRun?,
    on device: some CommandDevice
  ) throws {
    let data = try Dataset(at: options.dataPath)
    let learner = try Learner(options, on: data, from: initial, device: device)
    Interruption.install()
    let run =
      try resumed.map { try Run(learner, resuming: $0) }
      ?? Run(learner, in: place.output, named: place.experiment)
    var log = TrainingLog(run, on: output.terminal, interval: place.logInterval)
    log.start(from: initial)
    do {
      while let event = try run.next(until: Interruption.isRequested) { log.show(event) }
      let report = TrainingReport(
        run, try run.finish(until: Interruption.isRequested), seconds: log.seconds)
      if output.json { try JSONDocument.print(report) }
      log.conclude(report, isDocument: output.json)
    } catch let error {
      log.stop()
      guard let stopped = error as? RunStopped else { throw error }
      log.interrupted(stopped)
      throw Interruption.Interrupted()
    }
  }
}
