import Foundation
import ResidualRuns
import Testing

/// The guide's table of settings is the table of settings.
@Suite struct SettingsGuideTests {
  private static let begin =
    "<!-- settings: from the table in Training/RecipeOptions.swift -->\n"
  private static let end = "<!-- end of settings -->"

  private static var table: String {
    let rows = RecipeOptions.settings.map { setting -> String in
      let flag = setting.option == .data ? "DATA (the argument)" : "`\(setting.option.flag)`"
      let values = setting.allowed.isEmpty ? setting.kind : "\(setting.kind): \(setting.allowed)"
      let cells = [
        flag, "`\(setting.option.key)`", values, setting.standard.isEmpty ? "–" : setting.standard,
        setting.help,
      ]
      return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |\n"
    }
    return "| flag | name in files | values | default | what it means |\n|---|---|---|---|---|\n"
      + rows.joined()
  }

  @Test func theGuideShowsTheTable() throws {
    let guide = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Guides/Recipe.md")
    let text = try String(contentsOf: guide, encoding: .utf8)
    let begin = try #require(text.range(of: Self.begin))
    let end = try #require(text.range(of: Self.end))
    let written = text[begin.upperBound..<end.lowerBound]
    if ProcessInfo.processInfo.environment["RESNET_UPDATE_GUIDES"] != nil {
      try text.replacingCharacters(in: begin.upperBound..<end.lowerBound, with: Self.table)
        .write(to: guide, atomically: true, encoding: .utf8)
    } else {
      #expect(
        written == Self.table,
        "RESNET_UPDATE_GUIDES=1 scripts/test --filter SettingsGuideTests writes the table")
    }
  }

  /// Every setting is spelled once, and each has its help.
  @Test func settingsAreComplete() {
    let options = RecipeOptions.settings.map(\.option)
    #expect(Set(options.map(\.key)).count == options.count)
    #expect(Set(options.map(\.flag)).count == options.count)
    #expect(Set(options.map(\.code)).count == options.count)
    #expect(RecipeOptions.settings.allSatisfy { $0.help.hasSuffix(".") && !$0.placeholder.isEmpty })
  }
}
