import ArgumentParser
import ResidualFigures
import ResidualNetworks

struct Networks: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the networks that can be built.",
    discussion: """
      Parameters and multiply-adds are of the network as its name stands, for images and classes of \
      its data set, and without auxiliary classifiers; beside them what the paper says. Further \
      names: cifar-resnetD, cifar-plainD, cifar-highwayD and cifar-singleD for every depth \
      D = 6n + 2, cifar-bottleneckD for 9n + 2; resnet-2-3-4-2, plain-2-3-4-2 and \
      resnet-bottleneck-3-4-6-3 for any number of blocks in each stage. 'resnet20' is short for \
      'cifar-resnet20', and so on. '--shortcut', '--stride-on', '--gate-bias' and \
      '--inception-branch' vary them: see 'resnet summary --help'.
      """
        + .examples("networks", "networks --json", "summary resnet-2-3-4-2"))

  @OptionGroup(title: "Output") var outputOptions: OutputFlags

  struct Report: Encodable {
    struct Paper: Encodable {
      let multiplyAdds: Double?, parameters: Double?, error: Double?, errorOf: String?
    }
    let network: String
    let depth: Int, inputSide: Int, classes: Int
    let shortcut: String?
    let parameters: Int, multiplyAdds: Int
    let paper: Paper?
  }

  func run() throws {
    let reports = try NetworkCatalog.names.map { name in
      let network = try NetworkCatalog.network(named: name)
      let summary = try NetworkSummary(network)
      return Report(
        network: name, depth: network.depth, inputSide: network.inputSide,
        classes: network.classes, shortcut: network.shortcut?.option.rawValue,
        parameters: summary.parameters, multiplyAdds: summary.multiplyAdds,
        paper: PaperFigures(ofNetworkNamed: name).map {
          .init(
            multiplyAdds: $0.multiplyAdds, parameters: $0.parameters, error: $0.error,
            errorOf: $0.errorOf)
        })
    }
    if outputOptions.json { return try JSONDocument.print(reports) }
    var table = TextTable([
      .init("network"), .init("layers", .right), .init("shortcut"), .init("parameters", .right),
      .init("multiply-adds", .right), .init("in the paper"),
    ])
    for report in reports {
      table.append([
        report.network, String(report.depth), report.shortcut ?? "",
        report.parameters.grouped, report.multiplyAdds.grouped,
        report.paper.map(Self.text) ?? "",
      ])
    }
    print(table.text, terminator: "")
  }

  /// `3.6 billion multiply-adds; error 25.03 % (top-1, Table 2)`.
  private static func text(_ paper: Report.Paper) -> String {
    [
      paper.multiplyAdds.map {
        "\(NumberFormat.fixed($0 / 1e9, decimals: 1)) billion multiply-adds"
      },
      paper.parameters.map { "\(NumberFormat.fixed($0 / 1e6, decimals: 2)) million parameters" },
      paper.error.map {
        "error \(NumberFormat.fixed($0, decimals: 2)) %" + (paper.errorOf.map { " (\($0))" } ?? "")
      },
    ].compactMap { $0 }.joined(separator: "; ")
  }
}
