/// A chart of curves over a common horizontal axis, such as learning curves or layer responses.
///
/// ```swift
/// var chart = LineChart(title: "CIFAR-10", xTitle: "iteration", yTitle: "error (%)")
/// chart.series.append(.init(name: "ResNet-20 training", points: training, isDashed: true))
/// chart.series.append(.init(name: "ResNet-20 test", points: test, isBold: true))
/// chart.yRange = 0...20
/// let picture = chart.svg
/// ```
package struct LineChart: Hashable, Sendable {
  /// One measured point. A coordinate that is not finite makes a gap in the curve.
  package struct Point: Hashable, Sendable {
    /// The place on the two axes, in the axes' own units.
    package var x: Double, y: Double

    /// A point at a place on the two axes.
    package init(x: Double, y: Double) {
      self.x = x
      self.y = y
    }
  }

  /// One curve; its points are joined in the order given.
  package struct Series: Hashable, Sendable {
    /// What the legend calls the curve.
    package var name: String
    /// The points in the order in which they are joined.
    package var points: [Point]
    /// The colour of the curve, and of its sample in the legend.
    package var colour: SeriesColour
    /// Whether the line is dashed, as training errors are in the paper's figures.
    package var isDashed: Bool
    /// Whether the line is bold, as test errors are there, in the colour of the training errors.
    package var isBold: Bool

    /// A curve, thin and unbroken unless asked otherwise.
    package init(
      name: String, points: [Point], colour: SeriesColour = .blue, isDashed: Bool = false,
      isBold: Bool = false
    ) {
      self.name = name
      self.points = points
      self.colour = colour
      self.isDashed = isDashed
      self.isBold = isBold
    }
  }

  /// A vertical line at one place of the horizontal axis, such as a drop of the learning rate.
  package struct Marker: Hashable, Sendable {
    /// The place on the horizontal axis, in its own units.
    package var x: Double
    /// What stands over the line.
    package var label: String

    /// - Parameter x: in the horizontal axis's own units.
    package init(x: Double, label: String) {
      self.x = x
      self.label = label
    }
  }

  /// How the vertical axis is divided. On a logarithmic one, numbers up to zero are gaps.
  package enum Scale: Hashable, Sendable {
    case linear, logarithmic
  }

  /// The line over the chart, and the document's title.
  package var title: String
  /// What the horizontal axis measures, with its unit: `iteration`.
  package var xTitle: String
  /// What the vertical axis measures, with its unit: `error (%)`.
  package var yTitle: String
  /// The curves, later ones over earlier ones; the legend has their order.
  package var series: [Series]
  /// Vertical lines, such as drops of the learning rate.
  package var markers: [Marker]
  /// How the vertical axis is divided.
  package var yScale: Scale
  /// What the vertical axis shows; curves are cut there. Nil shows all points. A range that is
  /// empty, not finite or, on a logarithmic axis, not positive is treated as nil.
  package var yRange: ClosedRange<Double>?

  /// A chart to which curves can be added later.
  package init(
    title: String, xTitle: String, yTitle: String, series: [Series] = [], markers: [Marker] = [],
    yScale: Scale = .linear, yRange: ClosedRange<Double>? = nil
  ) {
    self.title = title
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.series = series
    self.markers = markers
    self.yScale = yScale
    self.yRange = yRange
  }

  /// The chart as a complete SVG document of 800 × 500 pixels, higher only for dozens of
  /// names.
  ///
  /// Long curves are thinned to the resolution of the picture without losing extremes. The legend
  /// stands where no curve passes, or above the plot.
  ///
  /// - Complexity: O(points + names).
  package var svg: String { LineChartDrawing(self).svg }
}

extension LineChart {
  /// Whether a point can be shown at all.
  package func isDrawable(_ point: Point) -> Bool {
    guard point.x.magnitude <= Axis.largest, point.y.magnitude <= Axis.largest else { return false }
    return yScale == .linear || point.y >= Axis.smallestPositive
  }

  /// The axis under the plot: exactly the range of the points, from zero if that is near.
  var xAxis: Axis {
    let values = series.flatMap { $0.points.filter(isDrawable) }.map(\.x)
    guard var lower = values.min(), let upper = values.max() else {
      return .linear(0...1, expands: false, intervals: 5)
    }
    // A single place says nothing without a beginning.
    if lower > 0, lower <= upper * 0.02 || lower == upper { lower = 0 }
    let isWhole = values.allSatisfy { $0 == $0.rounded() }
    return .linear(lower...upper, expands: false, intervals: 8, isWhole: isWhole)
  }

  /// The axis beside the plot: the range asked for, or whole ticks around the points, from zero
  /// if that is near.
  var yAxis: Axis {
    if let range = yRange, range.lowerBound < range.upperBound,
      range.lowerBound.magnitude <= Axis.largest, range.upperBound.magnitude <= Axis.largest,
      yScale == .linear || range.lowerBound >= Axis.smallestPositive
    {
      return yAxis(range, expands: false)
    }
    let values = series.flatMap { $0.points.filter(isDrawable) }.map(\.y)
    guard var lower = values.min(), let upper = values.max() else {
      return yAxis(yScale == .linear ? 0...1 : 0.1...1, expands: true)
    }
    let hasNoCourse = series.allSatisfy { $0.points.count <= 1 }
    if yScale == .linear, lower > 0, lower <= upper * 0.25 || hasNoCourse { lower = 0 }
    return yAxis(lower...upper, expands: true)
  }

  private func yAxis(_ range: ClosedRange<Double>, expands: Bool) -> Axis {
    switch yScale {
    case .linear: .linear(range, expands: expands, intervals: 8)
    case .logarithmic: .logarithmic(range, expands: expands)
    }
  }
}
