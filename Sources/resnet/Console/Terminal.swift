import ResidualPlatform
import ResidualRuns

/// Where messages for people go: standard error, as it was found when the program began.
///
/// Standard output is left to results, so that they can be piped.
package struct Terminal: Sendable {
  package enum Style: String, Sendable {
    case bold = "1"
    case red = "31"
    case green = "32"
    case yellow = "33"
  }

  /// Whether a person watches, so that a line may be drawn again and again.
  let isInteractive: Bool
  let hasColour: Bool
  /// Whether only errors are written.
  let isQuiet: Bool

  package init(isInteractive: Bool, hasColour: Bool, isQuiet: Bool) {
    self.isInteractive = isInteractive
    self.hasColour = hasColour
    self.isQuiet = isQuiet
  }

  /// Standard error, with `NO_COLOR` and `TERM` honoured.
  package static func standardError(isQuiet: Bool = false) -> Terminal {
    let isTerminal = isatty(STDERR_FILENO) == 1
    let environment = { (name: String) in getenv(name).map { String(cString: $0) } }
    return Terminal(
      isInteractive: isTerminal && environment("TERM") != "dumb",
      hasColour: allowsColour(isTerminal: isTerminal, environment: environment), isQuiet: isQuiet)
  }

  /// Whether colour may be written: on a terminal that is not dumb, unless `NO_COLOR` is set to
  /// anything but nothing (no-color.org).
  package static func allowsColour(isTerminal: Bool, environment: (String) -> String?) -> Bool {
    isTerminal && environment("TERM") != "dumb" && (environment("NO_COLOR") ?? "").isEmpty
  }

  /// The width in columns now; 80 where the system does not say.
  package var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// The text in a style, or as it is where there is no colour.
  package func styled(_ text: String, _ style: Style) -> String {
    hasColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// Writes a line, unless the program is to be quiet.
  func note(_ line: String) {
    if !isQuiet { Self.write(line + "\n") }
  }

  /// Writes a line that must be seen even when the program is to be quiet.
  func warn(_ line: String) {
    Self.write(styled("warning:", .yellow) + " " + line + "\n")
  }

  /// Writes what is wrong, as one line that is always seen.
  func error(_ message: String) {
    Self.write(styled("error:", .red) + " " + message.onOneLine + "\n")
  }

  /// Writes text to standard error as it is. Failures are ignored: there is nowhere to report them.
  static func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        ResidualPlatform.write(STDERR_FILENO, $0.baseAddress, $0.count)
      }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        return
      }
    }
  }
}
