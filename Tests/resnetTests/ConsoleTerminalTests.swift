import Testing
import resnet

@Suite struct ConsoleTerminalTests {
  @Test(
    arguments: [
      (true, [:], true),
      (true, ["TERM": "xterm-256color"], true),
      (true, ["TERM": "dumb"], false),
      (true, ["NO_COLOR": "1"], false),
      (true, ["NO_COLOR": "0"], false),
      (true, ["NO_COLOR": ""], true),
      (false, ["TERM": "xterm"], false),
    ] as [(Bool, [String: String], Bool)])
  func colour(isTerminal: Bool, environment: [String: String], expected: Bool) {
    let allowed = Terminal.allowsColour(isTerminal: isTerminal) { environment[$0] }
    #expect(allowed == expected)
  }

  @Test func stylesVanishWithoutColour() {
    let plain = Terminal(isInteractive: true, hasColour: false, isQuiet: false)
    #expect(plain.styled("done", .green) == "done")
    let coloured = Terminal(isInteractive: true, hasColour: true, isQuiet: false)
    #expect(coloured.styled("done", .green) == "\u{1B}[32mdone\u{1B}[0m")
    #expect(coloured.styled("a", .bold) == "\u{1B}[1ma\u{1B}[0m")
  }

  @Test func widthIsPositive() {
    #expect(Terminal.standardError().width > 0)
  }
}
