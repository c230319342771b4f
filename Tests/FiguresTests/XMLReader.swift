/// A strict reader of the XML that the figures write: elements, quoted attributes, text and the
/// five named or numbered entities. Whatever else it meets is an error.
struct XMLElement {
  var name: String
  var attributes: [String: String] = [:]
  var children: [XMLElement] = []
  var text = ""

  /// The element and all below it, in document order.
  var all: [XMLElement] { [self] + children.flatMap(\.all) }
  func all(_ name: String) -> [XMLElement] { all.filter { $0.name == name } }
  /// The texts of all `text` elements.
  var labels: [String] { all("text").map(\.text) }
  func number(_ attribute: String) -> Double { attributes[attribute].flatMap(Double.init) ?? .nan }
}

struct XMLReader {
  struct Malformed: Error {
    let problem: String, offset: Int
  }

  private var rest: Substring
  private let count: Int

  static func read(_ text: String) throws -> XMLElement {
    var reader = XMLReader(rest: text[...], count: text.count)
    let root = try reader.element()
    reader.skipSpace()
    guard reader.rest.isEmpty else { throw reader.failure("text after the root") }
    return root
  }

  private init(rest: Substring, count: Int) {
    (self.rest, self.count) = (rest, count)
  }

  private func failure(_ problem: String) -> Malformed {
    Malformed(problem: problem, offset: count - rest.count)
  }

  private mutating func skipSpace() { rest = rest.drop(while: \.isWhitespace) }

  private mutating func expect(_ text: String) throws {
    guard rest.hasPrefix(text) else { throw failure("expected \(text)") }
    rest = rest.dropFirst(text.count)
  }

  private mutating func name() throws -> String {
    let name = rest.prefix { $0.isLetter || $0.isNumber || "-:_".contains($0) }
    guard let first = name.first, first.isLetter else { throw failure("expected a name") }
    rest = rest.dropFirst(name.count)
    return String(name)
  }

  private mutating func characters(until end: Character) throws -> String {
    var text = ""
    while let next = rest.first, next != end {
      guard next == "&" else {
        let isAllowed = next.unicodeScalars.allSatisfy { $0.value >= 32 || $0 == "\n" }
        guard isAllowed, next != "<" else { throw failure("a bare character \(next)") }
        text.append(next)
        rest.removeFirst()
        continue
      }
      let entity = rest.prefix(while: { $0 != ";" })
      let known = ["&amp": "&", "&lt": "<", "&gt": ">", "&quot": "\"", "&#39": "'"]
      guard let value = known[String(entity)] else { throw failure("entity \(entity)") }
      text += value
      rest = rest.dropFirst(entity.count + 1)
    }
    return text
  }

  private mutating func element() throws -> XMLElement {
    try expect("<")
    var element = XMLElement(name: try name())
    while true {
      let before = rest.count
      skipSpace()
      if rest.hasPrefix("/>") {
        try expect("/>")
        return element
      }
      if rest.hasPrefix(">") { break }
      guard rest.count < before else { throw failure("attributes without a gap") }
      let key = try name()
      try expect("=\"")
      guard element.attributes[key] == nil else { throw failure("\(key) twice") }
      element.attributes[key] = try characters(until: "\"")
      try expect("\"")
    }
    try expect(">")
    while true {
      element.text += try characters(until: "<")
      if rest.hasPrefix("</") { break }
      element.children.append(try self.element())
    }
    try expect("</" + element.name + ">")
    return element
  }
}
