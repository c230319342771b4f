// How the layers of a network are drawn.

extension LayerDiagram {
  private static let height = 18.0, gap = 12.0, size = 11.0, margin = 24.0
  private static let top = 2 * margin
  private static let step = height + gap
  /// Tints for black text, apart in lightness too.
  private static let tints = ["#e8e8e8", "#f4c7c3", "#c6dbef", "#d9ead3", "#fce5cd", "#d9d2e9"]

  /// The middle of a box.
  private struct Place {
    let column: Int
    let x: Double
    let y: Double
    var upper: Double { y - height / 2 }
    var lower: Double { y + height / 2 }
  }

  /// The picture.
  package var svg: String {
    let (levels, offsets, starts) = (levels, offsets, columnStarts)
    let count = (levels.max() ?? -1) + 1
    let width = (boxes.map { TextExtent.width($0.label, size: Self.size) }.max() ?? 0) + 12
    let reach = offsets.map(abs).max() ?? 0
    let lane = (2 * reach + 1) * (width + 10) + 56
    let tallest = zip(starts, starts.dropFirst() + [count]).map { $1 - $0 }.max() ?? 0
    var document = SVGDocument(
      width: max(Double(starts.count) * lane, TextExtent.width(title, size: 14)) + 2 * Self.margin,
      height: Self.top + Double(tallest) * Self.step + Self.margin, title: title)
    document.add(text: title, x: Self.margin, y: 28, ["font-size": 14, "font-weight": "bold"])

    let places = zip(levels, offsets).map { level, offset in
      let column = (starts.firstIndex { $0 > level } ?? starts.count) - 1
      return Place(
        column: column,
        x: Self.margin + Double(column) * lane + (lane - 40) / 2 + offset * (width + 10),
        y: Self.top + Double(level - starts[column]) * Self.step + Self.height / 2)
    }
    for (index, box) in boxes.enumerated() {
      for input in box.inputs {
        let path = Self.line(
          from: places[input], to: places[index],
          passes: levels[index] - levels[input] - 1, width: width, lane: lane)
        document.add("path", ["d": path, "fill": "none", "stroke": "#444444", "stroke-width": 1])
      }
    }
    for shortcut in shortcuts {
      Self.draw(
        shortcut, from: shortcut.start.map { places[$0] }, to: places[shortcut.end], width: width,
        in: &document)
    }
    for (box, place) in zip(boxes, places) {
      document.add(
        Frame(x: place.x - width / 2, y: place.upper, width: width, height: Self.height),
        [
          "rx": 2, "fill": Self.tints[box.group % Self.tints.count], "stroke": "#444444",
          "stroke-width": 0.8,
        ])
      document.add(
        text: box.label, x: place.x, y: place.y + 4,
        ["font-size": Self.size, "text-anchor": "middle"])
    }
    return document.text
  }

  /// From a box down to a later one.
  ///
  /// - Parameters:
  ///   - passes: how many levels lie between the two.
  ///   - width: of a box.
  ///   - lane: the width of a column.
  private static func line(
    from start: Place, to end: Place, passes: Int, width: Double, lane: Double
  ) -> String {
    if start.column != end.column {
      // On to the top of the next column, and around what stands there above its end.
      let (turn, under, over) = (end.x - lane / 2 + 8, start.lower + 4, top - 10)
      let way = polyline([
        (start.x, start.lower), (start.x, under), (turn, under), (turn, over), (end.x, over),
      ])
      let isFirst = end.upper == top
      return way + " "
        + (isFirst
          ? "L\(end.x.svgText) \(end.upper.svgText)"
          : arc(x: end.x, from: top - 8, to: end.upper - 4, width: width))
    }
    guard passes > 0 else { return polyline([(start.x, start.lower), (end.x, end.upper)]) }
    // Around the boxes between the two, or down next to them.
    return start.x == end.x
      ? arc(x: end.x, from: start.lower + 4, to: end.upper - 4, width: width)
      : polyline([(start.x, start.lower), (start.x, end.upper - gap), (end.x, end.upper)])
  }

  private static func polyline(_ points: [(x: Double, y: Double)]) -> String {
    points.enumerated().map { ($0 == 0 ? "M" : "L") + "\($1.x.svgText) \($1.y.svgText)" }
      .joined(separator: " ")
  }

  /// Between two heights of a line, around the right side of the boxes on it.
  private static func arc(x: Double, from: Double, to: Double, width: Double) -> String {
    let (side, middle) = (x + width / 2, (from + to) / 2)
    let bulge = bulge(x: x, from: from, to: to, width: width)
    return "M\(x.svgText) \(from.svgText) L\(side.svgText) \(from.svgText) "
      + "Q\(bulge.svgText) \(from.svgText) \(bulge.svgText) \(middle.svgText) "
      + "Q\(bulge.svgText) \(to.svgText) \(side.svgText) \(to.svgText) "
      + "L\(x.svgText) \(to.svgText)"
  }

  /// How far to the right such a line comes.
  private static func bulge(x: Double, from: Double, to: Double, width: Double) -> Double {
    x + width / 2 + min(28, 10 + (to - from) / 12)
  }

  /// From the line below one box to the line below the other; in another column from its top.
  private static func draw(
    _ shortcut: Shortcut, from start: Place?, to end: Place, width: Double,
    in document: inout SVGDocument
  ) {
    let isInColumn = start?.column == end.column
    let (from, to) = (isInColumn ? (start?.lower ?? 0) + 4 : top - 8, end.lower + 4)
    let colour = "#1f4e9c"
    document.add(
      "path",
      [
        "d": arc(x: end.x, from: from, to: to, width: width), "fill": "none", "stroke": colour,
        "stroke-width": 1.2, "stroke-dasharray": shortcut.changesShape ? "4 3" : "none",
      ])
    guard let mark = shortcut.mark else { return }
    let (x, y) = (bulge(x: end.x, from: from, to: to, width: width), (from + to) / 2)
    document.add("circle", ["cx": x, "cy": y, "r": 7, "fill": "#ffffff", "stroke": colour])
    document.add(text: String(mark), x: x, y: y + 3.5, ["font-size": 9, "text-anchor": "middle"])
  }
}
