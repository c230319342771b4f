/// A point in pixels, y downwards.
package struct Pixel: Equatable {
  package var x: Double, y: Double

  package init(x: Double, y: Double) { (self.x, self.y) = (x, y) }
}

/// A rectangle in pixels.
package struct Frame: Equatable {
  /// The corner with the smallest x and y, and the extents.
  package var x: Double, y: Double, width: Double, height: Double

  var right: Double { x + width }
  package var bottom: Double { y + height }
  var middle: Pixel { Pixel(x: x + width / 2, y: y + height / 2) }

  func inset(by margin: Double) -> Frame {
    Frame(x: x + margin, y: y + margin, width: width - 2 * margin, height: height - 2 * margin)
  }

  /// Whether any of the segment from `a` to `b` lies inside (Liang and Barsky's clipping, 1984).
  package func intersects(_ a: Pixel, _ b: Pixel) -> Bool {
    let (dx, dy) = (b.x - a.x, b.y - a.y)
    var (enter, leave) = (0.0, 1.0)
    for (p, q) in [(-dx, a.x - x), (dx, right - a.x), (-dy, a.y - y), (dy, bottom - a.y)] {
      if p == 0 {
        if q < 0 { return false }
      } else if p < 0 {
        enter = max(enter, q / p)
      } else {
        leave = min(leave, q / p)
      }
    }
    return enter <= leave
  }
}

/// A curve as unbroken runs of pixels.
package enum PixelCurve {
  /// The runs of a sequence in which nil stands for a gap.
  static func runs(_ points: [Pixel?]) -> [[Pixel]] {
    points.split { $0 == nil }.map { $0.compactMap { $0 } }
  }

  /// The run with at most four points for each column of pixels that it passes: the first, the
  /// highest, the lowest and the last, so that the picture stays the same and no extreme is lost.
  ///
  /// - Complexity: O(*n*).
  package static func thinned(_ run: [Pixel]) -> [Pixel] {
    var result: [Pixel] = []
    var start = 0
    while start < run.count {
      let column = run[start].x.rounded(.down)
      var (end, low, high) = (start + 1, start, start)
      while end < run.count, run[end].x.rounded(.down) == column {
        if run[end].y < run[low].y { low = end }
        if run[end].y > run[high].y { high = end }
        end += 1
      }
      var last = -1
      for index in [start, min(low, high), max(low, high), end - 1] where index > last {
        result.append(run[index])
        last = index
      }
      start = end
    }
    return result
  }

  /// The `d` attribute of a path through the run.
  static func path(_ run: [Pixel]) -> String {
    run.enumerated().map { index, point in
      (index == 0 ? "M" : index == 1 ? "L" : "") + point.x.svgText + " " + point.y.svgText
    }.joined(separator: " ")
  }
}
