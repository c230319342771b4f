import ArgumentParser
import Foundation
import ResidualFigures
import ResidualRuns

/// Looks at the runs in a folder.
struct Runs: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List, watch, compare and clean up training runs.",
    discussion: help, subcommands: [List.self, Show.self, Watch.self, Compare.self, Clean.self],
    defaultSubcommand: List.self)
  fileprivate static let help =
    "A run is a folder that 'resnet train' has made, whether a process works on it or not."
    + String.examples(
      "runs", "runs watch runs/pets", "runs compare runs/a runs/b")

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the runs in a folder.", discussion: help)

    @Argument(
      help: ArgumentHelp("The folder for run folders.", valueName: "folder"), completion: .directory
    )
    var folder = "runs"
    @OptionGroup(title: "Output") var output: OutputFlags

    func run() throws {
      let runs = try RunSummary.all(existing: folder)
      guard !output.json else { return try JSONDocument.print(runs.map(RunReport.init)) }
      guard !runs.isEmpty else {
        output.terminal.note("no runs in \(folder)")
        return
      }
      var table = TextTable([
        .init("run"), .init("state"), .init("network"), .init("step", .right),
        .init("best error", .right),
        .init("images/s", .right), .init("left", .right),
      ])
      for run in runs {
        let report = RunReport(run)
        table.append([
          String(run.folder.split(separator: "/").last ?? "").onOneLine, run.state.rawValue,
          (run.network ?? "?").onOneLine,
          "\(run.step?.grouped ?? "?") of \(run.steps?.grouped ?? "?")", report.bestText,
          run.imagesPerSecond.map { NumberFormat.fixed($0, decimals: 0) } ?? "",
          run.secondsLeft.map(ProgressLine.time) ?? "",
        ])
      }
      print(table.text, terminator: "")
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show one run: its state, its settings and its curves.", discussion: help)

    @OptionGroup var place: RunArgument
    @OptionGroup(title: "Output") var output: OutputFlags

    func run() throws {
      let run = try place.summary()
      guard !output.json else { return try JSONDocument.print(RunReport(run)) }
      for line in RunReport(run).lines(on: output.terminal, width: output.terminal.width) {
        print(line)
      }
      guard let options = run.options else { return }
      print("")
      for setting in RecipeOptions.settings {
        guard let text = setting.text(options) else { continue }
        print("\(setting.option.key): \(text.plain)".onOneLine)
      }
    }
  }

  struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Watch a run that another process trains, until it ends.", discussion: help)

    @OptionGroup var place: RunArgument
    @Option(
      parsing: .unconditional, help: ArgumentHelp("Seconds between two looks.", valueName: "n"))
    var interval = 1.0

    func validate() throws {
      guard interval >= 0.1, interval <= 3600 else {
        throw UsageError("--interval \(interval) is out of range: 0.1 to 3600")
      }
    }

    func run() throws {
      let terminal = Terminal.standardError()
      Interruption.install()
      var drawn = 0
      while true {
        let run = try place.summary()
        let lines = RunReport(run).lines(on: terminal, width: terminal.width)
        if terminal.isInteractive {
          // Up over what was drawn before, and each line to its end.
          let up = drawn > 0 ? "\u{1B}[\(drawn)A" : ""
          Terminal.write(up + lines.map { $0 + "\u{1B}[K\n" }.joined() + "\u{1B}[J")
          drawn = lines.count
        } else {
          Terminal.write(lines.prefix(2).joined(separator: ", ") + "\n")
        }
        guard [.running, .stalled].contains(run.state) else { return }
        var waited = 0.0
        while waited < interval {
          try Interruption.check()
          usleep(50_000)
          waited += 0.05
        }
      }
    }
  }

  struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compare runs: the settings that differ, and the curves.", discussion: help)

    @Argument(help: ArgumentHelp("Folders of runs.", valueName: "run"), completion: .directory)
    var runs: [String]
    @OptionGroup(title: "Output") var output: OutputFlags

    func validate() throws {
      guard runs.count > 1 else { throw UsageError("name at least two runs to compare") }
    }

    func run() throws {
      let runs = try runs.map { try RunArgument.summary(of: $0) }
      guard !output.json else { return try JSONDocument.print(runs.map(RunReport.init)) }
      let names = runs.map { String($0.folder.split(separator: "/").last ?? "").onOneLine }
      var table = TextTable([.init("")] + names.map { .init($0) })
      table.append(["state"] + runs.map(\.state.rawValue))
      table.append(["step"] + runs.map { $0.step?.grouped ?? "?" })
      table.append(["best error"] + runs.map { RunReport($0).bestText })
      for setting in RecipeOptions.settings {
        let texts = runs.map { $0.options.flatMap { setting.text($0)?.plain } ?? "–" }
        if Set(texts).count > 1 { table.append([setting.option.key] + texts.map(\.onOneLine)) }
      }
      print(table.text)
      let terminal = output.terminal
      let columns = max(24, (terminal.width - 2 * (runs.count - 1)) / min(runs.count, 3))
      // As many beside each other as fit.
      for start in stride(from: 0, to: runs.count, by: 3) {
        let charts = (start..<min(start + 3, runs.count)).map { index in
          [names[index]] + RunReport(runs[index]).curves(columns: columns, on: terminal)
        }
        for line in 0..<(charts.map(\.count).max() ?? 0) {
          let pieces = charts.map { chart in
            let text = line < chart.count ? chart[line] : ""
            return text + String(repeating: " ", count: max(0, columns - Self.width(text)))
          }
          print(pieces.joined(separator: "  ").trimmingTrailingSpaces)
        }
      }
    }

    /// The characters of a text without those that choose colours.
    private static func width(_ text: String) -> Int {
      text.replacing(/\u{1B}\[[0-9;]*m/, with: "").count
    }
  }

  struct Clean: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List what may go: spare checkpoints of finished runs, failed and empty runs.",
      discussion: help)

    @Argument(
      help: ArgumentHelp("The folder for run folders.", valueName: "folder"), completion: .directory
    )
    var folder = "runs"
    @Flag(help: "Remove what is listed.") var yes = false
    @Flag(help: "Leave failed runs alone.") var keepFailed = false
    @OptionGroup(title: "Output") var output: OutputFlags

    func run() throws {
      _ = try RunSummary.all(existing: folder)
      let spare = SpareFiles(in: folder, keepsFailed: keepFailed)
      for item in spare.items {
        print("\(item.path): \(item.reason), \(ByteSize.text(item.byteCount))".onOneLine)
      }
      guard !spare.items.isEmpty else {
        output.terminal.note("nothing to remove in \(folder)")
        return
      }
      guard yes else {
        output.terminal.note("nothing is removed yet: add --yes")
        return
      }
      let left = spare.remove()
      if let first = left.first {
        throw OutputError(description: "\(first): it cannot be removed; check its permissions")
      }
    }
  }
}

/// The folder of one run.
struct RunArgument: ParsableArguments {
  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"), completion: .directory)
  var run: String

  func summary() throws -> RunSummary { try Self.summary(of: run) }

  static func summary(of folder: String) throws -> RunSummary {
    guard let summary = RunSummary(of: folder) else { throw CheckpointError.noRun(folder: folder) }
    return summary
  }
}

extension RunSummary {
  /// The runs in a folder that must be there.
  fileprivate static func all(existing folder: String) throws -> [RunSummary] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue
    else { throw InputError("\(folder): there is no such folder; name the folder of runs") }
    return all(in: folder)
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    String(reversed().drop { $0 == " " }.reversed())
  }
}
