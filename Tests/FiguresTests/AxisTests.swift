import ResidualFigures
import Testing

@Suite struct AxisTests {
  static func labels(_ range: ClosedRange<Double>, _ intervals: Int = 8) -> [String] {
    Axis.linear(range, expands: true, intervals: intervals).ticks.map(\.label)
  }

  @Test func linearTicksAreNiceNumbers() {
    #expect(Self.labels(0...64_000) == (0...7).map { $0 == 0 ? "0" : "\($0 * 10),000" })
    #expect(
      Self.labels(0.02...0.31)
        == ["0.00", "0.05", "0.10", "0.15", "0.20", "0.25", "0.30", "0.35"]
        .map { $0 == "0.00" ? "0" : $0 })
    #expect(Self.labels(-3...3) == ["-3", "-2", "-1", "0", "1", "2", "3"])
    #expect(Self.labels(1e-9...8e-9) == (1...8).map { $0 == 1 ? "10⁻⁹" : "\($0)×10⁻⁹" })
    #expect(Self.labels(0...3e8, 3) == ["0", "10⁸", "2×10⁸", "3×10⁸"])
  }

  @Test func expandedAxesHoldTheirRange() {
    for range in [0.3...0.9, -17.2...1.01, 99.5...100.5, 1e-7...1e-6] {
      let axis = Axis.linear(range, expands: true, intervals: 8)
      #expect(axis.lower <= range.lowerBound && axis.upper >= range.upperBound)
      #expect((3...11).contains(axis.ticks.count))
      #expect(axis.ticks.first?.value == axis.lower && axis.ticks.last?.value == axis.upper)
    }
  }

  @Test func epochsAreTickedAtWholeNumbers() {
    let axis = Axis.linear(1...5, expands: false, intervals: 8, isWhole: true)
    #expect(axis.ticks.map(\.label) == ["1", "2", "3", "4", "5"])
    let single = Axis.linear(1...1, expands: false, intervals: 8, isWhole: true)
    #expect(single.ticks.map(\.label) == ["0", "1", "2"])
  }

  @Test func logarithmicTicks() {
    func labels(_ range: ClosedRange<Double>) -> [String] {
      Axis.logarithmic(range, expands: true).ticks.map(\.label)
    }
    #expect(labels(0.001...10) == ["0.001", "0.01", "0.1", "1", "10"])
    #expect(labels(0.3...3) == ["0.2", "0.5", "1", "2", "5"])
    #expect(labels(2.2...2.8) == ["2", "3", "4", "5"])
    #expect(labels(1e-30...1).count <= 9)
    let axis = Axis.logarithmic(0.1...1000, expands: true)
    #expect(abs(axis.fraction(10) - 0.5) < 1e-12)
    #expect(axis.minorTicks.contains { abs($0 - 20) < 1e-9 } && !axis.minorTicks.contains(10))
  }

  @Test func numbersAreWrittenWithoutLocale() {
    #expect(NumberFormat.fixed(1234.5, decimals: 2) == "1234.50")
    #expect(NumberFormat.fixed(-0.125, decimals: 2) == "-0.13")
    #expect(NumberFormat.fixed(-0.001, decimals: 2) == "0.00")
    #expect(NumberFormat.fixed(0.05, decimals: 1) == "0.1")
    #expect(NumberFormat.fixed(7.5, decimals: 0) == "8")
    #expect(NumberFormat.fixed(.nan, decimals: 1) == "nan")
    #expect(NumberFormat.fixed(-.infinity, decimals: 1) == "-inf")
    #expect(NumberFormat.fixed(1e300, decimals: 2) == "1e+300")
    #expect(NumberFormat.grouped(25_557_032) == "25,557,032")
    #expect(NumberFormat.grouped(-1_000) == "-1,000")
    #expect(NumberFormat.grouped(999) == "999")
    #expect(NumberFormat.grouped(.min) == "-9,223,372,036,854,775,808")
    #expect(NumberFormat.percentage(0.92314, decimals: 2) == "92.31 %")
  }
}
