extension Int {
  /// The number with commas between groups of three digits: `1,281,167`.
  package var grouped: String {
    let digits = String(magnitude)
    var text = self < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// A number of things: `1 image`, `20,000 images`.
  package func counted(_ noun: String) -> String { grouped + " " + noun + (self == 1 ? "" : "s") }
}
extension String {
  /// This text fit for one line of a message: control characters, which names of files from outside
  /// may hold, are written as escapes.
  package var onOneLine: String {
    var line = ""
    for scalar in unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned:
        line += scalar.escaped(asASCII: true)
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }
}
