/// Colours that remain apart for readers with any common form of colour blindness.
///
/// Source: Okabe and Ito, Color Universal Design (2008), without its yellow, which is too faint for
/// lines on white.
package enum SeriesColour: String, Hashable, Sendable, CaseIterable {
  case blue = "#0072b2"
  case vermilion = "#d55e00"
  case green = "#009e73"
  case purple = "#cc79a7"
  case orange = "#e69f00"
  case sky = "#56b4e9"
  case black = "#000000"

  /// The colour of the series with this index, beginning again after the last.
  package static func numbered(_ index: Int) -> SeriesColour {
    let count = allCases.count
    return allCases[(index % count + count) % count]
  }
}

/// Greys that all figures share.
enum Ink {
  static let text = "#222222", muted = "#555555", axis = "#444444", marker = "#777777"
  static let grid = "#dddddd", minorGrid = "#eeeeee"
}

/// A ramp from white through the palette's blue to a dark blue.
package enum Shade {
  /// - Parameter depth: 0 is white, 1 the darkest; outside it is clamped.
  package static func colour(_ depth: Double) -> String {
    let stops: [(Double, Double, Double)] = [(255, 255, 255), (86, 160, 211), (8, 48, 107)]
    let position = min(max(depth, 0), 1) * 2
    let index = min(Int(position), 1)
    let weight = position - Double(index)
    let (a, b) = (stops[index], stops[index + 1])
    func hex(_ from: Double, _ to: Double) -> String {
      let digits = String(Int((from + (to - from) * weight).rounded()), radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }
    return "#" + hex(a.0, b.0) + hex(a.1, b.1) + hex(a.2, b.2)
  }

  /// The colour of text that can be read on ``colour(_:)``.
  package static func textColour(_ depth: Double) -> String { depth > 0.6 ? "#ffffff" : Ink.text }
}
