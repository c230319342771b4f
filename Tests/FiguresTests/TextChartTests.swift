import ResidualFigures
import Testing

@Suite struct TextChartTests {
  private func points(_ values: [(Double, Double)]) -> [TextChart.Point] {
    values.map { TextChart.Point(x: $0.0, y: $0.1) }
  }

  /// A falling line goes from the upper left to the lower right, and labels are those of its ends.
  @Test func aLine() {
    let chart = TextChart(
      [.init(name: "a", points: points([(0, 10), (100, 2.5)]))], columns: 30, rows: 4)
    let lines = chart.lines()
    #expect(lines.count == 5 && lines.allSatisfy { $0.count == 30 })
    #expect(lines[0].hasPrefix("  10 │⠉") && lines[3].hasPrefix("2.50 │ "))
    #expect(lines[3].last != " " && lines[4].hasPrefix("     └0 ") && lines[4].hasSuffix(" 100"))
    // Each column of dots has at least one.
    let columns = (6..<30).map { column in lines.prefix(4).map { Array($0)[column] } }
    #expect(columns.allSatisfy { $0.contains { $0 != " " } })
  }

  @Test func whatCannotBeDrawn() {
    #expect(TextChart([], columns: 30, rows: 4).lines() == [])
    #expect(
      TextChart([.init(name: "a", points: points([(1, .nan)]))], columns: 30, rows: 4).lines() == []
    )
    // One point, equal values, and very large ones.
    for values in [[(1.0, 2.0)], [(1, 2), (2, 2)], [(0, 1e300), (1e300, -1e300)]] {
      let lines = TextChart([.init(name: "a", points: points(values))], columns: 1, rows: 1).lines()
      #expect(lines.count == 3)
    }
  }
}
