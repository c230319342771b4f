import ArgumentParser
import ResidualCPU
import ResidualFigures
import ResidualRuns

/// The convolutions of a network, one by one.
struct LayerBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "layers", abstract: "Measure each convolution and fully-connected layer.",
    usage: "resnet bench layers <network> [<options>]",
    discussion: """
      Layers of the same extents are measured once, in each direction: output, input gradient and \
      filter gradient. GFLOPS are those of the plain convolution (2 for each multiply-add), \
      whatever the algorithm; the peak is that of multiply-adds in registers, by as many threads, \
      measured in the same run. The last column is the time that another algorithm takes, \
      relative to the chosen one's: where it is faster, a ! marks the choice as wrong here. In \
      training the filter is packed in the time, in inference before. Times are the least of many \
      runs, and layers follow one another without what lies between them.
      """)

  @Argument(help: ArgumentHelp("A network's name."), completion: .network) var network: String
  @Option(
    name: [.customShort("b"), .customLong("batch"), .customLong("batch-size")],
    parsing: .unconditional, help: ArgumentHelp("Images a step.", valueName: "n"))
  var batch = 128
  @Flag(help: "Only the directions of a training step.") var train = false
  @Flag(help: "Only the outputs, as in inference.") var infer = false
  @OptionGroup(title: "Network") var networkOptions: NetworkFlags
  @OptionGroup(title: "Machine") var deviceOptions: DeviceFlags
  @OptionGroup(title: "Output") var outputOptions: OutputFlags

  func validate() throws {
    guard (1...100_000).contains(batch) else {
      throw UsageError("--batch \(batch) is out of range: 1 to 100,000")
    }
  }

  func run() throws {
    let network = try networkOptions.network(named: network)
    guard deviceOptions.requestedKind != .cuda else {
      throw UsageError("bench layers measures the processor; for a GPU: bench train --profile")
    }
    let device = try deviceOptions.processor(on: outputOptions.terminal)
    let peak = try device.measuredPeakOfAllThreads()
    var tables: [LayerTable] = []
    for what in ["training", "inference"] where train == infer || train == (what == "training") {
      let isTraining = what == "training"
      let layers = try
        (isTraining
        ? network.trainingStep(weightDecay: 1e-4) : network.graph(.inference))
        .convolutionLayers(inputs: network.stepShapes(batch: batch))
      let table = try LayerTable(
        what, ConvolutionGroup.groups(of: layers), packsFilter: isTraining, peak: peak, on: device)
      if !outputOptions.json {
        print(
          "\(network.name), \(what), batch \(batch), \(device.threads) threads, "
            + "\(device.instructionSet.rawValue), peak \(NumberFormat.fixed(peak / 1e9, decimals: 0))"
            + " GFLOPS\n\n" + table.text)
      }
      tables.append(table)
    }
    if outputOptions.json {
      try JSONDocument.print(
        Report(
          network: network.name, batch: batch, threads: device.threads,
          instructionSet: device.instructionSet.rawValue, peakGflops: peak / 1e9,
          layers: tables.flatMap(\.rows)))
    }
  }

  struct Report: Encodable {
    let network: String
    let batch: Int, threads: Int
    let instructionSet: String
    let peakGflops: Double
    let layers: [LayerTable.Row]
  }
}

/// The timings of a network's layers.
struct LayerTable {
  struct Row: Encodable {
    let what: String, path: String
    let count: Int
    let extents: String, direction: String, algorithm: String
    let seconds: Double, gflops: Double, shareOfPeak: Double
    let secondsByAlgorithm: [String: Double]
    let disagrees: Bool
  }

  private(set) var rows: [Row] = []
  private var table = TextTable([
    .init("layer"), .init("n", .right), .init("extents"), .init("result"), .init("by"),
    .init("ms", .right), .init("GFLOPS", .right), .init("peak", .right), .init("other"),
  ])

  var text: String { table.text }

  init(
    _ what: String, _ groups: [ConvolutionGroup], packsFilter: Bool, peak: Double,
    on device: CPUDevice
  ) throws {
    var (total, least, operations) = (0.0, 0.0, 0.0)
    for group in groups {
      var isFirst = true
      for direction in ConvolutionDirection.allCases {
        guard let count = group.counts[direction] else { continue }
        let timing = try device.time(direction, group.extents, packsFilter: packsFilter)
        let seconds = timing.secondsOfChoice
        let flops = timing.directEquivalent(seconds)
        rows.append(
          Row(
            what: what, path: group.path, count: count, extents: group.extents.text,
            direction: direction.rawValue, algorithm: timing.choice.rawValue, seconds: seconds,
            gflops: flops / 1e9, shareOfPeak: flops / peak,
            secondsByAlgorithm: Dictionary(
              uniqueKeysWithValues: timing.seconds.map { ($0.key.rawValue, $0.value) }),
            disagrees: timing.disagrees))
        table.append([
          isFirst ? group.path.shortened(to: 14) : "", isFirst ? "×\(count)" : "",
          isFirst ? group.extents.text : "", direction.title, timing.choice.rawValue,
          seconds.milliseconds,
          NumberFormat.fixed(flops / 1e9, decimals: 0),
          NumberFormat.percentage(flops / peak, decimals: 0), timing.otherText,
        ])
        isFirst = false
        total += Double(count) * seconds
        least += Double(count) * min(seconds, timing.rival?.seconds ?? seconds)
        operations += Double(count) * 2 * Double(group.extents.multiplyAdds)
      }
    }
    table.setTotals([
      "all", "×\(rows.reduce(0) { $0 + $1.count })", "", "", "",
      total.milliseconds,
      NumberFormat.fixed(operations / total / 1e9, decimals: 0),
      NumberFormat.percentage(operations / total / peak, decimals: 0),
      "best ×\(NumberFormat.fixed(least / total, decimals: 2))",
    ])
  }
}

extension ConvolutionDirection {
  fileprivate var title: String {
    switch self {
    case .output: "output"
    case .inputGradient: "input"
    case .filterGradient: "filter"
    }
  }
}

extension String {
  /// The text, or its beginning before an ellipsis.
  fileprivate func shortened(to width: Int) -> String {
    count <= width ? self : prefix(width - 1) + "…"
  }
}

extension Double {
  /// Seconds as milliseconds, in at most six characters under ten seconds.
  fileprivate var milliseconds: String {
    NumberFormat.fixed(self * 1e3, decimals: self < 0.1 ? 2 : 1)
  }
}
