/// A picture in Scalable Vector Graphics 1.1, written element by element.
///
/// It uses no identifiers, style sheets or scripts, so that several pictures can stand in one page.
struct SVGDocument {
  /// Written in their order.
  typealias Attributes = KeyValuePairs<String, any SVGAttribute>

  let width: Double, height: Double, title: String
  private var body = ""
  private var open: [String] = []

  /// - Parameter title: what a screen reader says.
  init(width: Double, height: Double, title: String) {
    self.width = width
    self.height = height
    self.title = title
    add("rect", ["width": width, "height": height, "fill": "#ffffff"])
  }

  /// Appends one element without children, or with text as its only child.
  mutating func add(
    _ name: String, _ attributes: Attributes, _ others: Attributes = [:], text: String? = nil
  ) {
    body += String(repeating: "  ", count: open.count + 1) + "<" + name
    body += Self.joined(attributes) + Self.joined(others)
    body += text.map { ">" + Self.escaped($0) + "</" + name + ">\n" } ?? "/>\n"
  }

  /// Appends a line of text that starts at a place, or has its anchor there.
  mutating func add(text: String, x: Double, y: Double, _ attributes: Attributes = [:]) {
    add("text", ["x": x, "y": y], attributes, text: text)
  }

  /// Appends a rectangle.
  mutating func add(_ frame: Frame, _ attributes: Attributes) {
    add("rect", frame.attributes, attributes)
  }

  /// Appends a line between two places.
  mutating func add(line ends: (Pixel, Pixel), _ attributes: Attributes = [:]) {
    let (start, end) = ends
    add("line", ["x1": start.x, "y1": start.y, "x2": end.x, "y2": end.y], attributes)
  }

  /// Appends an element whose children are what `content` appends.
  mutating func group(
    _ name: String, _ attributes: Attributes, _ others: Attributes = [:],
    content: (inout SVGDocument) -> Void
  ) {
    let indent = String(repeating: "  ", count: open.count + 1)
    body += indent + "<" + name + Self.joined(attributes) + Self.joined(others) + ">\n"
    open.append(name)
    content(&self)
    open.removeLast()
    body += indent + "</" + name + ">\n"
  }

  /// The whole document.
  var text: String {
    let extents = "\(width.svgText) \(height.svgText)"
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width.svgText)" height="\(height.svgText)" \
      viewBox="0 0 \(extents)" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" role="img">
        <title>\(Self.escaped(title))</title>
      \(body)</svg>

      """
  }

  private static func joined(_ attributes: Attributes) -> String {
    attributes.map { " \($0.key)=\"\(escaped($0.value.svgText))\"" }.joined()
  }

  /// Text as it may stand between tags and in attributes; characters that XML 1.0 does not know at
  /// all become U+FFFD.
  static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result.append(contentsOf: "&amp;".unicodeScalars)
      case "<": result.append(contentsOf: "&lt;".unicodeScalars)
      case ">": result.append(contentsOf: "&gt;".unicodeScalars)
      case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
      case "'": result.append(contentsOf: "&#39;".unicodeScalars)
      case "\t", "\n", "\r": result.append(" ")
      case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }
}

/// A value of an attribute: text as it is, lengths in pixels to two decimals.
protocol SVGAttribute {
  var svgText: String { get }
}

extension String: SVGAttribute {
  var svgText: String { self }
}

extension Int: SVGAttribute {
  var svgText: String { description }
}

extension Double: SVGAttribute {
  var svgText: String { NumberFormat.shortest(self, decimals: 2) }
}

extension Frame {
  /// The frame of a rectangle or a picture.
  var attributes: SVGDocument.Attributes { ["x": x, "y": y, "width": width, "height": height] }
}

extension Pixel {
  /// A turn about the place, against the clock.
  func turned(by degrees: Int) -> String { "rotate(-\(degrees) \(x.svgText) \(y.svgText))" }
}

/// Sizes of text, estimated, because nothing here knows the reader's font.
enum TextExtent {
  /// The width in pixels, on the safe side for common sans-serif fonts.
  static func width(_ text: String, size: Double) -> Double { Double(text.count) * size * 0.62 }

  /// The text, cut with an ellipsis to what fits.
  static func fitted(_ text: String, size: Double, width: Double) -> String {
    let count = max(1, Int(width / (size * 0.62)))
    return text.count <= count ? text : text.prefix(count - 1) + "…"
  }
}
