/// Curves as text, for terminals: dots of Braille's characters, two across and four down in each, one letter
/// of colour a curve where the terminal has colours.
package struct TextChart: Hashable, Sendable {
  /// A curve.
  package struct Series: Hashable, Sendable {
    package let name: String
    /// In rising order of x; points that are not finite are left out.
    package let points: [Point]

    package init(name: String, points: [Point]) {
      self.name = name
      self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
    }
  }
  /// A point of a curve.
  package struct Point: Hashable, Sendable {
    package let x: Double, y: Double
    package init(x: Double, y: Double) { (self.x, self.y) = (x, y) }
  }

  private let series: [Series]
  private let columns: Int, rows: Int

  /// - Parameters:
  ///   - columns: of characters, with the labels; at least 20.
  ///   - rows: of characters, without the labels; at least 2.
  package init(_ series: [Series], columns: Int, rows: Int) {
    self.series = series
    (self.columns, self.rows) = (max(20, columns), max(2, rows))
  }

  /// The lines of the chart; none if there is no point.
  ///
  /// - Parameter styled: gives a piece of a curve, by its number, its colour.
  package func lines(styled: (String, Int) -> String = { text, _ in text }) -> [String] {
    let points = series.flatMap(\.points)
    guard let first = points.first else { return [] }
    var (low, high) = (first, first)
    for point in points {
      low = Point(x: min(low.x, point.x), y: min(low.y, point.y))
      high = Point(x: max(high.x, point.x), y: max(high.y, point.y))
    }
    let top = Self.label(high.y)
    let bottom = Self.label(low.y)
    let margin = max(top.count, bottom.count)
    let width = columns - margin - 2
    let (across, down) = (2 * width, 4 * rows)
    func position(_ value: Double, _ from: Double, _ to: Double, _ count: Int) -> Int {
      guard to > from else { return count / 2 }
      return min(
        count - 1, max(0, Int(((value - from) / (to - from) * Double(count - 1)).rounded())))
    }
    var dots = [UInt8](repeating: 0, count: width * rows)
    var owner = [Int](repeating: 0, count: width * rows)
    func set(_ x: Int, _ y: Int, _ number: Int) {
      // The bits of a Braille character: the left column from above, then the right one.
      let bits: [UInt8] = [0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80]
      let cell = y / 4 * width + x / 2
      dots[cell] |= bits[x % 2 * 4 + y % 4]
      owner[cell] = number
    }
    for (number, curve) in series.enumerated() {
      var last: (x: Int, y: Int)?
      for point in curve.points {
        let x = position(point.x, low.x, high.x, across)
        let y = down - 1 - position(point.y, low.y, high.y, down)
        if let last, x > last.x {
          for step in last.x...x {
            set(step, last.y + (y - last.y) * (step - last.x) / (x - last.x), number)
          }
        } else {
          set(x, y, number)
        }
        last = (x, y)
      }
    }
    var lines: [String] = []
    for row in 0..<rows {
      let label = row == 0 ? top : row == rows - 1 ? bottom : ""
      var line = String(repeating: " ", count: margin - label.count) + label + " │"
      for column in 0..<width {
        let cell = row * width + column
        let character = String(UnicodeScalar(0x2800 + UInt32(dots[cell])) ?? " ")
        line += dots[cell] == 0 ? " " : styled(character, owner[cell])
      }
      lines.append(line)
    }
    let (left, right) = (Self.label(low.x), Self.label(high.x))
    let gap = max(1, width - left.count - right.count)
    lines.append(
      String(repeating: " ", count: margin + 1) + "└" + left + String(repeating: " ", count: gap)
        + right)
    return lines
  }

  private static func label(_ number: Double) -> String {
    number == number.rounded() && abs(number) < 1e6
      ? String(Int(number)) : NumberFormat.fixed(number, decimals: 2)
  }
}
