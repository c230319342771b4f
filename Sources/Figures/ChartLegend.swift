/// The names of a chart's series next to samples of their lines, and their places.
package struct ChartLegend {
  private static let size = 13.0, lineHeight = 19.0, sample = 30.0, margin = 8.0

  /// The names as they fit, each with the left end of its sample at mid-height.
  package let entries: [(name: String, position: Pixel)]
  /// The background of a legend that is inside the plot.
  package let ground: Frame?
  /// By how much the plot must be lower.
  let heightAbovePlot: Double

  /// A legend inside the plot where no curve passes, or nil if there is no such place.
  init?(_ names: [String], in plot: Frame, avoiding curves: some Sequence<[Pixel]>) {
    let fitted = names.map { TextExtent.fitted($0, size: Self.size, width: plot.width * 0.45) }
    let textWidth = fitted.map { TextExtent.width($0, size: Self.size) }.max() ?? 0
    let width = Self.sample + 8 + textWidth + 2 * Self.margin
    let height = Double(names.count) * Self.lineHeight + Self.margin
    let room = plot.inset(by: 8)
    guard !names.isEmpty, height <= room.height, width <= room.width else { return nil }

    let lefts = [room.right - width, room.x, room.x + (room.width - width) / 2]
    let tops = [room.y, room.bottom - height, room.y + (room.height - height) / 2]
    let order = [(0, 0), (1, 0), (1, 1), (0, 1), (2, 0), (2, 1), (0, 2), (1, 2)]
    let frames = order.map {
      Frame(x: lefts[$0.0], y: tops[$0.1], width: width, height: height)
    }
    let segments = curves.flatMap { run in
      zip(run, run.dropFirst().isEmpty ? run[...] : run.dropFirst()).map { ($0, $1) }
    }
    let free = frames.first { frame in
      let wide = frame.inset(by: -5)
      return !segments.contains { wide.intersects($0.0, $0.1) }
    }
    guard let free else { return nil }
    entries = fitted.enumerated().map { index, name in
      let y = free.y + Self.margin / 2 + (Double(index) + 0.5) * Self.lineHeight
      return (name, Pixel(x: free.x + Self.margin, y: y))
    }
    ground = free
    heightAbovePlot = 0
  }

  /// A legend in rows between the title, which ends at `top`, and what stands over the plot.
  init(_ names: [String], above plot: Frame, top: Double) {
    var entries: [(String, Pixel)] = []
    var position = Pixel(x: plot.x, y: top + Self.lineHeight / 2)
    for name in names {
      let text = TextExtent.fitted(name, size: Self.size, width: plot.width - Self.sample - 8)
      let width = Self.sample + 8 + TextExtent.width(text, size: Self.size)
      if position.x > plot.x, position.x + width > plot.right {
        position = Pixel(x: plot.x, y: position.y + Self.lineHeight)
      }
      entries.append((text, position))
      position.x += width + 18
    }
    self.entries = entries
    ground = nil
    heightAbovePlot = entries.isEmpty ? 0 : position.y + Self.lineHeight / 2 - top + 4
  }

  func draw(_ series: [LineChart.Series], into document: inout SVGDocument) {
    if let ground {
      document.add(
        ground, ["rx": 3, "fill": "#ffffff", "fill-opacity": 0.9, "stroke": Ink.grid])
    }
    for (series, entry) in zip(series, entries) {
      let (left, y) = (entry.position.x, entry.position.y)
      let ends = [Pixel(x: left, y: y), Pixel(x: left + Self.sample, y: y)]
      LineChartDrawing.drawLine(PixelCurve.path(ends), like: series, into: &document)
      document.add(
        text: entry.name, x: left + Self.sample + 8, y: y + 4.5,
        ["font-size": Self.size, "fill": Ink.text])
    }
  }
}
