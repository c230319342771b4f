import ArgumentParser
import Foundation
import ResidualFigures
import ResidualRuns

struct Summary: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List a network's layers, parameters and multiply-adds.",
    usage: "resnet summary <network> [<options>]",
    discussion: """
      'resnet networks' lists the networks. Operations are those of classification; auxiliary \
      classifiers, which exist only in training, are left out.
      """
        + .examples(
          "summary resnet110", "summary resnet34 --svg resnet34.svg",
          "summary runs/NAME/last.safetensors --json"))

  @Argument(
    help: ArgumentHelp("A network's name, a model file, or weights from elsewhere."),
    completion: .network)
  var network: String
  @Option(
    help: ArgumentHelp(
      "Draw the layers in the style of the paper's Figure 3.", valueName: "file.svg"),
    completion: .file(extensions: ["svg"]))
  var svg: String?
  @OptionGroup var replacement: OverwriteFlag
  @OptionGroup(title: "Network") var networkOptions: NetworkFlags
  @OptionGroup(title: "Output") var outputOptions: OutputFlags

  struct Report: Encodable {
    struct Layer: Encodable {
      let path: String, operation: String
      let outputShape: [Int]
      let parameters: Int, multiplyAdds: Int
    }
    let network: String
    let shortcut: String?
    let strideOn: String?
    let inputSide: Int
    let depth: Int
    let parameters: Int, multiplyAdds: Int
    let layers: [Layer]
  }

  func run() throws {
    // No network has a name with a dot or a slash, and hardly a file one without.
    let chosen =
      network.contains { "./".contains($0) }
      ? try networkOptions.network(at: network) : try networkOptions.network(named: network)
    if let svg {
      try replacement.check(svg, "--svg", ending: ".svg", inputs: [network])
      let drawing = try LayerDiagram(of: chosen).svg
      try AtomicFile.write(drawing, to: svg)
      outputOptions.terminal.note("picture: \(svg)")
    }
    let summary = try NetworkSummary(chosen)
    if outputOptions.json {
      return try JSONDocument.print(
        Report(
          network: chosen.name, shortcut: chosen.shortcut?.option.rawValue,
          strideOn: chosen.stridePlacement?.rawValue, inputSide: chosen.inputSide,
          depth: chosen.depth,
          parameters: summary.parameters, multiplyAdds: summary.multiplyAdds,
          layers: summary.rows.map {
            .init(
              path: $0.path, operation: $0.operation, outputShape: $0.outputShape.extents,
              parameters: $0.parameters, multiplyAdds: $0.multiplyAdds)
          }))
    }
    let option =
      chosen.shortcut.map { ", shortcut option \($0.option.rawValue)" } ?? ", no shortcuts"
    let stride = chosen.stridePlacement.map { ", stride on the \($0.rawValue)" } ?? ""
    let side = chosen.inputSide
    print(
      "\(chosen.name): \(chosen.depth) layers\(option)\(stride), images of \(side)×\(side) pixels")
    var table = TextTable([
      .init("layer"), .init("operation"), .init("output", .right), .init("parameters", .right),
      .init("multiply-adds", .right),
    ])
    func number(_ count: Int) -> String { count == 0 ? "" : count.grouped }
    for row in summary.rows {
      table.append([
        row.path, row.operation,
        row.outputShape.extents.dropFirst().map(String.init).joined(separator: "×"),
        number(row.parameters), number(row.multiplyAdds),
      ])
    }
    table.setTotals([
      "total", "", "", number(summary.parameters), number(summary.multiplyAdds),
    ])
    print(table.text)
  }
}
