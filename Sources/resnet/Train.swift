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
    let given = try recipe.options()
    var resumed = try place.resumed()
    var initial = try resumed.map(\.initial) ?? InitialModel(given)
    if resumed == nil { try given.check(with: initial) }
    try OutputError.checkWritable(folder: resumed?.folder ?? place.output, option: "--output")
    let data = try Dataset(at: (given.data == nil ? resumed?.options : given)?.dataPath)
    var unbegun: String?
    if place.isAutomatic {
      let options = try (initial?.filling(given) ?? given).resolved(on: data).options
      switch try place.earlier(options, tell: output.terminal) {
      case nil: break
      case .finished(let folder): return try report(finished: folder, given)
      case .unbegun(let folder): unbegun = folder
      case .interrupted(let run): (resumed, initial) = (run, run.initial)
      }
    }
    for remark in resumed?.remarks ?? [] { output.terminal.warn(remark.onOneLine) }
    try train(
      resumed?.options(given: given, on: data) ?? given, on: data, from: initial,
      resuming: resumed, in: unbegun,
      with: machine.device(on: output.terminal, resuming: resumed))
  }

  private func train(
    _ options: RecipeOptions, on data: Dataset, from initial: InitialModel?,
    resuming resumed: ResumedRun?, in unbegun: String?, with device: some CommandDevice
  ) throws {
    let learner = try Learner(options, on: data, from: initial, device: device)
    Interruption.install()
    let run =
      try resumed.map { try Run(learner, resuming: $0) }
      ?? unbegun.map { try Run(learner, restarting: $0) }
      ?? Run(learner, in: place.output, named: place.experiment)
    var log = TrainingLog(run, on: output.terminal, interval: place.logInterval)
    log.start(from: initial)
    do {
      while let event = try run.next(until: Interruption.isRequested) { log.show(event) }
      let report = TrainingReport(
        run, try run.finish(until: Interruption.isRequested), seconds: log.seconds)
      try report.show(
        asDocument: output.json, dataPath: learner.recipe.options.dataPath, on: output.terminal)
    } catch let error {
      log.stop()
      guard let stopped = error as? RunStopped else { throw error }
      log.interrupted(stopped)
      throw Interruption.Interrupted()
    }
  }

  private func report(finished folder: String, _ options: RecipeOptions) throws {
    output.terminal.note("\(folder): this run is finished")
    guard let result = RunResult(in: folder) else {
      print("network: \(folder)/last.safetensors")
      return
    }
    try TrainingReport(result).show(
      asDocument: output.json, dataPath: options.dataPath, on: output.terminal)
  }
}
