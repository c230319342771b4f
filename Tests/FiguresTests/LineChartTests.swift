import ResidualFigures
import Testing

@Suite struct LineChartTests {
  /// Error curves that fall from 90 to 10, so that the upper right corner is free.
  static func falling(_ count: Int, from: Double = 90, to: Double = 10) -> [LineChart.Point] {
    (0..<count).map { index in
      let share = Double(index) / Double(count - 1)
      return .init(x: Double(index), y: to + (from - to) / (1 + 30 * share))
    }
  }

  static func chart(_ series: [LineChart.Series]) -> LineChart {
    LineChart(title: "T", xTitle: "X", yTitle: "Y", series: series)
  }

  static func series(_ y: [Double], name: String = "s") -> LineChart.Series {
    .init(name: name, points: y.enumerated().map { .init(x: Double($0), y: $1) })
  }

  /// The coordinates of a path, by runs.
  static func runs(_ path: String) -> [[Pixel]] {
    path.split(separator: "M").map { run in
      let numbers = run.split { $0 == " " || $0 == "L" }.compactMap { Double($0) }
      return stride(from: 0, to: numbers.count - 1, by: 2).map {
        Pixel(x: numbers[$0], y: numbers[$0 + 1])
      }
    }
  }

  /// Paths inside the nested picture, so without the legend's samples.
  static func curves(_ svg: String) throws -> [XMLElement] {
    try XMLReader.read(svg).all("svg")[1].all("path")
  }

  @Test func pointsLandWhereTheAxesSay() throws {
    var chart = Self.chart([Self.series([0, 40, 100, 25])])
    chart.yRange = 0...100
    let root = try XMLReader.read(chart.svg)
    let plot = try #require(root.all("rect").first { $0.attributes["fill"] == "none" })
    let path = try #require(try Self.curves(chart.svg).first?.attributes["d"])
    let run = Self.runs(path)[0]
    #expect(run.count == 4)
    for (point, (x, y)) in zip(run, [(0.0, 0.0), (1, 40), (2, 100), (3, 25)]) {
      let expectedX = plot.number("x") + plot.number("width") * x / 3
      let expectedY = plot.number("y") + plot.number("height") * (1 - y / 100)
      #expect(abs(point.x - expectedX) < 0.02)
      #expect(abs(point.y - expectedY) < 0.02)
    }
    // The tick labelled 40 stands at the height of the point 40.
    let tick = try #require(root.all("text").first { $0.text == "40" })
    #expect(abs(tick.number("y") - 4 - run[1].y) < 0.02)
  }

