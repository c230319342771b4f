import ResidualPlatform

/// One axis of a chart: the range that it shows and where it is ticked.
package struct Axis {
  /// A labelled place of the axis.
  package struct Tick: Equatable {
    package let value: Double, label: String
  }

  /// The ends of the range that is shown; `lower` is the smaller.
  package let lower: Double, upper: Double
  let isLogarithmic: Bool
  /// From the lowest to the highest.
  package let ticks: [Tick]
  /// Where fainter lines without labels stand.
  package var minorTicks: [Double] = []

  /// Where a value lies between `lower` (0) and `upper` (1); outside the range, outside [0, 1].
  package func fraction(_ value: Double) -> Double {
    guard isLogarithmic else { return (value - lower) / (upper - lower) }
    return (log10(value) - log10(lower)) / (log10(upper) - log10(lower))
  }

  /// Numbers beyond are treated as missing, so that no arithmetic on an axis overflows.
  static let largest = 1e200, smallestPositive = 1e-200

  /// An evenly divided axis with ticks at 1, 2 or 5 times a power of ten.
  ///
  /// - Parameters:
  ///   - expands: whether the range grows to whole ticks.
  ///   - intervals: about how many intervals are wanted.
  ///   - isWhole: whether only whole numbers may be ticked, as for epochs.
  package static func linear(
    _ range: ClosedRange<Double>, expands: Bool, intervals: Int, isWhole: Bool = false
  ) -> Axis {
    var (lower, upper) = (range.lowerBound, range.upperBound)
    let magnitude = max(lower.magnitude, upper.magnitude)
    if upper - lower <= max(magnitude * 1e-9, smallestPositive) {
      let margin = isWhole || magnitude < smallestPositive * 1e9 ? 1 : magnitude * 0.1
      // What is never below zero begins there at the lowest.
      (lower, upper) = (lower >= 0 ? max(0, lower - margin) : lower - margin, upper + margin)
    }
    let step = TickStep(span: upper - lower, intervals: intervals, isWhole: isWhole)
    if expands {
      lower = step.multiple((lower / step.size + 1e-9).rounded(.down))
      upper = step.multiple((upper / step.size - 1e-9).rounded(.up))
    }
    let ticks = step.ticks(from: lower, to: upper)
    return Axis(lower: lower, upper: upper, isLogarithmic: false, ticks: ticks)
  }

  /// A logarithmic axis: powers of ten if there are several, else also 2 and 5 times these, else
  /// evenly spaced numbers.
  ///
  /// - Precondition: the range is positive.
  package static func logarithmic(_ range: ClosedRange<Double>, expands: Bool) -> Axis {
    precondition(range.lowerBound > 0, "a logarithmic axis cannot begin at \(range.lowerBound)")
    var (lower, upper) = (range.lowerBound, range.upperBound)
    if upper / lower < 1 + 1e-9 { (lower, upper) = (lower / 2, upper * 2) }
    let decades = Int(log10(lower).rounded(.down)) - 1...Int(log10(upper).rounded(.up)) + 1
    func values(_ mantissas: [Int]) -> [TickStep] {
      decades.flatMap { decade in
        mantissas.map { TickStep(mantissa: $0, exponent: decade) }
      }
    }
    let fine = values([1, 2, 5])
    if expands {
      lower = fine.last { $0.size <= lower * (1 + 1e-9) }?.size ?? lower
      upper = fine.first { $0.size >= upper * (1 - 1e-9) }?.size ?? upper
    }
    let shown = lower * (1 - 1e-9)...upper * (1 + 1e-9)
    let powers = values([1]).filter { shown.contains($0.size) }
    let labelled = powers.count > 2 ? powers : fine.filter { shown.contains($0.size) }
    guard labelled.count > 2 else {
      let ticks = linear(lower...upper, expands: false, intervals: 5).ticks
      return Axis(lower: lower, upper: upper, isLogarithmic: true, ticks: ticks)
    }
    let stride = (labelled.count + 8) / 9
    let ticks = labelled.enumerated().filter { $0.offset % stride == 0 }
      .map { Tick(value: $0.element.size, label: $0.element.label(1)) }
    let minor = stride > 1 ? [] : values(Array(1...9)).map(\.size).filter(shown.contains)
    return Axis(
      lower: lower, upper: upper, isLogarithmic: true, ticks: ticks,
      minorTicks: minor.filter { value in !ticks.contains { $0.value == value } })
  }
}

/// The distance of ticks: `mantissa` · 10^`exponent`, kept exact.
struct TickStep: Equatable {
  let mantissa: Int, exponent: Int

  init(mantissa: Int, exponent: Int) {
    self.mantissa = mantissa
    self.exponent = exponent
  }

  /// The smallest step of the form 1, 2 or 5 times a power of ten that needs no more intervals.
  init(span: Double, intervals: Int, isWhole: Bool) {
    let raw = span / Double(intervals)
    if isWhole, raw <= 1 {
      self.init(mantissa: 1, exponent: 0)
      return
    }
    let exponent = Int(log10(raw).rounded(.down))
    let candidates = [(1, 0), (2, 0), (5, 0), (1, 1), (2, 1)].map {
      TickStep(mantissa: $0.0, exponent: exponent + $0.1)
    }
    self = candidates.first { $0.size >= raw * (1 - 1e-9) } ?? candidates[4]
  }

  var size: Double { multiple(1) }

  func multiple(_ count: Double) -> Double {
    let power = NumberFormat.power(10, Int(exponent.magnitude))
    return exponent < 0 ? count * Double(mantissa) / power : count * Double(mantissa) * power
  }

  func ticks(from lower: Double, to upper: Double) -> [Axis.Tick] {
    let first = (lower / size - 1e-9).rounded(.up)
    let last = (upper / size + 1e-9).rounded(.down)
    guard first <= last, last - first < 100 else { return [] }
    return (0...Int(last - first)).map {
      Axis.Tick(value: multiple(first + Double($0)), label: label(first + Double($0)))
    }
  }

  /// The text of a multiple, with as many decimals as the step has; very small and very large
  /// numbers as 2e-08 is written by people: 2×10⁻⁸.
  func label(_ count: Double) -> String {
    let value = multiple(count)
    if value == 0 { return "0" }
    let leading = Int((log10(value.magnitude) + 1e-12).rounded(.down))
    guard exponent >= -5, leading < 7 else {
      let digits = min(max(leading - exponent, 0), 15)
      let text = NumberFormat.shortest(value / NumberFormat.power(10, leading), decimals: digits)
      let power = "10" + Self.superscript(leading)
      return text == "1" ? power : text == "-1" ? "-" + power : text + "×" + power
    }
    if exponent < 0 { return NumberFormat.fixed(value, decimals: -exponent) }
    return NumberFormat.grouped(Int(value.rounded()))
  }

  private static func superscript(_ number: Int) -> String {
    let digits: [Character] = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
    return (number < 0 ? "⁻" : "")
      + String(String(number.magnitude).map { digits[$0.wholeNumberValue ?? 0] })
  }
}
