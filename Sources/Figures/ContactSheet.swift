/// Small pictures in labelled rows, such as a few images of every class.
package struct ContactSheet: Hashable, Sendable {
  /// Pictures side by side, and a name for them.
  package struct Row: Hashable, Sendable {
    /// The text at the left of the row; none if it is empty.
    package var label: String
    /// The pictures from left to right, of any sizes.
    package var images: [Raster]

    /// - Parameter images: from left to right.
    package init(label: String, images: [Raster]) {
      self.label = label
      self.images = images
    }
  }

  /// A line over all rows; none if it is empty.
  package var title: String
  /// The rows from top to bottom.
  package var rows: [Row]
  /// The side, in pixels of the sheet, of one pixel of an image.
  package var zoom: Int

  /// - Precondition: `zoom` is positive.
  package init(title: String = "", rows: [Row], zoom: Int = 2) {
    precondition(zoom > 0, "a zoom of \(zoom)")
    self.title = title
    self.rows = rows
    self.zoom = zoom
  }

  static let margin = 12, gap = 4, textScale = 2

  /// The sheet: labels at the left, every image in the middle of a cell as large as the largest.
  ///
  /// Characters that the font lacks are written as boxes.
  package var raster: Raster {
    let images = rows.flatMap(\.images)
    let textHeight = BitmapFont.height * Self.textScale
    let cellWidth = (images.map(\.width).max() ?? 0) * zoom
    let cellHeight = max((images.map(\.height).max() ?? 0) * zoom, textHeight)
    let columns = rows.map(\.images.count).max() ?? 0
    let labels = rows.map { Self.textWidth($0.label) }.max() ?? 0
    let left = Self.margin + (labels > 0 ? labels + Self.margin : 0)
    let top = Self.margin + (title.isEmpty ? 0 : textHeight + Self.margin)
    let right = left + max(0, columns * (cellWidth + Self.gap) - Self.gap)
    var sheet = Raster(
      width: max(right, Self.margin + Self.textWidth(title)) + Self.margin,
      height: top + max(0, rows.count * (cellHeight + Self.gap) - Self.gap) + Self.margin,
      filledWith: .white)

    sheet.write(title, x: Self.margin, y: Self.margin, scale: Self.textScale)
    for (index, row) in rows.enumerated() {
      let y = top + index * (cellHeight + Self.gap)
      sheet.write(
        row.label, x: Self.margin + labels - Self.textWidth(row.label),
        y: y + (cellHeight - textHeight) / 2, scale: Self.textScale)
      for (column, image) in row.images.enumerated() {
        sheet.draw(
          image, x: left + column * (cellWidth + Self.gap) + (cellWidth - image.width * zoom) / 2,
          y: y + (cellHeight - image.height * zoom) / 2, zoom: zoom)
      }
    }
    return sheet
  }

  private static func textWidth(_ text: String) -> Int {
    BitmapFont.textWidth(text) * textScale
  }
}
