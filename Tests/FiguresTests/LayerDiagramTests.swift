import Foundation
import ResidualFigures
import Testing

@Suite struct LayerDiagramTests {
  private let branches = LayerDiagram(
    title: "a < b",
    boxes: [
      .init("in", group: 0, inputs: []), .init("left", group: 1, inputs: [0]),
      .init("right", group: 1, inputs: [0]), .init("below right", group: 1, inputs: [2]),
      .init("join", group: 2, inputs: [1, 3]), .init("out & end", group: 0, inputs: [4]),
    ],
    shortcuts: [
      .init(from: 0, to: 4, changesShape: false), .init(from: nil, to: 5, changesShape: true),
    ])

  private func elements(_ name: String, _ svg: String) -> [String] {
    svg.split(separator: "\n").filter { $0.contains("<\(name) ") }.map(String.init)
  }
  private func number(_ attribute: String, _ element: String) throws -> Double {
    let match = try #require(
      element.firstMatch(
        of: try Regex("\(attribute)=\"([-0-9.]+)\"", as: (Substring, Substring).self)))
    return try #require(Double(match.1))
  }

  @Test func boxesStandUnderTheirInputs() throws {
    let texts = elements("text", branches.svg).dropFirst()
    #expect(texts.count == 6)
    let places = try texts.map { (x: try number("x", $0), y: try number("y", $0)) }
    // The middle, a branch to each side, and one below the right branch.
    #expect(places[1].x < places[0].x && places[2].x > places[0].x)
    #expect(places[1].y == places[2].y && places[3].x == places[2].x && places[3].y > places[2].y)
    #expect(places[4].x == places[0].x && places[4].y > places[3].y && places[5].y > places[4].y)
  }

  @Test func linesAndText() throws {
    let svg = branches.svg
    #expect(elements("path", svg).count == 6 + 2, "each input, each shortcut")
    #expect(elements("path", svg).count { $0.contains("stroke-dasharray=\"4 3\"") } == 1)
    #expect(svg.contains("a &lt; b") && svg.contains("out &amp; end"))
    #expect(try XMLReader.read(svg).name == "svg")
  }

  @Test func lineBesideABranch() throws {
    // From the left branch, which has one box, down beside the right one's second box.
    let lines = elements("path", branches.svg).filter { !$0.contains("stroke-dasharray") }
    #expect(lines.count { $0.count { $0 == "L" } == 2 } == 1)
  }

  @Test func marksOfShortcuts() throws {
    var gated = branches
    #expect(elements("circle", gated.svg).isEmpty)
    gated.shortcuts[0] = .init(from: 0, to: 4, changesShape: false, mark: "T")
    #expect(elements("circle", gated.svg).count == 1)
    #expect(elements("text", gated.svg).contains { $0.hasSuffix(">T</text>") })
  }

  /// Two boxes a block after the first box, as in a network of 110 layers.
  @Test func columnsEndBehindBlocks() throws {
    let count = 109
    let residual = LayerDiagram(
      title: "blocks",
      boxes: (0..<count).map { .init("\($0)", group: 0, inputs: $0 == 0 ? [] : [$0 - 1]) },
      shortcuts: stride(from: 0, to: count - 1, by: 2).map {
        .init(from: $0, to: $0 + 2, changesShape: false)
      })
    let places = try elements("text", residual.svg).dropFirst().map { try number("x", $0) }
    let first = places.prefix { $0 == places[0] }.count
    #expect(first == 55 && Set(places).count == 2)
    // Only the second column's first block begins above a box.
    let ways = elements("path", residual.svg).filter { $0.contains("stroke-dasharray") }
    let starts = try ways.map { way in
      try #require(way.split(separator: "M").last?.split(separator: " ").dropFirst().first)
    }
    #expect(starts.count == 54 && starts.count { $0 == "40" } == 1)
  }

  @Test func columnsAfterManyLevels() throws {
    let count = 2 * LayerDiagram.levelsPerColumn + 3
    let chain = LayerDiagram(
      title: "deep",
      boxes: (0..<count).map { .init("\($0)", group: 0, inputs: $0 == 0 ? [] : [$0 - 1]) },
      shortcuts: [])
    let places = try elements("text", chain.svg).dropFirst().map { try number("x", $0) }
    #expect(Set(places).count == 3)
    let empty = LayerDiagram(title: "", boxes: [], shortcuts: [])
    #expect(elements("rect", empty.svg).count == 1, "the background")
  }
}
