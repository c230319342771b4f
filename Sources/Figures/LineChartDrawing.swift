/// A line chart with its layout in pixels, and its drawing.
///
/// The legend is tried in free corners of the plot first. If curves cross all of them, the plot is
/// made lower and the legend is put above it.
package struct LineChartDrawing {
  static let width = 800.0, height = 500.0
  /// How much of the plot's height a legend above it may take; for more, the picture grows.
  private static let legendShare = 150.0

  let chart: LineChart
  let xAxis: Axis, yAxis: Axis
  /// Where curves are drawn.
  package let plot: Frame
  /// The legend, with the place found for it.
  package let legend: ChartLegend
  /// One array of runs for each series.
  package let curves: [[[Pixel]]]
  /// Where each marker's label stands: its centre and its row, 0 next to the plot.
  let markerLabels: [(marker: LineChart.Marker, text: String, centre: Double, row: Int)]

  /// Lays the chart out.
  package init(_ chart: LineChart) {
    self.chart = chart
    let (xAxis, yAxis) = (chart.xAxis, chart.yAxis)
    (self.xAxis, self.yAxis) = (xAxis, yAxis)

    let labelWidth =
      yAxis.ticks.map { TextExtent.width($0.label, size: 12) }.max() ?? 0
    let left = 44 + labelWidth
    let labels = Self.placedLabels(
      chart.markers, on: xAxis, left: left, width: Self.width - left - 24)
    let rows = (labels.map(\.row).max() ?? -1) + 1
    let top = 44 + Double(rows) * 15
    let full = Frame(
      x: left, y: top, width: Self.width - left - 24, height: Self.height - top - 54)
    let names = chart.series.map(\.name)

    func curves(_ plot: Frame) -> [[[Pixel]]] {
      chart.series.map { series in
        PixelCurve.runs(
          series.points.map { point in
            chart.isDrawable(point) ? Self.pixel(point, xAxis, yAxis, plot) : nil
          }
        ).map(PixelCurve.thinned)
      }
    }
    let inside = curves(full)
    let lines = labels.map { label in
      let x = full.x + xAxis.fraction(label.marker.x) * full.width
      return [Pixel(x: x, y: full.y), Pixel(x: x, y: full.bottom)]
    }
    let values = zip(chart.series, inside).compactMap { series, runs in
      Self.value(series, runs, in: full).map { value in
        let width = TextExtent.width(value.text, size: 13) * value.direction
        return [value.start, Pixel(x: value.start.x + width, y: value.start.y)]
      }
    }
    let drawn = inside.joined() + values
    let legend =
      ChartLegend(names, in: full, avoiding: drawn + lines)
      ?? ChartLegend(names, in: full, avoiding: drawn)
      ?? ChartLegend(names, above: full, top: 40)
    self.legend = legend
    self.markerLabels = labels
    var plot = full
    plot.y += legend.heightAbovePlot
    plot.height -= min(legend.heightAbovePlot, Self.legendShare)
    self.plot = plot
    self.curves = legend.heightAbovePlot > 0 ? curves(plot) : inside
  }

  /// Where a point lies. Far outside the plot it is moved nearer, since renderers keep coordinates
  /// as 32-bit numbers.
  private static func pixel(
    _ point: LineChart.Point, _ xAxis: Axis, _ yAxis: Axis, _ plot: Frame
  ) -> Pixel {
    let y = plot.bottom - yAxis.fraction(point.y) * plot.height
    return Pixel(
      x: plot.x + xAxis.fraction(point.x) * plot.width, y: min(max(y, -10_000), 10_000))
  }

  /// Labels of the markers that lie on the axis, each in the lowest row where it overlaps no other.
  private static func placedLabels(
    _ markers: [LineChart.Marker], on axis: Axis, left: Double, width: Double
  ) -> [(marker: LineChart.Marker, text: String, centre: Double, row: Int)] {
    let shown = markers.filter { $0.x >= axis.lower && $0.x <= axis.upper }
    var ends: [Double] = []
    return shown.sorted { $0.x < $1.x }.map { marker in
      let text = TextExtent.fitted(marker.label, size: 11, width: 200)
      let half = TextExtent.width(text, size: 11) / 2
      let at = left + axis.fraction(marker.x) * width
      let centre = min(max(at, 4 + half), Self.width - 4 - half)
      let row = ends.firstIndex { $0 + 6 <= centre - half } ?? min(ends.count, 3)
      if row == ends.count { ends.append(0) }
      ends[row] = centre + half
      return (marker, text, centre, row)
    }
  }

  /// The chart as a complete SVG document.
  package var svg: String {
    var document = SVGDocument(width: Self.width, height: height, title: chart.title)
    drawGrid(&document)
    drawMarkers(&document)
    drawCurves(&document)
    drawTitles(&document)
    legend.draw(chart.series, into: &document)
    return document.text
  }

  private var height: Double {
    Self.height + max(0, legend.heightAbovePlot - Self.legendShare)
  }
  private func x(_ value: Double) -> Double { plot.x + xAxis.fraction(value) * plot.width }
  private func y(_ value: Double) -> Double { plot.bottom - yAxis.fraction(value) * plot.height }

  /// Lines across the plot at a value of the vertical and of the horizontal axis.
  private func horizontal(_ value: Double) -> (Pixel, Pixel) {
    (Pixel(x: plot.x, y: y(value)), Pixel(x: plot.right, y: y(value)))
  }
  private func vertical(_ value: Double) -> (Pixel, Pixel) {
    (Pixel(x: x(value), y: plot.y), Pixel(x: x(value), y: plot.bottom))
  }

  private func drawGrid(_ document: inout SVGDocument) {
    document.group("g", ["stroke-width": 1]) { document in
      for value in yAxis.minorTicks {
        document.add(line: horizontal(value), ["stroke": Ink.minorGrid])
      }
      for tick in yAxis.ticks { document.add(line: horizontal(tick.value), ["stroke": Ink.grid]) }
      for tick in xAxis.ticks { document.add(line: vertical(tick.value), ["stroke": Ink.grid]) }
      document.add(plot, ["fill": "none", "stroke": Ink.axis])
    }
    document.group("g", ["font-size": 12, "fill": Ink.text]) { document in
      for tick in xAxis.ticks {
        document.add(
          text: tick.label, x: x(tick.value), y: plot.bottom + 18, ["text-anchor": "middle"])
      }
      for tick in yAxis.ticks {
        document.add(text: tick.label, x: plot.x - 8, y: y(tick.value) + 4, ["text-anchor": "end"])
      }
    }
  }

  private func drawMarkers(_ document: inout SVGDocument) {
    for (marker, text, centre, row) in markerLabels {
      document.add(
        line: vertical(marker.x),
        ["stroke": Ink.marker, "stroke-width": 1, "stroke-dasharray": "2 3"])
      document.add(
        text: text, x: centre, y: plot.y - 6 - Double(row) * 15,
        ["text-anchor": "middle", "font-size": 11, "fill": Ink.muted])
    }
  }

  /// Draws the curves in a nested picture, which cuts what leaves the plot.
  private func drawCurves(_ document: inout SVGDocument) {
    let frame = plot.inset(by: -4)
    let box = [frame.x, frame.y, frame.width, frame.height].map(\.svgText).joined(separator: " ")
    document.group(
      "svg", frame.attributes, ["viewBox": box, "fill": "none", "stroke-linejoin": "round"]
    ) { document in
      for (series, runs) in zip(chart.series, curves) {
        // A run of one point has no length; a dot shows it.
        for run in runs where run.count == 1 {
          document.add(
            "circle",
            ["cx": run[0].x, "cy": run[0].y, "r": 3, "fill": series.colour.rawValue])
        }
        let path = runs.filter { $0.count > 1 }.map(PixelCurve.path).joined(separator: " ")
        if !path.isEmpty { Self.drawLine(path, like: series, into: &document) }
      }
    }
    drawValues(&document)
    if curves.allSatisfy(\.isEmpty) {
      document.add(
        text: "no data", x: plot.middle.x, y: plot.middle.y,
        ["text-anchor": "middle", "font-size": 14, "fill": Ink.muted])
    }
  }

  /// The value of a curve of one point, which shows no course, and where its text begins: at the point's
  /// side that has more room. `nil` for all other curves.
  private static func value(_ series: LineChart.Series, _ runs: [[Pixel]], in plot: Frame) -> (
    text: String, start: Pixel, direction: Double
  )? {
    guard series.points.count == 1, let point = runs.first?.first else { return nil }
    let direction = point.x > plot.x + plot.width / 2 ? -1.0 : 1.0
    return (
      "\(series.name) \(NumberFormat.fixed(series.points[0].y, decimals: 2))",
      Pixel(x: point.x + 9 * direction, y: point.y + (point.y < plot.y + 12 ? 14 : -6)), direction
    )
  }

  private func drawValues(_ document: inout SVGDocument) {
    for (series, runs) in zip(chart.series, curves) {
      guard let value = Self.value(series, runs, in: plot) else { continue }
      document.add(
        "text",
        [
          "x": value.start.x, "y": value.start.y, "font-size": 13,
          "text-anchor": value.direction < 0 ? "end" : "start", "fill": series.colour.rawValue,
        ], text: value.text)
    }
  }

  /// Draws a path in the style of a series.
  static func drawLine(
    _ path: String, like series: LineChart.Series, into document: inout SVGDocument
  ) {
    document.add(
      "path",
      [
        "d": path, "fill": "none", "stroke": series.colour.rawValue,
        "stroke-width": series.isBold ? 2.4 : 1.4,
        "stroke-dasharray": series.isDashed ? "6 4" : "none",
      ])
  }

  private func drawTitles(_ document: inout SVGDocument) {
    document.add(
      text: TextExtent.fitted(chart.title, size: 17, width: Self.width - 20), x: Self.width / 2,
      y: 26,
      ["text-anchor": "middle", "font-size": 17, "font-weight": "bold", "fill": Ink.text])
    document.group("g", ["font-size": 14, "text-anchor": "middle", "fill": Ink.text]) { document in
      document.add(
        text: TextExtent.fitted(chart.xTitle, size: 14, width: plot.width), x: plot.middle.x,
        y: height - 14)
      let centre = Pixel(x: 20, y: plot.middle.y)
      document.add(
        text: TextExtent.fitted(chart.yTitle, size: 14, width: plot.height + 60), x: centre.x,
        y: centre.y, ["transform": centre.turned(by: 90)])
    }
  }
}
