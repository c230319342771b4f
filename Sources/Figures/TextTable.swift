/// Rows of text in aligned columns, for terminals.
///
/// Line breaks and tabs in cells are written as spaces. Widths are counted in characters.
package struct TextTable: Hashable, Sendable {
  /// At which side of a column its cells stand.
  package enum Alignment: Hashable, Sendable {
    case left, right
  }

  /// A column's title, and how its cells stand.
  package struct Column: Hashable, Sendable {
    /// The cell at the top.
    package var title: String
    /// Left for words, right for numbers.
    package var alignment: Alignment

    /// - Parameter alignment: right for numbers, so that their digits stand under each other.
    package init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  /// The columns from left to right.
  package let columns: [Column]
  /// `[row][column]`, from top to bottom, without titles and totals.
  package private(set) var rows: [[String]] = []
  /// A last row, set apart by a rule.
  package private(set) var totals: [String]?

  /// - Precondition: every row and the totals have one cell for each column.
  package init(_ columns: [Column], rows: [[String]] = [], totals: [String]? = nil) {
    self.columns = columns
    for row in rows { append(row) }
    if let totals { setTotals(totals) }
  }

  /// Adds a row at the bottom, over the totals.
  ///
  /// - Precondition: there is one cell for each column.
  package mutating func append(_ row: [String]) {
    check(row)
    rows.append(row)
  }

  /// Sets the totals, or replaces them.
  ///
  /// - Precondition: there is one cell for each column.
  package mutating func setTotals(_ totals: [String]) {
    check(totals)
    self.totals = totals
  }

  private func check(_ row: [String]) {
    precondition(
      row.count == columns.count, "a row of \(row.count) cells for \(columns.count) columns")
  }

  /// The table with a rule under the titles and one over the totals; every line ends in a line
  /// break and none in a space.
  package var text: String {
    let cells = cleaned
    let widths = Self.widths(cells)
    let rule = widths.map { String(repeating: "-", count: $0) }
    var lines = cells
    lines.insert(rule, at: 1)
    if totals != nil { lines.insert(rule, at: lines.count - 1) }
    return lines.map { padded($0, to: widths).joined(separator: "  ").trimmedAtEnd + "\n" }.joined()
  }

  /// Titles, rows and totals, each cell on one line.
  private var cleaned: [[String]] {
    ([columns.map(\.title)] + rows + (totals.map { [$0] } ?? [])).map { row in
      row.map { String($0.map { $0.isNewline || $0 == "\t" ? " " : $0 }) }
    }
  }

  private static func widths(_ cells: [[String]]) -> [Int] {
    cells[0].indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
  }

  private func padded(_ row: [String], to widths: [Int]) -> [String] {
    row.indices.map { index in
      let space = String(repeating: " ", count: widths[index] - row[index].count)
      return columns[index].alignment == .left ? row[index] + space : space + row[index]
    }
  }
}

extension String {
  fileprivate var trimmedAtEnd: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
