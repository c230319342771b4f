import ResidualFigures

/// The progress of a long piece of work on standard error.
///
/// On a terminal one line is drawn again at most ten times a second. Elsewhere a plain line is
/// written now and then. A quiet terminal shows nothing. Call ``finish(extra:)`` on every way out.
package struct ProgressBar: Sendable {
  /// When a plain line is due where there is no terminal.
  package enum PlainInterval: Sendable {
    /// After every so many calls of ``update(completed:extra:)``.
    case updates(Int)
    case time(Duration)
  }

  private let terminal: Terminal
  private let plainInterval: PlainInterval
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var line: ProgressLine
  private var rate = RateEstimate()
  private var updated: ContinuousClock.Instant
  private var shown: ContinuousClock.Instant?
  private var updates = 0
  private var isFinished = false

  /// - Parameters:
  ///   - total: how many units there are; nil if nobody knows.
  ///   - completed: how many are done already, as after a resumption; the rate leaves them out.
  ///   - unit: what is counted, as in `images`.
  package init(
    _ label: String, total: Int?, completed: Int = 0, unit: String = "images",
    on terminal: Terminal,
    plainInterval: PlainInterval = .time(.seconds(30))
  ) {
    self.terminal = terminal
    self.plainInterval = plainInterval
    line = ProgressLine(label: label, completed: completed, total: total, unit: unit)
    start = clock.now
    updated = start
  }

  /// Reports how many units are done by now, and text such as the loss, which is evaluated only
  /// where it is shown.
  package mutating func update(completed: Int, extra: @autoclosure () -> String = "") {
    guard !isFinished else { return }
    let now = clock.now
    rate.add(completed - line.completed, seconds: (now - updated) / .seconds(1))
    updated = now
    line.completed = completed
    updates += 1
    guard !terminal.isQuiet, isDue(now) else { return }
    line.extra = extra()
    show(now)
  }

  /// Writes a line that stays, over the bar.
  mutating func note(_ text: String) {
    guard terminal.isInteractive, shown != nil, !isFinished, !terminal.isQuiet else {
      terminal.note(text)
      return
    }
    Terminal.write("\r\u{1B}[K" + text + "\n")
    draw()
  }

  /// Shows the final state with the time taken, and leaves the line; nil keeps the last extra text.
  package mutating func finish(extra: String? = nil) {
    guard !isFinished else { return }
    isFinished = true
    guard !terminal.isQuiet else { return }
    line.secondsTaken = (clock.now - start) / .seconds(1)
    line.rate = rate.overall
    if let extra { line.extra = extra }
    if terminal.isInteractive {
      draw()
      Terminal.write("\n")
    } else {
      Terminal.write(line.plain + "\n")
    }
  }

  private func isDue(_ now: ContinuousClock.Instant) -> Bool {
    if terminal.isInteractive { return shown.map { now - $0 >= .milliseconds(100) } ?? true }
    switch plainInterval {
    case .updates(let count): return updates % max(count, 1) == 0
    case .time(let interval): return now - (shown ?? start) >= interval
    }
  }

  private mutating func show(_ now: ContinuousClock.Instant) {
    shown = now
    line.rate = rate.recent
    if terminal.isInteractive { draw() } else { Terminal.write(line.plain + "\n") }
  }

  private func draw() {
    // One column stays free, since writing the last one makes some terminals break the line.
    Terminal.write("\r" + line.drawn(width: terminal.width - 1, on: terminal) + "\u{1B}[K")
  }
}

