/// A confusion matrix with its layout in pixels, and its drawing.
package struct ConfusionMatrixDrawing {
  let matrix: ConfusionMatrix
  let title: String
  /// The side of a cell.
  let cell: Double
  /// Sizes of the names and of the numbers in cells; 0 if there is no room.
  let nameSize: Double, countSize: Double
  let names: [String]
  /// Where the cells stand, without names and accuracies.
  package let grid: Frame
  /// By how many degrees the names of columns are turned.
  let turn: Double

  private let nameWidth: Double

  /// Lays the matrix out; the number of classes decides the sizes of cells and text.
  package init(_ matrix: ConfusionMatrix, title: String) {
    self.matrix = matrix
    self.title = title
    let count = matrix.classNames.count
    let (cell, nameSize, countSize) =
      switch count {
      case ...12: (48.0, 13.0, 13.0)
      case ...25: (32.0, 12.0, 10.0)
      case ...60: (15.0, 11.0, 0.0)
      case ...150: (11.0, 9.0, 0.0)
      default: (4.0, 0.0, 0.0)
      }
    (self.cell, self.nameSize, self.countSize) = (cell, nameSize, countSize)
    let names =
      nameSize == 0
      ? [] : matrix.classNames.map { TextExtent.fitted($0, size: nameSize, width: 150) }
    self.names = names
    let nameWidth = names.map { TextExtent.width($0, size: nameSize) }.max() ?? 0
    self.nameWidth = nameWidth
    turn = nameWidth <= cell - 4 ? 0 : cell >= 30 ? 45 : 90
    let side = Double(max(count, 1)) * cell
    grid = Frame(x: 42 + nameWidth, y: 84, width: side, height: side)
  }

  /// How dark a share is drawn: its square root, so that rare mistakes can be seen.
  static func depth(_ share: Double) -> Double { share.squareRoot() }

  private var accuracyWidth: Double { nameSize == 0 ? 0 : nameSize * 4.4 + 8 }
  private var columnNameHeight: Double {
    switch turn {
    case 0: nameSize + 8
    case 45: nameWidth * 0.72 + nameSize
    default: nameWidth + 10
    }
  }

  var svg: String {
    let barX = grid.right + accuracyWidth + 22
    let width = max(barX + 62, 420)
    let height = max(grid.bottom + columnNameHeight + 34, 260)
    var document = SVGDocument(width: width, height: height, title: title)
    drawHeading(&document, width: width)
    drawCells(&document)
    drawNames(&document)
    drawScale(&document, x: barX)
    return document.text
  }

  private func drawHeading(_ document: inout SVGDocument, width: Double) {
    document.add(
      text: TextExtent.fitted(title, size: 17, width: width - 32), x: 16, y: 28,
      ["font-size": 17, "font-weight": "bold", "fill": Ink.text])
    let summary =
      matrix.accuracy.map {
        NumberFormat.percentage($0, decimals: 2) + " of "
          + NumberFormat.grouped(matrix.total) + " images recognised"
      } ?? "no images"
    document.add(text: summary, x: 16, y: 50, ["font-size": 13, "fill": Ink.muted])
  }

  private func drawCells(_ document: inout SVGDocument) {
    for (truth, row) in matrix.counts.enumerated() {
      let sum = row.reduce(0, +)
      let y = grid.y + Double(truth) * cell
      for (prediction, count) in row.enumerated() where count > 0 {
        let depth = Self.depth(Double(count) / Double(sum))
        let square = Frame(x: grid.x + Double(prediction) * cell, y: y, width: cell, height: cell)
        document.add(square, ["fill": Shade.colour(depth)])
        guard countSize > 0 else { continue }
        // Long counts are written smaller, so that they stay in their cell.
        let text = String(count)
        let size = min(countSize, (cell - 4) / (Double(text.count) * 0.62))
        document.add(
          text: text, x: square.middle.x, y: square.middle.y + size * 0.36,
          ["text-anchor": "middle", "font-size": size, "fill": Shade.textColour(depth)])
      }
    }
    document.group("g", ["stroke": Ink.minorGrid, "stroke-width": cell < 20 ? 0.5 : 1]) {
      guard cell >= 11 else { return }
      for index in matrix.classNames.indices.dropFirst() {
        let offset = Double(index) * cell
        let (x, y) = (grid.x + offset, grid.y + offset)
        $0.add(line: (Pixel(x: x, y: grid.y), Pixel(x: x, y: grid.bottom)))
        $0.add(line: (Pixel(x: grid.x, y: y), Pixel(x: grid.right, y: y)))
      }
    }
    document.add(grid, ["fill": "none", "stroke": Ink.axis])
  }

  private func drawNames(_ document: inout SVGDocument) {
    let lift = nameSize * 0.36
    document.group("g", ["font-size": nameSize, "fill": Ink.text]) { document in
      for (index, name) in names.enumerated() {
        let middle = (Double(index) + 0.5) * cell
        document.add(text: name, x: grid.x - 6, y: grid.y + middle + lift, ["text-anchor": "end"])
        let (x, y) = (grid.x + middle, grid.bottom + 8)
        if turn == 0 {
          document.add(text: name, x: x, y: y + nameSize, ["text-anchor": "middle"])
        } else {
          let end = Pixel(x: x + lift * 0.7, y: y + (turn == 45 ? lift : -2))
          document.add(
            text: name, x: end.x, y: end.y,
            ["text-anchor": "end", "transform": end.turned(by: Int(turn))])
        }
      }
      for (index, accuracy) in matrix.classAccuracies.enumerated() where !names.isEmpty {
        document.add(
          text: accuracy.map { NumberFormat.percentage($0, decimals: 1) } ?? "–",
          x: grid.right + accuracyWidth, y: grid.y + (Double(index) + 0.5) * cell + lift,
          ["text-anchor": "end"])
      }
    }
    document.group("g", ["font-size": 13, "fill": Ink.muted]) { document in
      if !names.isEmpty {
        document.add(
          text: "accuracy", x: grid.right + accuracyWidth, y: grid.y - 8, ["text-anchor": "end"])
      }
      document.add(
        text: "predicted class", x: grid.middle.x, y: grid.bottom + columnNameHeight + 22,
        ["text-anchor": "middle"])
      let centre = Pixel(x: 20, y: grid.middle.y)
      document.add(
        text: "true class", x: centre.x, y: centre.y,
        ["text-anchor": "middle", "transform": centre.turned(by: 90)])
    }
  }

  /// Draws the bar that explains the shades.
  private func drawScale(_ document: inout SVGDocument, x: Double) {
    let height = min(grid.height, 320)
    let bar = Frame(x: x, y: grid.y, width: 12, height: max(height, 120))
    let steps = 64
    for step in 0..<steps {
      let y = bar.bottom - bar.height * Double(step + 1) / Double(steps)
      let height = bar.height / Double(steps) + 0.5
      document.add(
        Frame(x: bar.x, y: y, width: bar.width, height: height),
        ["fill": Shade.colour((Double(step) + 0.5) / Double(steps))])
    }
    document.add(bar, ["fill": "none", "stroke": Ink.axis])
    document.group("g", ["font-size": 11, "fill": Ink.muted]) { document in
      for percent in [0, 1, 5, 20, 50, 100] {
        let y = bar.bottom - Self.depth(Double(percent) / 100) * bar.height
        document.add(
          line: (Pixel(x: bar.right, y: y), Pixel(x: bar.right + 3, y: y)), ["stroke": Ink.axis])
        document.add(text: "\(percent) %", x: bar.right + 6, y: y + 4)
      }
    }
  }
}