  @Test func logarithmicAxisDividesDecadesEvenly() throws {
    var chart = Self.chart([Self.series([1, 0.1, 0.01])])
    chart.yScale = .logarithmic
    let root = try XMLReader.read(chart.svg)
    let run = Self.runs(try #require(try Self.curves(chart.svg).first?.attributes["d"]))[0]
    #expect(abs((run[1].y - run[0].y) - (run[2].y - run[1].y)) < 0.03)
    #expect(root.labels.contains("0.1") && root.labels.contains("0.01"))
  }

  @Test func notDrawablePointsMakeGaps() throws {
    let gapped = Self.series([1, 2, .nan, 4, .infinity, 6, 7])
    let path = try #require(try Self.curves(Self.chart([gapped]).svg).first?.attributes["d"])
    #expect(Self.runs(path).map(\.count) == [2, 2])
    let root = try XMLReader.read(Self.chart([gapped]).svg)
    #expect(root.all("circle").count == 1, "a point between two gaps is a dot")
    var logarithmic = Self.chart([Self.series([1, 0, -1, 10, 100])])
    logarithmic.yScale = .logarithmic
    let positive = try Self.curves(logarithmic.svg)[0].attributes["d"] ?? ""
    #expect(Self.runs(positive).map(\.count) == [2])
  }

  @Test(
    arguments: [
      [], [[]], [[Double.nan, .nan]], [[5]], [[3, 3, 3]], [[0, 0]], [[1e300, -1e300, 1]],
      [[.leastNonzeroMagnitude, 0]], [[1e16, 1e16 + 2]], [[-1e199, 1e199]], [[1e-9, 2e-9]],
    ] as [[[Double]]])
  func awkwardDataGiveAPicture(_ data: [[Double]]) throws {
    for scale in [LineChart.Scale.linear, .logarithmic] {
      var chart = Self.chart(data.map { Self.series($0) })
      chart.yScale = scale
      let root = try XMLReader.read(chart.svg)
      let numbers = root.all.flatMap { $0.attributes.values }.joined(separator: " ")
      #expect(!numbers.contains("nan") && !numbers.contains("inf"))
      let isEmpty = chart.series.allSatisfy { !$0.points.contains(where: chart.isDrawable) }
      #expect(root.labels.contains("no data") == isEmpty)
    }
  }

  @Test func longSeriesAreThinnedAndKeepExtremes() throws {
    var y = (0..<200_000).map { 50 + 10 * Double($0 % 7) / 7 }
    y[77_777] = 95
    y[123_456] = 5
    var chart = Self.chart([Self.series(y)])
    chart.yRange = 0...100
    let path = try #require(try Self.curves(chart.svg).first?.attributes["d"])
    let run = Self.runs(path)[0]
    #expect(run.count < 4 * 800)
    let root = try XMLReader.read(chart.svg)
    let plot = try #require(root.all("rect").first { $0.attributes["fill"] == "none" })
    let height = { (value: Double) in
      plot.number("y") + plot.number("height") * (1 - value / 100)
    }
    #expect(abs((run.map(\.y).min() ?? 0) - height(95)) < 0.02)
    #expect(abs((run.map(\.y).max() ?? 0) - height(5)) < 0.02)
    #expect(zip(run, run.dropFirst()).allSatisfy { $0.x <= $1.x })
  }

  @Test func thinningKeepsShortRunsAsTheyAre() {
    let run = (0..<100).map { Pixel(x: Double($0), y: Double($0 % 3)) }
    #expect(PixelCurve.thinned(run) == run)
    let column = [3, 1, 4, 1, 5, 9, 2, 6].map { Pixel(x: 0.5, y: $0) }
    #expect(PixelCurve.thinned(column).map(\.y) == [3, 1, 9, 6])
  }

  @Test func legendStandsInsideWhereNoCurvePasses() {
    let series = ["plain-20", "ResNet-20"].map {
      LineChart.Series(name: $0, points: Self.falling(300))
    }
    let drawing = LineChartDrawing(Self.chart(series))
    let ground = drawing.legend.ground
    #expect(ground != nil)
    for run in drawing.curves.joined() {
      for (a, b) in zip(run, run.dropFirst()) {
        #expect(ground.map { $0.intersects(a, b) } == false)
      }
    }
  }

  @Test func legendGoesAboveAPlotThatIsFull() throws {
    let dense = (0..<2_000).map { LineChart.Point(x: Double($0), y: Double($0 % 2) * 100) }
    let series = (0..<6).map { LineChart.Series(name: "series \($0)", points: dense) }
    let drawing = LineChartDrawing(Self.chart(series))
    #expect(drawing.legend.ground == nil)
    #expect(drawing.legend.entries.allSatisfy { $0.position.y < drawing.plot.y })
    let labels = try XMLReader.read(drawing.svg).labels
    #expect(series.allSatisfy { labels.contains($0.name) })
  }

  @Test func dozensOfSeriesLeaveRoomForThePlot() throws {
    let chart = Self.chart((0..<90).map { Self.series([0, 100, 0], name: "series number \($0)") })
    let drawing = LineChartDrawing(chart)
    #expect(drawing.plot.height >= 200)
    let root = try XMLReader.read(drawing.svg)
    #expect(drawing.plot.bottom < root.number("height") - 40)
    #expect(root.labels.filter { $0.hasPrefix("series number") }.count == 90)
  }

  @Test func seriesKeepTheirManner() throws {
    let points = Self.falling(10)
    let chart = Self.chart([
      .init(name: "training", points: points, colour: .vermilion, isDashed: true),
      .init(name: "test", points: points, colour: .vermilion, isBold: true),
    ])
    let paths = try Self.curves(chart.svg)
    #expect(paths.allSatisfy { $0.attributes["stroke"] == "#d55e00" })
    #expect(paths.map { $0.attributes["stroke-dasharray"] } == ["6 4", "none"])
    #expect(paths[0].number("stroke-width") < paths[1].number("stroke-width"))
  }

  @Test func markersAreDrawnOnTheAxisOnly() throws {
    var chart = Self.chart([.init(name: "s", points: Self.falling(101))])
    chart.markers = [
      .init(x: 50, label: "rate ÷ 10"), .init(x: 51, label: "rate ÷ 100"),
      .init(x: 500, label: "beyond"),
    ]
    let root = try XMLReader.read(chart.svg)
    let labels = root.all("text").filter { $0.text.hasPrefix("rate") }
    #expect(labels.count == 2)
    #expect(labels[0].attributes["y"] != labels[1].attributes["y"], "they would overlap")
    #expect(!root.labels.contains("beyond"))
  }

  @Test func textIsEscaped() throws {
    let hostile = "a<b>&\"c' \u{1}\u{FFFE}\n</svg>"
    var chart = LineChart(title: hostile, xTitle: hostile, yTitle: hostile)
    chart.series = [.init(name: hostile, points: Self.falling(3))]
    chart.markers = [.init(x: 1, label: hostile)]
    let root = try XMLReader.read(chart.svg)
    let shown = "a<b>&\"c' \u{FFFD}\u{FFFD} </svg>"
    #expect(root.labels.filter { $0 == shown }.count == 5)
  }

  @Test func coloursAreDistinctAndCycle() {
    #expect(Set(SeriesColour.allCases.map(\.rawValue)).count == 7)
    #expect(SeriesColour.numbered(0) == .blue)
    #expect(SeriesColour.numbered(7) == .blue)
    #expect(SeriesColour.numbered(-1) == .black)
  }

  @Test("curves of one point show their values, on axes that begin at zero")
  func singlePoints() {
    let chart = LineChart(
      title: "one epoch", xTitle: "step", yTitle: "error (%)",
      series: [
        .init(name: "training", points: [.init(x: 390, y: 68.754)], isDashed: true),
        .init(name: "test", points: [.init(x: 390, y: 0)], isBold: true),
      ])
    let svg = chart.svg
    #expect(svg.contains(">training 68.75<") && svg.contains(">test 0.00<"))
    #expect(svg.contains(">0<") && !svg.contains(">-"))
    #expect(LineChartDrawing(chart).curves.joined().allSatisfy { $0.count == 1 })
    let axis = Axis.linear(0...0, expands: true, intervals: 8)
    #expect(axis.lower == 0 && axis.upper == 1)
  }
}