/// What one line of progress says, apart from where and when it is written.
package struct ProgressLine: Sendable {
  package var label: String
  package var completed: Int
  package var total: Int?
  package var unit: String
  /// Units a second; nil while unknown.
  package var rate: Double?
  /// Once the work is over, how long it took; shown in place of the time left.
  package var secondsTaken: Double?
  package var extra = ""

  package init(label: String, completed: Int, total: Int?, unit: String) {
    (self.label, self.completed, self.total, self.unit) = (label, completed, total, unit)
  }

  /// The share that is done, in 0…1.
  var share: Double? {
    guard let total else { return nil }
    return total > 0 ? min(max(Double(completed) / Double(total), 0), 1) : 1
  }

  var secondsLeft: Double? {
    guard let total, let rate, rate > 0 else { return nil }
    return max(0, Double(total) - Double(completed)) / rate
  }

  /// A line for files and pipes: `epoch 3: 45,000 of 50,000 (90%), 1,234 images/s, 00:04 left`.
  package var plain: String {
    let count = NumberFormat.grouped(completed)
    let progress =
      if let total, let percentage {
        "\(count) of \(NumberFormat.grouped(total)) (\(percentage))"
      } else { "\(count) \(unit)" }
    return "\(label): " + ([progress] + details).joined(separator: ", ")
  }

  /// A line for a terminal of the given width: the bar takes what is left, up to 40 columns; where
  /// that is under 10, it is left out and the line cut.
  package func text(width: Int) -> String { parts(width: width).joined() }

  /// The same with the bar in colour.
  package func drawn(width: Int, on terminal: Terminal) -> String {
    let parts = parts(width: width)
    guard parts.count == 3 else { return parts.joined() }
    return parts[0] + terminal.styled(parts[1], .green) + parts[2]
  }

  /// The line before, in and after the bar; one part where there is no bar.
  private func parts(width: Int) -> [String] {
    let state =
      percentage.map { String(repeating: " ", count: 4 - $0.count) + $0 }
      ?? NumberFormat.grouped(completed) + " " + unit
    let ends = [state] + details
    let rest = ends.joined(separator: "  ")
    let room = min(40, width - label.count - rest.count - 5)
    guard let share, room >= 10 else {
      return [String("\(label)  \(rest)".prefix(max(0, width)))]
    }
    let filled = Int(share * Double(room))
    let head = filled > 0 && filled < room ? ">" : filled == room ? "=" : ""
    let bar = String(repeating: "=", count: max(0, filled - 1)) + head
    return ["\(label)  [", bar, String(repeating: " ", count: room - bar.count) + "] \(rest)"]
  }

  /// Rounded down, so that 100% means done.
  private var percentage: String? {
    share.map { "\(Int($0 * 100))%" }
  }

  private var details: [String] {
    var details: [String] = []
    if let rate, rate.isFinite { details.append(Self.rate(rate, unit)) }
    if let secondsTaken {
      details.append("in " + Self.time(secondsTaken))
    } else if let secondsLeft {
      details.append(Self.time(secondsLeft) + " left")
    }
    if !extra.isEmpty { details.append(extra) }
    return details
  }

  /// A rate with three figures or more: `1,234 images/s`, `56.1 images/s`, `0.25 images/s`.
  package static func rate(_ rate: Double, _ unit: String) -> String {
    let number =
      switch rate {
      case ..<10: NumberFormat.fixed(rate, decimals: 2)
      case ..<100: NumberFormat.fixed(rate, decimals: 1)
      case ..<1e15: NumberFormat.grouped(Int(rate.rounded()))
      default: rate.description
      }
    return "\(number) \(unit)/s"
  }

  /// A time as `mm:ss`, or from an hour on `h:mm:ss`, rounded to seconds.
  package static func time(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "--:--" }
    let whole = Int(max(seconds, 0).rounded())
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes) = (whole / 3600, whole / 60 % 60)
    return (hours > 0 ? "\(hours):" : "") + two(minutes) + ":" + two(whole % 60)
  }
}

/// How fast work goes: an average over about the last ten seconds.
///
/// Counts and seconds are averaged apart and then divided, so that the first numbers are not
/// biased and uneven updates weigh by their length.
package struct RateEstimate: Sendable {
  private var counts = 0.0, seconds = 0.0
  private var allCounts = 0.0, allSeconds = 0.0

  package init() {}

  package mutating func add(_ count: Int, seconds duration: Double) {
    // For short updates close to exp(-duration / 10 s).
    let decay = 1 / (1 + duration / 10)
    counts = counts * decay + Double(count)
    seconds = seconds * decay + duration
    allCounts += Double(count)
    allSeconds += duration
  }

  /// Units a second of late; nil while no time has passed.
  package var recent: Double? { seconds > 0 ? counts / seconds : nil }
  /// Units a second from the beginning.
  package var overall: Double? { allSeconds > 0 ? allCounts / allSeconds : nil }
}
