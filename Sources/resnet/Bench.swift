import ArgumentParser
import ResidualFigures
import ResidualPlatform
import ResidualRuns

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure images a second, and each layer.",
    discussion: """
      Random images stay in memory, so nothing but the network is measured: forward, loss, \
      backward and update in training; forward in inference. The figure is the median step's.
      """
        + .examples(
          "bench train resnet20", "bench infer resnet50 --batch 8 --profile",
          "bench layers resnet110 --train"),
    subcommands: [TrainingBench.self, InferenceBench.self, LayerBench.self])

  struct Options: ParsableArguments {
    @Argument(help: ArgumentHelp("A network's name."), completion: .network) var network: String
    @Option(
      name: [.customShort("b"), .customLong("batch"), .customLong("batch-size")],
      parsing: .unconditional,
      help: ArgumentHelp("Images a step.", valueName: "n"))
    var batch = 128
    @Option(parsing: .unconditional, help: ArgumentHelp("Steps that are measured.", valueName: "n"))
    var steps = 20
    @Option(parsing: .unconditional, help: ArgumentHelp("Steps before that.", valueName: "n"))
    var warm = 3
    @Flag(help: "Show where the time goes, by kind of step and by layer.")
    var profile = false
    /// For scripts/check denormals: activations that die away.
    @Option(parsing: .unconditional, help: .hidden) var parameterScale: Float = 1
    @OptionGroup(title: "Network") var networkOptions: NetworkFlags
    @OptionGroup(title: "Machine") var deviceOptions: DeviceFlags
    @OptionGroup(title: "Output") var outputOptions: OutputFlags

    func validate() throws {
      for (name, value, least) in [("batch", batch, 1), ("steps", steps, 1), ("warm", warm, 0)]
      where !(least...100_000).contains(value) {
        throw UsageError("--\(name) \(value) is out of range: \(least) to 100,000")
      }
    }
  }

  struct Report: Encodable {
    let what: String, network: String
    let batch: Int
    let device: String
    let threads: Int?
    let instructionSet: String?, precision: String?
    let imagesPerSecond: Double
    let secondsPerStep: Double
    /// From the start of the command to the beginning and to the end of the first step.
    let secondsToStart: Double, secondsToFirstStep: Double
    let plannedMemoryBytes: Int
    /// What a training step computes again to save memory.
    let recompute: String?
    let peakMemoryBytes: Int
    var profile: ProfileReport?
  }

  struct TrainingBench: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "train", abstract: "Measure training steps.",
      usage: "resnet bench train <network> [<options>]")
    @OptionGroup var options: Options
    @OptionGroup(title: "Memory") var memoryOptions: MemoryFlags

    func run() throws {
      var choices = RecipeOptions()
      try RecipeOptions.settings.read(memoryOptions.given, into: &choices)
      try Bench.run(
        .train(choices.recomputation, memoryLimit: choices.memoryLimit?.byteCount), options)
    }
  }

  struct InferenceBench: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "infer", abstract: "Measure inference.",
      usage: "resnet bench infer <network> [<options>]")
    @OptionGroup var options: Options

    func run() throws { try Bench.run(.infer, options) }
  }

  /// What is measured.
  private enum Work {
    case train(RecomputationScope?, memoryLimit: Int?)
    case infer

    func plan<D: Device>(_ network: Network, inputs: [String: Shape], on device: D) throws
      -> (Plan<D.Step>, RecomputationScope?)
    {
      guard case .train(let scope, let memoryLimit) = self else {
        return (try device.prepare(network.graph(.inference), inputs: inputs), nil)
      }
      let planned = try TrainingPlan(
        network.trainingStep(weightDecay: 1e-4, lossScaling: device.needsLossScaling),
        inputs: inputs, device: device, recomputation: scope, memoryLimit: memoryLimit)
      return (planned.plan, planned.recomputation)
    }
  }

  private static func run(_ work: Work, _ options: Options) throws {
    let begin = ContinuousClock.now
    let device = try options.deviceOptions.device(on: options.outputOptions.terminal)
    try run(work, options, on: device, since: begin)
  }

  private static func run(
    _ work: Work, _ options: Options, on device: some CommandDevice,
    since begin: ContinuousClock.Instant
  ) throws {
    let clock = ContinuousClock()
    let network = try options.networkOptions.network(named: options.network)
    let terminal = options.outputOptions.terminal
    let session = Session(device: device, store: Store(for: device))
    let (plan, scope) = try work.plan(
      network, inputs: network.stepShapes(batch: options.batch), on: device)
    let memory = device.memory(of: plan)
    terminal.note(MemoryFlags.remark("\(memory)", scope))
    let loaded = try session.load(plan, seed: 1)
    fill(loaded, network: network, batch: options.batch)

    for slot in session.store.slots where slot.role == .parameter && options.parameterScale != 1 {
      session.store.write(
        session.store.read(slot.name).scalars.map { $0 * options.parameterScale }, to: slot.name)
    }

    // A run is over when a result of it can be read.
    let result = loaded.plan.outputs.keys.min()
    func run(times: StepTimes? = nil) {
      loaded.run(times: times)
      if let result { loaded.wait(for: result) }
    }
    let start = (clock.now - begin) / .seconds(1)
    run()
    let firstStep = (clock.now - begin) / .seconds(1)
    for _ in 0..<max(0, options.warm - 1) { run() }
    let stepTimes = options.profile ? StepTimes(of: loaded.plan) : nil
    let times = (0..<options.steps).map { _ in
      clock.measure { run(times: stepTimes) } / .seconds(1)
    }
    let median = times.sorted()[times.count / 2]
    let profile = stepTimes.map { ProfileReport(device.profile(of: loaded.plan, $0)) }
    let name = if case .train = work { "train" } else { "infer" }
    let report = Report(
      what: name, network: network.name, batch: options.batch,
      device: device.report.device, threads: device.report.threads,
      instructionSet: device.report.instructionSet, precision: device.report.precision,
      imagesPerSecond: Double(options.batch) / median, secondsPerStep: median,
      secondsToStart: start, secondsToFirstStep: firstStep,
      plannedMemoryBytes: memory.total,
      recompute: scope?.rawValue, peakMemoryBytes: peakMemory(), profile: profile)
    if options.outputOptions.json { return try JSONDocument.print(report) }
    print(
      "\(network.name), \(name), batch \(options.batch), \(device.summary): "
        + "\(NumberFormat.fixed(report.imagesPerSecond, decimals: 1)) images/s, "
        + "\(NumberFormat.fixed(median * 1000, decimals: 1)) ms a step, "
        + "first step from \(NumberFormat.fixed(start, decimals: 2)) "
        + "to \(NumberFormat.fixed(firstStep, decimals: 2)) s, "
        + "peak memory \(report.peakMemoryBytes >> 20) MiB")
    if let profile { print("\n" + profile.text, terminator: "") }
  }

  private static func fill(_ loaded: LoadedPlan<some Device>, network: Network, batch: Int) {
    var source = RandomSource(RandomKey(seed: 1).derived(.benchmark))
    for name in loaded.plan.inputs.keys.sorted() {
      switch name {
      case StepTensor.images:
        loaded.withInput(name, of: Float.self) { images in
          for index in images.indices { images[index] = source.uniform() - 0.5 }
        }
      case StepTensor.labels:
        loaded.write((0..<batch).map { Int32($0 % network.classes) }, to: name)
      case StepTensor.weights:
        loaded.write([Float](repeating: 1, count: batch), to: name)
      case StepTensor.dropoutKey: loaded.write([1, 2] as [Int32], to: name)
      case StepTensor.learningRate: loaded.write(0.001, to: name)
      default: loaded.write(0.9, to: name)
      }
    }
  }

  /// The most memory that this process has had, in bytes.
  static func peakMemory() -> Int {
    var usage = rusage()
    #if canImport(Glibc)
      let status = getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    #else
      let status = getrusage(RUSAGE_SELF, &usage)
    #endif
    #if canImport(Darwin)
      let unit = 1
    #else
      let unit = 1024
    #endif
    return status == 0 ? Int(usage.ru_maxrss) * unit : 0
  }
}
