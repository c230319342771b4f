import Testing
import resnet

@Suite struct ConsoleProgressTests {
  static let plain = Terminal(isInteractive: false, hasColour: false, isQuiet: false)

  static let line = {
    var line = ProgressLine(label: "epoch 3/10", completed: 22_500, total: 50_000, unit: "images")
    line.rate = 1_234
    line.extra = "loss 0.512"
    return line
  }()

  @Test func linesOfSeveralWidths() {
    #expect(
      Self.line.text(width: 79)
        == "epoch 3/10  [========>           ]  45%  1,234 images/s  00:22 left  loss 0.512")
    #expect(
      Self.line.text(width: 120)
        == "epoch 3/10  [=================>                      ]  45%  1,234 images/s"
        + "  00:22 left  loss 0.512")
    #expect(
      Self.line.text(width: 60)
        == "epoch 3/10   45%  1,234 images/s  00:22 left  loss 0.512")
    #expect(Self.line.text(width: 20) == "epoch 3/10   45%  1,")
    #expect(Self.line.text(width: 0) == "")
    #expect(
      Self.line.plain
        == "epoch 3/10: 22,500 of 50,000 (45%), 1,234 images/s, 00:22 left, loss 0.512")
  }

  @Test(arguments: 0...200) func linesNeverExceedTheWidth(_ width: Int) {
    #expect(Self.line.text(width: width).count <= width)
  }

  @Test func barsAreEmptyAndFull() {
    var line = ProgressLine(label: "a", completed: 0, total: 10, unit: "images")
    #expect(line.text(width: 30) == "a  [                    ]   0%")
    line.completed = 10
    #expect(line.text(width: 30) == "a  [====================] 100%")
    line.completed = 25
    #expect(line.text(width: 30) == "a  [====================] 100%")
    line.completed = 9_999_999
    line.total = 10_000_000
    #expect(line.plain == "a: 9,999,999 of 10,000,000 (99%)")
    line.total = 0
    #expect(line.plain.hasSuffix("(100%)"))
  }

  @Test func workOfUnknownLengthIsCounted() {
    var line = ProgressLine(label: "reading", completed: 1_500, total: nil, unit: "files")
    line.rate = 56.12
    #expect(line.plain == "reading: 1,500 files, 56.1 files/s")
    #expect(line.text(width: 80) == "reading  1,500 files  56.1 files/s")
  }

  @Test func finishedWorkShowsTheTimeTaken() {
    var line = Self.line
    line.completed = 50_000
    line.secondsTaken = 40.4
    #expect(
      line.plain == "epoch 3/10: 50,000 of 50,000 (100%), 1,234 images/s, in 00:40, loss 0.512")
  }

  @Test func times() {
    #expect(ProgressLine.time(0) == "00:00")
    #expect(ProgressLine.time(59.6) == "01:00")
    #expect(ProgressLine.time(3_599.4) == "59:59")
    #expect(ProgressLine.time(3_600) == "1:00:00")
    #expect(ProgressLine.time(90_061) == "25:01:01")
    #expect(ProgressLine.time(-5) == "00:00")
    #expect(ProgressLine.time(.infinity) == "--:--")
    #expect(ProgressLine.time(.nan) == "--:--")
  }

  @Test func rates() {
    #expect(ProgressLine.rate(0.254, "steps") == "0.25 steps/s")
    #expect(ProgressLine.rate(56.12, "steps") == "56.1 steps/s")
    #expect(ProgressLine.rate(12_345.6, "steps") == "12,346 steps/s")
  }

  @Test func rateFollowsRecentSpeed() {
    var estimate = RateEstimate()
    #expect(estimate.recent == nil && estimate.overall == nil)
    estimate.add(50, seconds: 0.5)
    #expect(estimate.recent == 100 && estimate.overall == 100)
    for _ in 0..<600 { estimate.add(2, seconds: 0.1) }
    #expect(abs((estimate.recent ?? 0) - 20) < 1)
    #expect((estimate.overall ?? 0) > 20.6)
  }

  @Test func colourSurroundsOnlyTheBar() {
    let coloured = Terminal(isInteractive: true, hasColour: true, isQuiet: false)
    let drawn = Self.line.drawn(width: 79, on: coloured)
    #expect(drawn.contains("[\u{1B}[32m========>\u{1B}[0m           ]"))
    #expect(Self.line.drawn(width: 79, on: Self.plain) == Self.line.text(width: 79))
  }

  @Test func quietBarsEvaluateNoExtraText() {
    let quiet = Terminal(isInteractive: true, hasColour: true, isQuiet: true)
    var bar = ProgressBar("a", total: 3, on: quiet)
    var evaluations = 0
    func extra() -> String {
      evaluations += 1
      return ""
    }
    for completed in 1...3 { bar.update(completed: completed, extra: extra()) }
    bar.finish()
    #expect(evaluations == 0)
  }
}
